"""Loading an export into NEST against building the same model natively with ``microcircuit``.

    python benchmarks/nest_loading.py --scale 0.3

Same scale, same number of threads, one after the other in processes of their own, both until NEST is
prepared to simulate.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import measure


def load(path: str, threads: int) -> dict[str, Any]:
    from mc_interchange import open_model
    from mc_interchange.progress import Silent
    from mc_interchange.runners.nest.devices import connect_inputs
    from mc_interchange.runners.nest.kernel import reset
    from mc_interchange.runners.nest.network import connect_edges, create_nodes

    instance = open_model(path)
    nest = reset(instance.simulation, threads)
    start = time.perf_counter()
    populations = create_nodes(nest, instance)
    connect_edges(nest, instance, populations, Silent())
    connect_inputs(nest, instance.inputs, populations)
    nest.Prepare()
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "edges": nest.num_connections}


def build_natively(scale: float, threads: int, data: str) -> dict[str, Any]:
    from microcircuit.network import Network
    from microcircuit.network_params import default_net_dict
    from microcircuit.sim_params import default_sim_dict
    from microcircuit.stimulus_params import default_stim_dict

    network = Network(
        {**default_sim_dict, "data_path": f"{data}/", "local_num_threads": threads, "rec_dev": [], "print_time": False},
        {**default_net_dict, "N_scaling": scale, "K_scaling": scale, "bg_input_type": "poisson"},
        default_stim_dict,
    )
    import nest

    start = time.perf_counter()
    network.create()
    network.connect()
    return {"seconds": time.perf_counter() - start, "edges": nest.num_connections}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=0.3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--directory", type=Path, help="where to write (default: a temporary directory)")
    arguments = parser.parse_args()
    directory = Path(tempfile.mkdtemp(dir=arguments.directory))
    print(f"PD14 at scale {arguments.scale:g} into NEST with {arguments.threads} threads; {measure.machine()}")
    try:
        out = directory / "export"
        measure.in_process("sonata_export", "write", scale=arguments.scale, index="none", out=str(out), workers=2)
        native = measure.in_process(
            "nest_loading",
            "build_natively",
            scale=arguments.scale,
            threads=arguments.threads,
            data=str(directory / "data"),
        )
        loaded = measure.in_process("nest_loading", "load", path=str(out), threads=arguments.threads)
        for label, row in (("microcircuit", native), ("from SONATA", loaded)):
            speed = row["edges"] / row["seconds"] / 1e6
            size = f"{row['edges']:>12,} connections"
            print(f"{label:>14}: {size} {row['seconds']:>7.2f} s {speed:>6.2f} M/s {row['peak_MB']:>7.0f} MB")
        print(f"ratio of time: {loaded['seconds'] / native['seconds']:.2f}")
        print(f"ratio of memory: {loaded['peak_MB'] / native['peak_MB']:.2f}")
    finally:
        shutil.rmtree(directory)


if __name__ == "__main__":
    main()
