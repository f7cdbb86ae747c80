"""The compiler that EDEN calls: gcc, but the same file only once.

EDEN writes a file of C for each component, and the files of components that differ in their parameters alone, such as
hundreds of spike arrays, are the same. So they are compared before they are compiled.
"""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path

from mc_interchange.errors import SimulationError

__all__ = ["COMPILER", "compiling_once"]

#: EDEN calls the compiler by this name.
COMPILER = "gcc"
_SCRIPT = """#!/bin/sh
for word; do
  case $word in
    *.gen.so) made=$word ;;
    *.gen.c) source=$word ;;
  esac
done
if [ -z "$source" ] || [ -z "$made" ]; then exec {compiler} "$@"; fi
kept={kept}/$(cksum < "$source" | tr ' ' _)
if cmp -s "$source" "$kept.c"; then exec cp "$kept.so" "$made"; fi
{compiler} "$@" || exit
cp "$source" "$kept.c" && cp "$made" "$kept.so"
"""


def compiling_once(directory: Path) -> dict[str, str]:
    """Return an environment in which EDEN finds the compiler.

    Parameters
    ----------
    directory
        Made, for what is kept.

    Raises
    ------
    SimulationError
        There is no compiler.
    """
    compiler = shutil.which(COMPILER)
    if compiler is None:
        raise SimulationError(
            f"EDEN needs the C compiler {COMPILER}, which is not on the path: install it (on Debian: apt install gcc), "
            "or choose another simulator"
        )
    directory.mkdir()
    script = directory / COMPILER
    text = _SCRIPT.format(compiler=shlex.quote(compiler), kept=shlex.quote(str(directory.resolve())))
    script.write_text(text, encoding="utf-8")
    script.chmod(0o755)
    return {**os.environ, "PATH": f"{directory.resolve()}{os.pathsep}{os.environ['PATH']}"}
