"""What a format, a simulator and a reference model must provide.

Implementations are found through entry points (see :mod:`mc_interchange.registry`), so that another
package can add one. Each is a class without state; its ``Options`` are the flags of the command line.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, TypeVar

from .errors import InterchangeError, one_line
from .instance import EdgeDigest, NetworkInstance
from .network import Network
from .network.base import Part
from .processes import ALONE, Processes
from .progress import Progress, Silent
from .runs import Run

__all__ = [
    "Column",
    "ExportOptions",
    "Exporter",
    "FileRunner",
    "Finding",
    "Importer",
    "Loss",
    "ReferenceModel",
    "Runner",
    "Written",
]


class ExportOptions(Part):
    """Options of one exporter.

    Each field becomes a flag: its name with dashes, its type, its default, and as help text its
    description. Bool: a pair of flags; Literal: a choice.
    """


OptionsT = TypeVar("OptionsT", bound=ExportOptions)


@dataclass(frozen=True)
class Loss:
    """Something that a target format cannot hold as it is.

    Parameters
    ----------
    what
        The part of the model.
    how
        ``approximated``: the result differs in the way that ``detail`` says; ``beside``: the format's
        own files do not hold it, but the model file beside them does, and our own tools use it;
        ``dropped``: it is not in the export at all.
    detail
        How, or why.
    """

    what: str
    how: Literal["approximated", "beside", "dropped"]
    detail: str


@dataclass(frozen=True)
class Column:
    """A large dataset whose checksum was taken while it was written.

    Parameters
    ----------
    file
        Relative path.
    dataset
        Path in the file.
    dtype, n
        Type (numpy's name) and number of values.
    xxh3
        64-bit XXH3 checksum of the values' bytes, hexadecimal.
    """

    file: str
    dataset: str
    dtype: str
    n: int
    xxh3: str


@dataclass(frozen=True)
class Finding:
    """One thing that a check found.

    Parameters
    ----------
    level
        ``error``: it is damaged, or what reads it fails or understands something else; ``warning``: worth
        knowing.
    file
        Path relative to what is checked; ``.`` for the whole.
    place
        Where in the file: a path in HDF5 or JSON, a row of a table; empty: all of it.
    message
        What is wrong, in one line; of a consumer's needs, also why and what to do.
    """

    level: Literal["error", "warning"]
    file: str
    place: str
    message: str

    @property
    def where(self) -> str:
        """File and place in one."""
        return f"{self.file}:{self.place}" if self.place else self.file

    @classmethod
    def of(cls, error: Exception, directory: Path) -> Finding:
        """Make a finding of an exception whose message may begin with a path."""
        text = one_line(error) if isinstance(error, InterchangeError) else f"{type(error).__name__}: {one_line(error)}"
        head, colon, rest = text.partition(": ")
        if colon and Path(head).is_relative_to(directory):
            return cls("error", Path(head).relative_to(directory).as_posix(), "", rest)
        return cls("error", ".", "", f"cannot be opened: {text}")


@dataclass(frozen=True)
class Written:
    """What an exporter tells of its work.

    Parameters
    ----------
    edges
        Digests of the edges that were written, by ``"source -> target"``.
    columns
        Checksums of large datasets; their files get no checksum of their own.
    losses
        What only writing has shown, beside those that were named before.
    """

    edges: Mapping[str, EdgeDigest]
    columns: Sequence[Column] = field(default_factory=tuple)
    losses: Sequence[Loss] = field(default_factory=tuple)


class Exporter(ABC, Generic[OptionsT]):
    """Writes a NetworkInstance in one format.

    The docstring of an implementation has a section "Not representable" that agrees with
    :meth:`losses`.
    """

    #: Name on the command line.
    format: ClassVar[str]
    #: One line for help texts.
    title: ClassVar[str]
    #: Options of this format.
    Options: ClassVar[type[ExportOptions]] = ExportOptions
    #: Arguments of the reference model when the user gives none (such as a scale that this format bears).
    model_defaults: ClassVar[Mapping[str, Any]] = {}

    @abstractmethod
    def losses(self, instance: NetworkInstance, options: OptionsT) -> list[Loss]:
        """Name what the format cannot hold.

        Raises
        ------
        NotRepresentableError
            When no useful export is possible.
        """

    @abstractmethod
    def estimate(self, instance: NetworkInstance, options: OptionsT) -> int:
        """Return about how many bytes will be written."""

    @abstractmethod
    def write(
        self, instance: NetworkInstance, directory: Path, options: OptionsT, *, workers: int, progress: Progress
    ) -> Written:
        """Write all files of the format into an empty directory, streaming."""


class Importer(ABC):
    """Reads one format into a NetworkInstance."""

    #: Name of the format.
    format: ClassVar[str]
    #: One line for help texts.
    title: ClassVar[str]
    #: Tools that read the format and whose needs :meth:`check` knows.
    consumers: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def recognises(self, path: Path) -> bool:
        """Say, from names and first bytes, whether a path looks like this format."""

    @abstractmethod
    def read(self, path: Path) -> NetworkInstance:
        """Open a path; edges are read when their stream is.

        Raises
        ------
        FormatError
            With file, place and cause.
        """

    def check(
        self,
        path: Path,
        consumers: Collection[str] = (),  # noqa: ARG002
        *,
        progress: Progress = Silent(),  # noqa: ARG002, B008  # it has no state
    ) -> list[Finding]:
        """Look for all that is wrong with a path that is recognised; never raises because of what is in it.

        A format that has no check of its own is opened, which finds one thing at most.

        Parameters
        ----------
        consumers
            Some of :attr:`consumers`, whose needs are checked, too.
        """
        try:
            self.read(path)
        except Exception as error:  # whatever a damaged file makes a library raise, the answer is the same
            return [Finding.of(error, path)]
        return []


class ReferenceModel(ABC):
    """Builds a Network from a few documented arguments."""

    #: Name on the command line.
    name: ClassVar[str]
    #: One line for help texts.
    title: ClassVar[str]
    #: Arguments, with unit, symbol and meaning.
    Arguments: ClassVar[type[Part]]

    @abstractmethod
    def build(self, arguments: Any) -> Network:
        """Return the network for an object of :attr:`Arguments`."""


class Runner(ABC):
    """Simulates a NetworkInstance, or builds a Network natively."""

    #: Name on the command line.
    name: ClassVar[str]
    #: One line for help texts.
    title: ClassVar[str]
    #: Whether several processes can run one simulation together.
    parallel: ClassVar[bool] = False

    @abstractmethod
    def run(
        self,
        instance: NetworkInstance,
        *,
        native: bool = False,
        threads: int | None = None,
        source_digest: str | None = None,
        progress: Progress | None = None,
        processes: Processes = ALONE,
    ) -> Run:
        """Simulate as ``instance.simulation`` says (its duration, seed and recordings).

        Parameters
        ----------
        native
            Build ``instance.network`` by the simulator's own rules instead of the explicit synapses.
        threads
            None: from the simulation parameters, else from the size of the network.
        source_digest
            Digest of the instance where it is known already (from its manifest).
        processes
            Those that run this together, where ``parallel``. Each returns the run with what its own neurons did
            (:func:`mc_interchange.runs.join_runs` puts them together).

        Raises
        ------
        SimulationError
        """


class FileRunner(ABC):
    """Simulates the files of one format with a tool that reads them.

    Registered like a :class:`Runner`. What is not in its format is exported first.
    """

    #: Name on the command line.
    name: ClassVar[str]
    #: One line for help texts.
    title: ClassVar[str]
    #: Format of the files: the name of an exporter and of an importer.
    format: ClassVar[str]
    #: Options of the exporter when it has to write the files.
    export_options: ClassVar[Mapping[str, Any]] = {}

    def draws(self, path: Path) -> bool:  # noqa: ARG002
        """Say whether the files at ``path`` make the tool draw synapses of its own, so that a run has no digest."""
        return False

    def check(self) -> None:
        """Refuse what needs no files to be seen, before files are written for the tool; by default nothing.

        Raises
        ------
        MissingDependencyError
            The tool is not installed.
        """
        return

    @abstractmethod
    def run_files(self, path: Path, scratch: Path, *, threads: int | None, progress: Progress) -> Run:
        """Simulate what the files say.

        Parameters
        ----------
        path
            The directory of an export, or the file in it that starts a simulation; nothing is written there.
        scratch
            An empty directory to work in.
        threads
            None: what the tool takes by itself.

        Returns
        -------
        Run
            Model and discarded start as far as the files tell, and no digest: who calls knows more.

        Raises
        ------
        SimulationError, NotRepresentableError, FormatError, MissingDependencyError
            The run failed; or the tool cannot simulate this as it is: the message names what, and what to do.
        """
