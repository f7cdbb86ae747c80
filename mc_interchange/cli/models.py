"""From what a user names (a reference model, a model file, an export) to a Network or an instance."""

from __future__ import annotations

import dataclasses
import math
import os
import re
import warnings
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import click

from mc_interchange import registry
from mc_interchange.contracts import ReferenceModel
from mc_interchange.errors import FormatError, ModelError, UsageError
from mc_interchange.export import MODEL_FILE
from mc_interchange.instance import NetworkInstance, Trains, realize
from mc_interchange.network import Network, PoissonActivity, Simulation, read_network
from mc_interchange.output import MANIFEST
from mc_interchange.reading import build, find_importer, import_path

from .options import YAML_VALUE, flag_name

__all__ = [
    "default_out",
    "existing_path",
    "given_arguments",
    "load_instance",
    "load_rules",
    "model_arguments",
    "warn_of_discard",
    "with_simulation",
]

F = TypeVar("F", bound=Callable[..., Any])
#: Arguments that set the size; a format's own default size gives way to any of them.
_SCALES = ("scale", "n_scale", "k_scale")
_SHORTHANDS = (*_SCALES, "background")


def model_arguments(function: F) -> F:
    """Add the flags that set the arguments of a reference model."""
    options = (
        click.option("--scale", type=float, metavar="S", help="Scale of the reference model: neurons and in-degrees."),
        click.option("--n-scale", type=float, metavar="N", help="Scale of the numbers of neurons alone."),
        click.option("--k-scale", type=float, metavar="K", help="Scale of the in-degrees alone."),
        click.option("--background", metavar="KIND", help="Background input of the reference model: poisson or dc."),
        click.option(
            "--param",
            "-p",
            multiple=True,
            metavar="KEY=VALUE",
            help="Any other argument of the reference model, as in YAML (a wrong KEY lists them all); repeatable.",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


def given_arguments(parameters: dict[str, Any]) -> dict[str, Any]:
    """Take the values of :func:`model_arguments` out of the parameters of a command.

    Raises
    ------
    UsageError
        An argument is given twice, or ``--scale`` beside one of its parts.
    """
    given = {name: parameters.pop(name) for name in _SHORTHANDS}
    given = {name: value for name, value in given.items() if value is not None}
    for text in parameters.pop("param"):
        name, equals, value = text.partition("=")
        name = name.strip()
        if not equals or not name:
            raise UsageError(f"--param {text}: must be KEY=VALUE")
        if name in given:
            raise UsageError(f"--param {text}: {name} is given twice")
        given[name] = YAML_VALUE(value)
    if "scale" in given and ("n_scale" in given or "k_scale" in given):
        raise UsageError("--scale sets both n_scale and k_scale: give either --scale, or --n-scale and --k-scale")
    return given


def load_instance(
    model: str, given: Mapping[str, Any], defaults: Mapping[str, Any], simulation: Mapping[str, Any]
) -> NetworkInstance:
    """Open or build a model.

    Parameters
    ----------
    model
        Name of a reference model, a model file, or a path that an importer reads.
    given
        Arguments of the reference model.
    defaults
        The same, where none are given.
    simulation
        Fields of the simulation parameters to change; of an explicit instance, the duration alone.

    Raises
    ------
    UsageError, ModelError, FormatError
    """
    if model in registry.names("reference model"):
        return realize(_build(model, given, defaults, simulation))
    _refuse_arguments(model, given)
    path = _existing(model)
    if _is_model_file(path):
        return realize(with_simulation(read_network(path), model, **simulation))
    for name in ("seed", "dt"):
        if name in simulation:
            raise UsageError(f"--{name} cannot be changed in {model}: its synapses are drawn already")
    return with_simulation(import_path(path), model, **simulation)


def load_rules(model: str, given: Mapping[str, Any]) -> Network:
    """Build a reference model, or read the rules of a model file or beside an export.

    Raises
    ------
    UsageError, ModelError, FormatError
    """
    if model in registry.names("reference model"):
        return _build(model, given, {}, {})
    _refuse_arguments(model, given)
    path = _existing(model)
    if not _is_model_file(path):
        beside = (path if path.is_dir() else path.parent) / MODEL_FILE
        return read_network(beside) if beside.is_file() else _rules_read(path, model)
    return read_network(path)


def _rules_read(path: Path, model: str) -> Network:
    """Return the rules that an importer finds in the files themselves."""
    none = FormatError(f"{model}: has no rules to describe (no {MODEL_FILE} there)")
    try:
        importer = find_importer(path)
    except FormatError:
        raise none from None
    network = importer.read(path).network
    if network is None:
        raise none
    return network


M = TypeVar("M", Network, NetworkInstance)


def with_simulation(model: M, origin: str, **changes: Any) -> M:
    """Return a model with other simulation parameters, checked anew (delays against dt, for one).

    A duration that ends within the discarded start makes the whole of it count, with a warning.

    Raises
    ------
    ModelError
        With ``origin`` in front.
    """
    if not changes:
        return model
    if isinstance(model, NetworkInstance):
        _warn_of_silence(model, origin, changes.get("duration", 0.0))
    discard = model.simulation.discard
    if discard and 0 < changes.get("duration", math.inf) <= discard:
        changes["discard"] = 0.0
        warn_of_discard(origin, discard)
    try:
        simulation = _rebuilt(model.simulation, **changes)
        if isinstance(model, Network):
            return _rebuilt(model, simulation=simulation)
        network = model.network
        if network is not None:
            network = _rebuilt(network, simulation=_rebuilt(network.simulation, **changes))
    except ModelError as error:
        raise ModelError(f"{origin}: {str(error).removeprefix('Simulation: ').removeprefix('Network: ')}") from None
    return dataclasses.replace(model, simulation=simulation, network=network)


def _warn_of_silence(instance: NetworkInstance, origin: str, duration: float) -> None:
    """Tell of replayed Poisson sources that fall silent before the end: they were drawn for a shorter time."""
    end = instance.simulation.duration
    if instance.network is None or duration <= end:
        return
    endless = [
        p.name
        for p in instance.network.virtual_populations
        if isinstance(p.activity, PoissonActivity)
        and (p.activity.stop is None or p.activity.stop > end)
        and p.name in instance.populations
        and isinstance(instance.populations[p.name].activity, Trains)
    ]
    if endless:
        more = f" (and {len(endless) - 1} more)" if len(endless) > 1 else ""
        text = f"{origin}: the spikes of {endless[0]}{more} were frozen for {end:g} ms, after which there are none"
        warnings.warn(text, stacklevel=3)


def warn_of_discard(origin: str, discard: float) -> None:
    """Tell that a run ends within the start that was to be left out (ms)."""
    text = f"{origin} discards its first {discard:g} ms; with this duration nothing is discarded"
    warnings.warn(text, stacklevel=3)


S = TypeVar("S", Simulation, Network)


def _rebuilt(part: S, **changes: Any) -> S:
    """Construct a part anew: ``model_copy`` would not check."""
    return type(part)(**{name: getattr(part, name) for name in type(part).model_fields} | changes)


def _build(name: str, given: Mapping[str, Any], defaults: Mapping[str, Any], simulation: Mapping[str, Any]) -> Network:
    reference: ReferenceModel = registry.load("reference model", name)
    known = list(reference.Arguments.model_fields)
    for key in given:
        if key not in known:
            close = get_close_matches(key, known, n=1, cutoff=0.7)
            hint = f" (did you mean {close[0]}?)" if close else ""
            raise UsageError(f"{name} has no argument '{key}'{hint}; known: {', '.join(known)}")
    for key in simulation:
        if key in given:
            raise UsageError(f"{flag_name(key)} and --param {key}: {key} is given twice")
    arguments = {key: value for key, value in defaults.items() if key in known}
    if any(key in given for key in _SCALES):
        arguments = {key: value for key, value in arguments.items() if key not in _SCALES}
    arguments |= given
    arguments |= {key: value for key, value in simulation.items() if key in known}
    duration = arguments.get("duration")
    if "discard" in known and "discard" not in arguments and isinstance(duration, int | float):
        discard = reference.Arguments.model_fields["discard"].default
        if 0 < duration <= discard:
            arguments["discard"] = 0.0
            warn_of_discard(name, discard)
    network = build(name, **arguments)
    return with_simulation(network, name, **{key: value for key, value in simulation.items() if key not in known})


def existing_path(text: str) -> Path:
    """Return a path that must exist and be no more than that.

    Raises
    ------
    FormatError
    """
    path = Path(text)
    if not path.exists():
        if text in registry.names("reference model"):
            raise FormatError(f"{text}: a reference model, where a path is needed (mc-export {text} makes an export)")
        raise FormatError(f"{text}: no such file or directory")
    return path


def default_out(model: str, suffix: str) -> Path:
    """Return where a result goes unless told otherwise: ``NAME-SUFFIX``, in the current directory.

    NAME is that of the reference model, of the model file without its ending, or of the directory of an
    export, even if one of its files is given. What is made of an export in which the user is lies beside it.
    """
    if model in registry.names("reference model"):
        return Path(f"{model}-{suffix}")
    whole = Path(os.path.abspath(model))
    if whole.is_file() and not _is_model_file(whole):
        inside_export = whole.suffix == ".json" or (whole.parent / MANIFEST).is_file()
        whole = whole.parent if inside_export else whole
    out = Path(re.sub(r"[^\w.-]", "_", f"{whole.name if whole.is_dir() else whole.stem}-{suffix}"))
    return whole.parent / out if whole in (Path.cwd(), *Path.cwd().parents) else out


def _refuse_arguments(model: str, given: Mapping[str, Any]) -> None:
    if given:
        name = next(iter(given))
        flag = flag_name(name) if name in _SHORTHANDS else f"--param {name}"
        names = ", ".join(registry.names("reference model"))
        raise UsageError(f"{flag} is for reference models ({names}); {model} says for itself what it is")


def _existing(model: str) -> Path:
    path = Path(model)
    if not path.exists():
        names = ", ".join(registry.names("reference model"))
        raise UsageError(f"{model}: neither a file or directory nor a reference model ({names})")
    return path


def _is_model_file(path: Path) -> bool:
    return path.suffix in (".yaml", ".yml") and not path.is_dir()
