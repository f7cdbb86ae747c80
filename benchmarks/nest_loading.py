"""Loading an export into NEST against building the same model natively with ``microcircuit``.

    python benchmarks/nest_loading.py --scale 0.3

Same scale, same number of threads, one after the other in processes of their own, both until NEST is
prepared to simulate.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
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
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--directory", type=Path, help="where to write (default: a temporary directory)")
    arguments = parser.parse_args()
    directory = Path(tempfile.mkdtemp(dir=arguments.directory))
    print(f"PD14 at scale {arguments.scale:g} into NEST with {arguments.threads} threads; {measure.machine()}")
    try:
        out = directory / "export"
        measure.in_process("sonata_export", "write", scale=arguments.scale, index="none", out=str(out), workers=2)
        rows: dict[str, list[dict[str, Any]]] = {"microcircuit": [], "from SONATA": []}
        for _ in range(arguments.repeat):
            data = str(directory / "data")
            native = {"scale": arguments.scale, "threads": arguments.threads, "data": data}
            rows["microcircuit"].append(measure.in_process("nest_loading", "build_natively", **native))
            loaded = {"path": str(out), "threads": arguments.threads}
            rows["from SONATA"].append(measure.in_process("nest_loading", "load", **loaded))
        for label, found in rows.items():
            seconds = [row["seconds"] for row in found]
            speed = found[0]["edges"] / statistics.median(seconds) / 1e6
            times = " ".join(f"{value:.2f}" for value in seconds)
            memory = f"{found[0]['peak_MB']:.0f} MB"
            print(f"{label:>14}: {found[0]['edges']:,} connections, {times} s, {speed:.2f} M/s, {memory}")
        for name, title in (("seconds", "time"), ("peak_MB", "memory")):
            pairs = zip(rows["from SONATA"], rows["microcircuit"], strict=True)
            ratios = [a[name] / b[name] for a, b in pairs]
            print(f"ratio of {title}: median {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
    finally:
        shutil.rmtree(directory)


if __name__ == "__main__":
    main()
