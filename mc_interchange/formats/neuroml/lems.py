"""What a LEMS file asks for: resolution, duration, seed, and the files that a run leaves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from lxml import etree

from mc_interchange.errors import FormatError, one_line

from .names import LEMS_PREFIX
from .numbers import time_in_ms

__all__ = ["EventFile", "LemsFile", "StateFile", "find_lems", "read_lems"]

#: A LEMS file names every recorded cell: 100 bytes for each of a million cells.
_MAX_BYTES = 200_000_000
#: Steps of a simulation at most: simulators count them in 31 bits.
MAX_STEPS = 2**31 - 1
#: Attributes of a Target that name files to be written.
_REPORTS = ("reportFile", "timesFile")


@dataclass(frozen=True)
class EventFile:
    """One file of spikes.

    Parameters
    ----------
    id, file
        Identifier, and path relative to the LEMS file.
    format
        ``ID_TIME`` or ``TIME_ID``.
    selections
        Path of the cell by the identifier that stands in the file.
    """

    id: str
    file: str
    format: str
    selections: dict[str, str]


@dataclass(frozen=True)
class StateFile:
    """One file of sampled quantities: time, then a column each.

    Parameters
    ----------
    id, file
        Identifier, and path relative to the LEMS file.
    columns
        Identifier and quantity (a path that ends in ``/v``, for example) of each column behind the time.
    """

    id: str
    file: str
    columns: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class LemsFile:
    """A LEMS file with a simulation in it.

    Parameters
    ----------
    path
        The file.
    target
        Identifier of the network.
    dt, duration
        In ms.
    seed
        Of the simulator's random numbers; None where it says nothing.
    includes
        Files that it includes, as written.
    events, states
        What it records.
    reports
        Files that it wants written about the run itself.
    """

    path: Path
    target: str
    dt: float
    duration: float
    seed: int | None
    includes: tuple[str, ...]
    events: tuple[EventFile, ...]
    states: tuple[StateFile, ...]
    reports: tuple[str, ...] = ()


def find_lems(directory: Path) -> Path | None:
    """Return the LEMS file of a directory; None where there is none.

    Raises
    ------
    FormatError
        There are several.
    """
    found = sorted(directory.glob(f"{LEMS_PREFIX}*.xml"))
    if len(found) > 1:
        names = ", ".join(path.name for path in found[:4])
        raise FormatError(f"{directory}: there are several LEMS files ({names}); name one of them")
    return found[0] if found else None


def read_lems(path: Path) -> LemsFile:
    """Read a LEMS file; what it includes is not opened.

    Raises
    ------
    FormatError
    """
    root = _parse(path)
    target = root.find("{*}Target")
    simulations = {s.get("id"): s for s in root.iterfind("{*}Simulation")}
    wanted = target.get("component") if target is not None else next(iter(simulations), None)
    simulation = simulations.get(wanted)
    if simulation is None:
        raise FormatError(f"{path}: there is no Simulation with the id {wanted!r} (the component of Target)")
    dt, duration = _time(path, simulation, "step"), _time(path, simulation, "length")
    if duration / dt > MAX_STEPS:
        raise FormatError(f"{path}: {duration:g} ms are more than {MAX_STEPS} steps of {dt:g} ms")
    return LemsFile(
        path,
        target=_required(path, simulation, "target"),
        dt=dt,
        duration=duration,
        seed=_seed(path, simulation),
        includes=tuple(_required(path, item, "file") for item in root.iterfind("{*}Include")),
        events=tuple(_event_file(path, item) for item in simulation.iterfind("{*}EventOutputFile")),
        states=tuple(_state_file(path, item) for item in simulation.iterfind("{*}OutputFile")),
        reports=tuple(target.get(name, "") for name in _REPORTS if target.get(name)) if target is not None else (),
    )


def _parse(path: Path) -> etree._Element:
    # nothing outside the file is read, and nothing in it can grow
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        size = path.stat().st_size
        if size > _MAX_BYTES:
            raise FormatError(f"{path}: {size} bytes are more than a LEMS file may have ({_MAX_BYTES})")
        root = etree.parse(path, parser).getroot()
    except OSError as error:
        raise FormatError(f"{path}: cannot be read ({error.strerror or one_line(error)})") from None
    except etree.XMLSyntaxError as error:
        raise FormatError(f"{path}: not XML ({one_line(error)})") from None
    if etree.QName(root).localname != "Lems":
        raise FormatError(f"{path}: not a LEMS file (its root is {etree.QName(root).localname})")
    return root


def _event_file(path: Path, item: etree._Element) -> EventFile:
    selections = {
        _required(path, selection, "id"): _required(path, selection, "select")
        for selection in item.iterfind("{*}EventSelection")
    }
    format = item.get("format", "ID_TIME")
    if format not in ("ID_TIME", "TIME_ID"):
        raise FormatError(f"{path}:{item.sourceline}: format must be ID_TIME or TIME_ID, got {format!r:.40}")
    return EventFile(_required(path, item, "id"), _file(path, item), format, selections)


def _state_file(path: Path, item: etree._Element) -> StateFile:
    columns = tuple(
        (_required(path, column, "id"), _required(path, column, "quantity"))
        for column in item.iterfind("{*}OutputColumn")
    )
    return StateFile(_required(path, item, "id"), _file(path, item), columns)


def _file(path: Path, item: etree._Element) -> str:
    return str(PurePosixPath(item.get("path", ""), _required(path, item, "fileName")))


def _required(path: Path, item: etree._Element, name: str) -> str:
    value = item.get(name)
    if value is None:
        raise FormatError(f"{path}:{item.sourceline}: {etree.QName(item).localname} has no attribute '{name}'")
    return str(value)


def _time(path: Path, item: etree._Element, name: str) -> float:
    try:
        value = time_in_ms(_required(path, item, name))
    except ValueError as error:
        raise FormatError(f"{path}:{item.sourceline}: {name} {error}") from None
    if value <= 0:
        raise FormatError(f"{path}:{item.sourceline}: {name} must be more than 0ms, got {item.get(name)}")
    return value


def _seed(path: Path, item: etree._Element) -> int | None:
    text = item.get("seed")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()):
        raise FormatError(f"{path}:{item.sourceline}: seed must be a whole number, got {text!r:.40}")
    return int(text)
