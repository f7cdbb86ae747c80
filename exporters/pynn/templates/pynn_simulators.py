"""What single simulators have to be told, and what PyNN makes something else of for them."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import numpy as np
from model import NEURONS, TIMESTEP
from pyNN.random import RandomDistribution


def refuse_arbor() -> None:
    """Say why Arbor cannot run this, as long as PyNN has no point neurons for it."""
    folder = Path(importlib.import_module("pyNN").__file__).parent / "arbor"
    text = (folder / "standardmodels.py").read_text()
    missing = sorted({n["cell_type"] for n in NEURONS.values() if f"class {n['cell_type']}(" not in text})
    if missing:
        sys.exit(f"pyNN.arbor has no {', '.join(missing)}: it has neurons of several compartments only")


def compile_mechanisms(directory: Path | None) -> None:
    """Compile PyNN's mechanisms for NEURON and load them.

    PyNN does it by itself when it is imported, but among its own files, and only with nrnivmodl on the path.
    """
    neuron = importlib.import_module("neuron")
    source = Path(importlib.import_module("pyNN").__file__).parent / "neuron" / "nmodl"
    if any(source.glob("*/*nrnmech*")) or any(source.glob("*/.libs/*nrnmech*")):
        return  # PyNN finds what it has compiled
    temporary = None
    if directory is None:
        temporary = tempfile.TemporaryDirectory(prefix="pynn-neuron-")
        directory = Path(temporary.name)
    if not any(directory.glob("*/*nrnmech*")):
        directory.mkdir(parents=True, exist_ok=True)
        places = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")])
        nrnivmodl = shutil.which("nrnivmodl", path=places)
        if nrnivmodl is None:
            sys.exit("pyNN.neuron needs nrnivmodl, which comes with NEURON, and a C++ compiler")
        found = subprocess.run([nrnivmodl, str(source)], cwd=directory, capture_output=True, text=True)
        if found.returncode:
            sys.exit(f"nrnivmodl cannot compile PyNN's mechanisms: {(found.stderr or found.stdout).strip()[-300:]}")
    neuron.load_mechanisms(str(directory.resolve()))
    # now PyNN does not compile them again
    neuron.nrn_dll_loaded.append(str(source))
    if temporary is not None:
        temporary.cleanup()


def check_plasticity(simulator: str, name: str, plasticity: dict) -> None:
    """Refuse synapses of which PyNN makes something else for a simulator."""
    kind = plasticity["synapse"]
    if simulator == "brian2" and kind == "TsodyksMarkramSynapse":
        sys.exit(f"{name}: pyNN.brian2's {kind} lets resources recover with tau_syn instead of tau_rec; use nest")
    if simulator == "brian2":
        sys.exit(f"{name}: pyNN.brian2 has no dendritic delays for {kind}, and these are all dendritic; use nest")
    if simulator == "neuron" and kind == "STDPMechanism":
        sys.exit(
            f"{name}: pyNN.neuron adds up what spikes of the target do until the next spike of the source, with the "
            f"weight and the bounds of that time only, which is another {kind}; use nest"
        )


def check_brian2(name: str, cell_type: str, parameters: dict) -> None:
    """Refuse what PyNN makes something else of for Brian2."""
    if cell_type == "IF_curr_alpha" and np.any(parameters["tau_syn_E"] != parameters["tau_syn_I"]):
        sys.exit(f"{name}: pyNN.brian2 gives inhibitory synapses of IF_curr_alpha the time constant tau_syn_E")
    if cell_type in ("IF_curr_exp", "IF_curr_alpha"):
        for key in ("tau_syn_E", "tau_syn_I"):
            if np.any(parameters[key] == parameters["tau_m"]):
                sys.exit(
                    f"{name}: Brian2's exact integration divides by tau_m - {key}, which is 0; change one a little"
                )
    if cell_type.startswith("EIF_"):
        sys.exit(f"{name}: pyNN.brian2 detects the spikes of {cell_type} below v_spike and loses most; use nest")
    if cell_type == "Izhikevich":
        for key in ("c", "d"):
            if np.size(parameters[key]) > 1:
                sys.exit(f"{name}: pyNN.brian2 gives all neurons of an Izhikevich population the first {key}")


def draw(value, size: int) -> np.ndarray:
    """Return the initial value of each neuron."""
    return value.next(size) if isinstance(value, RandomDistribution) else np.broadcast_to(value, size)


def fires_at_once(parameters: dict, potential: np.ndarray, size: int) -> np.ndarray:
    """Say which neurons are still above threshold after the first step, without input."""
    decay = np.exp(-TIMESTEP / parameters["tau_m"])
    rest = parameters["v_rest"] + parameters["i_offset"] * parameters["tau_m"] / parameters["cm"]
    return np.broadcast_to(rest + (potential - rest) * decay >= parameters["v_thresh"], size)


def matched(parameters: dict) -> tuple[dict, dict]:
    """Return parameters, and factors of the weights, with which a step of NEURON's implicit Euler is NEST's exact one.

    Both steps are linear: with h the resolution, NEST's potential relative to rest becomes P22 V + P21 I_syn + P20 I_e
    (Rotter & Diesmann 1999), NEURON's (V + h/C (I_syn + I_e)) / (1 + h/tau_m).
    """
    h, tau_m, C = TIMESTEP, parameters["tau_m"], parameters["cm"]
    P22 = np.exp(-h / tau_m)
    P20 = tau_m / C * (1 - P22)
    theirs = h / C * P22
    changed = {"tau_m": h / (1 / P22 - 1), "i_offset": parameters["i_offset"] * P20 / theirs}
    factors = {"current": P20 / theirs}
    for receptor, key in (("excitatory", "tau_syn_E"), ("inhibitory", "tau_syn_I")):
        rates = 1 / parameters[key] - 1 / tau_m
        with np.errstate(invalid="ignore"):
            P21 = np.where(rates == 0, h / C * P22, (P22 - np.exp(-h / parameters[key])) / (C * rates))
        factors[receptor] = P21 / theirs
    return {**parameters, **changed}, factors
