"""Build the network of model.py with PyNN and run it: python run.py --simulator nest|neuron|brian2 [--out DIRECTORY]

Writes SONATA's spikes.h5, and V_m.h5 where potentials are recorded. Needs PyNN 0.13, h5py and the simulator; NEURON a
C++ compiler, too.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.dont_write_bytecode = True  # nothing is written beside the circuit
from circuit import HERE
from model import (
    NEURONS,
    POISSON_INPUTS,
    POISSON_SOURCES,
    RECORD_SPIKES,
    RECORD_V_M,
    REPLAYED_SOURCES,
    STEP_CURRENTS,
)
from projections import connect
from pynn_backend import Backend
from sonata_output import write_potentials, write_spikes


def main() -> None:
    """Build the network, simulate, and write what was recorded."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulator", choices=("nest", "neuron", "brian2", "arbor"), default="nest")
    parser.add_argument("--out", type=Path, default=HERE / "output", help="directory for spikes.h5 and V_m.h5")
    parser.add_argument("--mechanisms", type=Path, help="directory that keeps what NEURON has compiled")
    parser.add_argument(
        "--codegen", choices=("numpy", "cython"), default="numpy", help="how Brian2 computes; cython compiles first"
    )
    arguments = parser.parse_args()
    sim = Backend(arguments.simulator, arguments.mechanisms, arguments.codegen)
    populations = {name: sim.neurons(name, **item) for name, item in NEURONS.items()}
    for name, item in POISSON_SOURCES.items():
        populations[name] = sim.poisson(name, **item)
    for name, size in REPLAYED_SOURCES.items():
        populations[name] = sim.replayed(name, size)
    connect(sim, populations)
    for name, item in POISSON_INPUTS.items():
        sim.poisson_input(name, populations[item["target"]], item)
    for item in STEP_CURRENTS.values():
        sim.inject(populations[item["target"]], item)
    sim.record(populations)
    sim.run()
    arguments.out.mkdir(parents=True, exist_ok=True)
    write_spikes(arguments.out / "spikes.h5", {name: sim.spikes(populations[name]) for name in RECORD_SPIKES})
    if RECORD_V_M:
        reports = {name: sim.potentials(populations[name], **item) for name, item in RECORD_V_M.items()}
        write_potentials(arguments.out / "V_m.h5", reports)
    sim.end()


if __name__ == "__main__":
    main()
