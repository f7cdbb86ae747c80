"""The exceptions of mc-interchange, and what the command line does with them.

::

    InterchangeError                 everything below; one line: what, where, what to do
    ├── UsageError                   a wrong argument or a wrong combination of them
    ├── ModelError                   a model description that is refused
    ├── FormatError                  a file that cannot be read as its format says
    │   └── ArtefactError            files that are sound, and no model
    ├── NotRepresentableError        the target format cannot hold the model
    ├── OutputError                  the output cannot be written, or stands in the way
    ├── SimulationError              a simulator refused the network or the run
    └── MissingDependencyError       an optional package is not installed

Every command line tool prints the message of an :class:`InterchangeError` as one line and ends
with exit code 2. Any other exception is a defect of this package and keeps its traceback.
"""

from __future__ import annotations

# The exception tree; the helper below is for this package only.
__all__ = [
    "ArtefactError",
    "FormatError",
    "InterchangeError",
    "MissingDependencyError",
    "ModelError",
    "NotRepresentableError",
    "OutputError",
    "SimulationError",
    "UsageError",
]


class InterchangeError(Exception):
    """Base of all errors that a user can mend; the message is one line."""


class UsageError(InterchangeError):
    """A wrong argument, or arguments that do not go together."""


class ModelError(InterchangeError):
    """A model description is refused; the message names the field, the value and what is allowed."""


class FormatError(InterchangeError):
    """A file does not hold what its format requires; the message names the file and the place in it."""


class ArtefactError(FormatError):
    """Files are sound, but hold no model that can be read; the message says what does, or what they are for."""


class NotRepresentableError(InterchangeError):
    """The target format (or, with ``strict``, its exact form) cannot hold the model."""


class OutputError(InterchangeError):
    """The output location is occupied, not ours, too small or not writable."""


class SimulationError(InterchangeError):
    """A simulator refused the network, or the run failed."""


class MissingDependencyError(InterchangeError):
    """An optional package is missing.

    Parameters
    ----------
    package
        What could not be imported.
    extra
        The extra of ``mc-interchange`` that brings it.
    """

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed: run python -m pip install 'mc-interchange[{extra}]'")
        self.package = package
        self.extra = extra


def one_line(error: BaseException | str, limit: int | None = None) -> str:
    """Return the text of an error on one line, or the name of its type where it has none.

    Parameters
    ----------
    error
        What a library raised, or its message.
    limit
        Characters at most.
    """
    return (" ".join(str(error).split()) or type(error).__name__)[:limit]
