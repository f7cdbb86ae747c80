"""Compiling and loading the mechanisms of run.py."""

import os
import shutil
import subprocess
import sys
import sysconfig
from importlib.metadata import entry_points
from pathlib import Path

from neuron import h

PACKAGE = "mc_neurons"
FOLDER = Path(__file__).resolve().parent / "mechanisms"
MODS = FOLDER / PACKAGE / "mods"


def load(which, out):
    """Return a function that makes a point process of one of our mechanisms."""
    if which == "glia":
        return from_glia(out)
    if which == "nrnivmodl":
        compile_mechanisms(out / "mechanisms")
        which = out / "mechanisms"
    libraries = sorted(library for end in ("so", "dylib") for library in Path(which).glob(f"*/libnrnmech.{end}"))
    if not libraries:
        sys.exit(f"run.py: --mechanisms {which}: there is no */libnrnmech, which nrnivmodl makes")
    # NEURON loads what is in the working directory by itself, and nothing twice
    if not hasattr(h, f"glia__{PACKAGE}__poisson_input__0"):
        h.nrn_load_dll(str(libraries[0]))
    section = h.Section(name="neurons")
    return lambda asset: getattr(h, f"glia__{PACKAGE}__{asset}__0")(section(0.5))


def compile_mechanisms(directory):
    """Run nrnivmodl in a new directory: what an earlier run has left half made, it would take for finished."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    program = shutil.which("nrnivmodl", path=os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]]))
    if program is None:
        sys.exit("run.py: nrnivmodl, which comes with NEURON, is not to be found")
    done = subprocess.run([sys.executable, program, str(MODS)], cwd=directory, capture_output=True, text=True)
    if done.returncode:
        sys.stderr.write(done.stdout + done.stderr)
        sys.exit("run.py: nrnivmodl failed; it needs a C++ compiler and make")


def from_glia(out):
    """Compile and load all packages of Glia, in directories of their own.

    Where Glia has no directory for a "local" package, it installs one by itself, with an older Glia. And it calls
    nrnivmodl by its name only.
    """
    if not entry_points(group="glia.package", name=PACKAGE):
        sys.exit(f"run.py: --mechanisms glia: the package is not installed; pip install {FOLDER}")
    os.environ["XDG_DATA_HOME"], os.environ["XDG_CACHE_HOME"] = (str(out / "glia" / kind) for kind in ("data", "cache"))
    os.environ["PATH"] = os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]])
    import glia
    from glia._fs import get_local_pkg_path
    from patch import p

    os.makedirs(get_local_pkg_path(), exist_ok=True)
    for mod in glia.package(PACKAGE).mods:
        if mod.path.read_bytes() != (MODS / mod.path.name).read_bytes():
            sys.exit(f"run.py: --mechanisms glia: another version is installed; pip install {FOLDER}")
    section = p.Section(name="neurons")
    return lambda asset: glia.insert(section, asset, "0", PACKAGE).__neuron__()
