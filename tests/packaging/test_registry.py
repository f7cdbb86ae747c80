"""What is registered but cannot be used is one line."""

from importlib.metadata import EntryPoint

import pytest

from mc_interchange import registry
from mc_interchange.contracts import Importer, ReferenceModel, Runner
from mc_interchange.errors import UsageError

BASES = {
    "exporter": "Exporter",
    "importer": "Importer",
    "reference model": "ReferenceModel",
    "runner": "Runner or FileRunner",
}


class NamelessRunner(Runner):
    def run(self, instance, **others):
        raise NotImplementedError


class UntitledImporter(Importer):
    format = "untitled"

    def recognises(self, path):
        return False


class BareModel(ReferenceModel):
    name = title = "bare"

    def build(self, arguments):
        raise NotImplementedError


@pytest.fixture
def register(monkeypatch):
    def register(value):
        point = EntryPoint("x", value, "any")
        monkeypatch.setattr(registry, "entry_points", lambda group: [point])

    return register


@pytest.mark.parametrize("kind", registry.GROUPS)
@pytest.mark.parametrize("value", ["builtins:dict", "math:pi"])
def test_another_class(register, kind, value):
    register(value)
    with pytest.raises(UsageError) as refusal:
        registry.load(kind, "x")
    assert str(refusal.value) == f"{kind} 'x' of an unknown package is not a subclass of {BASES[kind]}"


@pytest.mark.parametrize(
    ("kind", "name", "missing"),
    [
        ("runner", "NamelessRunner", "name, title"),
        ("importer", "UntitledImporter", "title, read"),
        ("reference model", "BareModel", "Arguments"),
    ],
)
def test_what_is_not_defined(register, kind, name, missing):
    register(f"{__name__}:{name}")
    with pytest.raises(UsageError, match=f"^{kind} 'x' of an unknown package does not define {missing}$"):
        registry.load(kind, "x")
