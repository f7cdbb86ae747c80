"""Names that users import; taking one away is a decision, not an accident."""

import inspect

import mc_interchange
from mc_interchange import errors

NAMES = [
    "ExportResult",
    "InterchangeError",
    "Network",
    "NetworkInstance",
    "__version__",
    "build",
    "export",
    "open_model",
    "read_network",
    "realize",
    "write_network",
]


def test_names_of_the_package():
    assert sorted(mc_interchange.__all__) == NAMES
    assert all(hasattr(mc_interchange, name) for name in NAMES)


def test_exceptions_and_their_tree():
    classes = [c for _, c in inspect.getmembers(errors, inspect.isclass) if c.__module__ == errors.__name__]
    assert sorted(c.__name__ for c in classes) == errors.__all__
    for error in classes:
        assert issubclass(error, errors.InterchangeError)
        assert error.__name__ in errors.__doc__


def test_missing_dependency_says_what_to_run():
    error = errors.MissingDependencyError("nest", "nest")
    assert str(error) == "nest is not installed: run python -m pip install 'mc-interchange[nest]'"
    assert (error.package, error.extra) == ("nest", "nest")
