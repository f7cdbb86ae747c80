"""What all command line tools share: how they end, how they speak, and how their help looks.

Every tool is a :class:`Tool`. Its function returns nothing (fine) or an exit code; whatever goes wrong
becomes one line on standard error:

==== ==============================================================
0    fine
1    the answer is no (they differ, the export was changed)
2    wrong use or bad input
130  interrupted by Ctrl-C (129, 143: hang-up and termination)
3    a defect of mc-interchange; keeps its traceback
==== ==============================================================

The result goes to standard output, everything else to standard error.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import click

from mc_interchange._version import __version__
from mc_interchange.contracts import Loss
from mc_interchange.errors import InterchangeError, one_line

__all__ = ["Terminal", "Tool", "tell_losses"]

NO, WRONG, DEFECT = 1, 2, 3
#: Exit codes of programs that a signal ended are 128 and its number.
INTERRUPTED, BROKEN_PIPE = 128 + signal.SIGINT, 128 + signal.SIGPIPE
_STOPPING = {128 + signal.SIGTERM: "terminated", 128 + signal.SIGHUP: "hung up"}


@dataclass(frozen=True)
class Terminal:
    """Where a tool speaks.

    Parameters
    ----------
    quiet
        Leave out all but the result (errors come as exceptions).
    json
        The result is one JSON document instead of text.
    """

    quiet: bool = False
    json: bool = False

    def note(self, text: str) -> None:
        """Say something beside the result, on standard error."""
        if not self.quiet:
            click.echo(text, err=True)

    def result(self, text: str, document: Any) -> None:
        """Give the result on standard output: ``text``, or ``document`` with ``--json``."""
        click.echo(json.dumps(document, indent=1) if self.json else text)


class Tool(click.Command):
    """A command whose errors are one line, with examples at the end of its help.

    Parameters
    ----------
    examples
        Command lines.
    """

    def __init__(self, *args: Any, examples: Sequence[str] = (), **attributes: Any) -> None:
        attributes.setdefault("context_settings", {"help_option_names": ["-h", "--help"], "max_content_width": 100})
        super().__init__(*args, **attributes)
        self.examples = tuple(examples)
        version = click.version_option(__version__, "--version", prog_name=self.name, message="%(prog)s %(version)s")
        version(self)

    def main(self, args: Sequence[str] | None = None, *rest: Any, **extra: Any) -> NoReturn:
        """Run with the arguments (of the process, unless given) and exit."""
        name = str(self.name)
        for stream in ("stdout", "stderr"):  # None if it was closed; and its number must not go to another file
            if getattr(sys, stream) is None:
                setattr(sys, stream, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        if f"_{name.replace('-', '_').upper()}_COMPLETE" in os.environ:  # a shell asks for completions
            super().main(args, name, *rest[1:], **{k: v for k, v in extra.items() if k != "prog_name"})
        if args is not None:
            sys.exit(_guarded(name, lambda: self._run(name, list(args))))
        with _lost_errors():
            code = _guarded(name, lambda: self._run(name, sys.argv[1:]))
            if code == WRONG:  # after a failed write (a full disk), HDF5 would try again at exit and crash
                _leave(code)
        sys.exit(code)

    def _run(self, name: str, arguments: list[str]) -> int:
        with self.make_context(name, arguments) as context:
            quiet = bool(context.params.get("quiet"))
            with _warnings_as_lines(name, quiet):
                code = self.invoke(context)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        super().format_epilog(ctx, formatter)
        if self.examples:
            with formatter.section("Examples"):
                for line in self.examples:
                    formatter.write(f"{'':{formatter.current_indent}}{line}\n")


def _guarded(name: str, work: Callable[[], int]) -> int:
    """Do the work; turn whatever ends it into one line and an exit code."""
    try:
        with _signals_unwind():
            return work()
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        return _fail(name, f"{_plain(error.format_message())} (see {name} --help)", WRONG)
    except InterchangeError as error:
        return _fail(name, one_line(error), WRONG)
    except (KeyboardInterrupt, click.Abort):
        return _fail(name, "interrupted", INTERRUPTED)
    except SystemExit as stop:
        if stop.code in _STOPPING:
            return _fail(name, _STOPPING[stop.code], stop.code)
        raise
    except BrokenPipeError:
        with suppress(OSError, ValueError):  # what is still buffered has no reader: let it go
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _fail(name, f"{where}{one_line(error.strerror or str(error))}", WRONG)
    except MemoryError as error:
        return _fail(name, f"not enough memory: {one_line(str(error) or 'try a smaller scale')}", WRONG)
    except Exception:
        traceback.print_exc()
        return _fail(name, "this is a defect of mc-interchange; please report it with the lines above", DEFECT)


def _leave(code: int) -> NoReturn:
    """End the process without the clean-up of its libraries."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


