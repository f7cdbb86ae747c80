"""The YAML form of a Network and of an Experiment, and the JSON schema of the former.

YAML 1.2, read without any object construction. Keys equal to their default may be left out; writing
leaves them out, except where a reader would miss them.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from mc_interchange.errors import FormatError, ModelError, one_line

from .base import explain
from .experiment import Experiment
from .network import Network
from .schema import build_schema

__all__ = [
    "json_schema",
    "parse_network",
    "read_experiment",
    "read_network",
    "serialize_network",
    "write_experiment",
    "write_network",
]

#: Larger description files are refused: explicit lists of this size belong into SONATA.
MAX_BYTES = 16 * 2**20
#: Deeper nesting is refused; a description needs less than ten levels.
MAX_DEPTH = 32


def read_network(path: str | Path) -> Network:
    """Read a Network from a YAML file.

    Raises
    ------
    FormatError
        The file cannot be read, or is not YAML (with the line).
    ModelError
        The description is refused (with the path of the field, the value and what is allowed).
    """
    return parse_network(_text(Path(path)), origin=str(path))


def read_experiment(path: str | Path) -> Experiment:
    """Read an Experiment from a YAML file (see :func:`read_network`)."""
    return _parsed(Experiment, _text(Path(path)), str(path))


def _text(path: Path) -> str:
    try:
        if not path.is_file() and not path.is_dir() and path.exists():
            raise FormatError(f"{path}: not a file")
        if path.stat().st_size > MAX_BYTES:
            raise FormatError(f"{path}: larger than {MAX_BYTES // 2**20} MiB, too large for a model file")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise FormatError(f"{path}: cannot be read ({error.strerror or error})") from None
    except UnicodeDecodeError:
        raise FormatError(f"{path}: not a text file in UTF-8") from None


def parse_network(text: str, origin: str = "model") -> Network:
    """Build a Network from YAML text; ``origin`` names the text in errors (see :func:`read_network`)."""
    return _parsed(Network, text, origin)


P = TypeVar("P", Network, Experiment)


def _parsed(kind: type[P], text: str, origin: str) -> P:
    try:
        data = YAML(typ="safe", pure=True).load(text)
    except MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        problem = " ".join((error.problem or "not valid YAML").split())
        raise FormatError(f"{origin}: {line}{problem}") from None
    except RecursionError:
        raise FormatError(f"{origin}: nested more than {MAX_DEPTH} levels deep") from None
    except (YAMLError, ValueError) as error:
        raise FormatError(f"{origin}: not valid YAML ({one_line(error, 160)})") from None
    if not isinstance(data, dict):
        first = next(iter(kind.model_fields)) if kind is Experiment else "populations"
        raise FormatError(f"{origin}: not a model description (a mapping with '{first}' and so on)")
    if _expanded_size(data, origin) > max(len(text), 10**6):
        raise FormatError(f"{origin}: its aliases (*name) repeat too much; write the values out")
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        raise ModelError(f"{origin}: {explain(error)}") from None


def _expanded_size(data: Any, origin: str) -> int:
    """Return the number of values that a document has once its aliases are followed.

    A few lines of nested aliases can stand for more values than any memory holds. The parser keeps
    them shared; checks and copies would not.
    """
    sizes: dict[int, int] = {}

    def size(node: Any, depth: int) -> int:
        if not isinstance(node, dict | list | tuple | set):
            return 1
        if depth > MAX_DEPTH:  # an alias inside its own anchor ends here, too
            raise FormatError(f"{origin}: nested more than {MAX_DEPTH} levels deep")
        if id(node) not in sizes:
            items = node.values() if isinstance(node, dict) else node
            sizes[id(node)] = 1 + sum(size(item, depth + 1) for item in items)
        return sizes[id(node)]

    return size(data, 1)


def serialize_network(network: Network) -> str:
    """Return the YAML text of a network; :func:`parse_network` gives back an equal one."""
    return _dumped(_plain(network), "A network description for mc-interchange.")


def _dumped(data: dict[str, Any], title: str) -> str:
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = None  # innermost collections on one line: readable tables
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.width = 100_000
    stream = io.StringIO()
    yaml.dump(data, stream)
    return f"# {title} Units: ms, mV, pF, pA, nS, spikes/s, um.\n" + stream.getvalue()


def write_network(network: Network, path: str | Path) -> None:
    """Write :func:`serialize_network` to a file."""
    Path(path).write_text(serialize_network(network), encoding="utf-8")


def write_experiment(experiment: Experiment, path: str | Path) -> None:
    """Write an Experiment to a file; :func:`read_experiment` gives back an equal one."""
    data = {
        "inputs": [{"kind": i.kind, **i.model_dump(mode="json", exclude_defaults=True)} for i in experiment.inputs],
        "activity": {name: a.model_dump(mode="json") for name, a in experiment.activity.items()},
        "simulation": experiment.simulation.model_dump(mode="json", exclude_defaults=True),
    }
    text = _dumped(data, "Inputs and simulation of a network without rules, for mc-interchange.")
    Path(path).write_text(text, encoding="utf-8")


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of the YAML form, as published in ``network.schema.json``.

    It covers all that concerns one field; relations between fields (``V_reset`` below ``V_th``, a
    delay of at least dt, names that exist) are checked on reading only.
    """
    return build_schema(Network.model_json_schema())


def _plain(network: Network) -> dict[str, Any]:
    data = network.model_dump(mode="json", exclude_defaults=True)
    data = {"format_version": network.format_version, **data}
    data["simulation"] = network.simulation.model_dump(
        mode="json", include={"dt", "duration", "discard", "seed"}
    ) | data.get("simulation", {})
    for projection, item in zip(network.projections, data.get("projections", ()), strict=True):
        item["rule"] = {"rule": projection.rule.rule, **item["rule"]}
        item["weight"], item["delay"] = _distribution(projection.weight), _distribution(projection.delay)
    for index, population in enumerate(network.populations):
        item = data["populations"][index]
        if population.kind == "virtual":
            data["populations"][index] = {"kind": "virtual", **item}
            item = data["populations"][index]
            item["activity"] = {"kind": population.activity.kind, **item["activity"]}
        else:
            item["initial_V_m"] = _distribution(population.initial_V_m)
    for index, part in enumerate(network.inputs):
        data["inputs"][index] = {"kind": part.kind, **data["inputs"][index]}
    return data


def _distribution(part: Any) -> Any:
    if part.distribution == "constant":
        return part.value
    return {"distribution": part.distribution, **part.model_dump(mode="json", exclude_defaults=True)}