@contextmanager
def _lost_errors() -> Iterator[None]:
    """See to exceptions that Python cannot raise, as they come up in a callback of the garbage collector.

    What h5py says when objects of a file that could not be written are deleted is left out: the failed write
    itself is an exception and has its line. A signal that was lost there is sent again.
    """
    except_hook, unraisable_hook = sys.excepthook, sys.unraisablehook

    def is_echo(error: object) -> bool:
        return isinstance(error, RuntimeError) and "Can't decrement id ref count" in str(error)

    def take(event: Any) -> None:
        number = _signal_of(event.exc_value)
        if number is not None:  # a little later, when the callback is over; to the main thread, to wake it
            again = threading.Timer(0.01, signal.pthread_kill, [threading.main_thread().ident, number])
            again.daemon = True
            again.start()
        elif not is_echo(event.exc_value):
            unraisable_hook(event)

    sys.excepthook = lambda kind, error, trace: None if is_echo(error) else except_hook(kind, error, trace)
    sys.unraisablehook = take
    try:
        yield
    finally:
        sys.excepthook, sys.unraisablehook = except_hook, unraisable_hook


def _signal_of(error: object) -> int | None:
    """Return the signal whose handler raised an error."""
    if isinstance(error, KeyboardInterrupt):
        return signal.SIGINT
    if isinstance(error, SystemExit) and error.code in _STOPPING:
        return int(error.code) - 128
    return None


def _fail(name: str, message: str, code: int) -> int:
    with suppress(OSError):
        click.echo(f"{name}: error: {message}", err=True)
    return code


def _plain(message: str) -> str:
    text = one_line(message).rstrip(".")
    return text[:1].lower() + text[1:]


@contextmanager
def _warnings_as_lines(name: str, quiet: bool) -> Iterator[None]:
    """Show each warning once, as one line without the place in the code."""

    def show(message: Warning | str, *_place: Any, **_more: Any) -> None:
        if not quiet:
            click.echo(f"{name}: warning: {one_line(str(message))}", err=True)

    with warnings.catch_warnings():
        warnings.simplefilter("default", UserWarning)
        warnings.showwarning = show
        yield


@contextmanager
def _signals_unwind() -> Iterator[None]:
    """Let termination and hang-up unwind the stack as Ctrl-C does, so that cleaning up happens."""

    def stop(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [n for n in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) is signal.SIG_DFL]
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def tell_losses(terminal: Terminal, format: str, losses: Sequence[Loss], report: Path | None = None) -> None:
    """Print what a format does not hold, alike things in one line."""
    if not losses:
        terminal.note(f"{format} holds this model exactly")
        return
    also = f" (also in {report})" if report else ""
    terminal.note(f"What {format} does not hold as it is{also}:")
    alike: dict[tuple[str, str], list[str]] = {}
    for loss in losses:
        alike.setdefault((loss.how, loss.detail), []).append(loss.what)
    for (how, detail), parts in alike.items():
        more = f" (and {len(parts) - 1} more)" if len(parts) > 1 else ""
        terminal.note(f"  {parts[0]}{more}: {how}, {detail}")
