"""HDF5 exports in jNeuroML: jLEMS does with them what it does with the XML of the same network."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_jneuroml import DT, neuron, pynml, recurrent, spikes

from mc_interchange.export import export
from mc_interchange.exporters.neuroml.exporter import NeuroMLOptions
from mc_interchange.instance import NetworkInstance, realize
from mc_interchange.network import (
    FixedTotalNumber,
    Network,
    Normal,
    OneToOne,
    Population,
    Projection,
    Simulation,
    Slab,
    SpikeTrains,
    StepCurrent,
    Uniform,
    VirtualPopulation,
)


def every_part() -> Network:
    """Return a network of what the two encodings write differently, driven by constant current and spikes."""
    column = Slab(width=100.0, depth_top=0.0, depth_bottom=100.0)
    times = ((5.0, 5.0, 5.0, 12.3), (), (7.7, 20.0), (20.0, 20.0))
    return Network(
        name="every",
        # text of some length, and of all kinds
        description='a < b & "c" > d\x01, é\n' + "words " * 20_000,
        populations=(
            Population(
                name="Z",
                size=20,
                neuron=neuron(I_e=420.0, tau_syn_in=2.0),
                initial_V_m=Normal(mean=-58.0, sd=4.0),
                geometry=column,
                color="#ff8000",
            ),
            Population(name="B", size=4, neuron=neuron(I_e=300.0)),
            VirtualPopulation(name="T", size=4, activity=SpikeTrains(times=times)),
        ),
        projections=(
            Projection(
                source="Z",
                target="Z",
                rule=FixedTotalNumber(number=80),
                weight=Uniform(low=-90, high=90),
                delay=Uniform(low=0.1, high=3.0),
            ),
            Projection(source="Z", target="B", rule=FixedTotalNumber(number=20), weight=87.81, delay=1.5),
            Projection(source="T", target="B", rule=OneToOne(), weight=2000.0, delay=0.7),
        ),
        inputs=(StepCurrent(name="step", target="B", amplitude=100.0, start=20.0, stop=60.0, delay=1.0),),
        simulation=Simulation(dt=DT, duration=100.0),
    )


@pytest.mark.parametrize(("network", "least"), [(every_part(), 50), (recurrent(), 500)], ids=["every", "recurrent"])
def test_jlems_gives_the_same_spikes(tmp_path: Path, network: Network, least: int) -> None:
    instance: NetworkInstance = realize(network)
    found = {}
    for encoding in ("xml", "hdf5"):
        path = export(instance, "neuroml", tmp_path / encoding, NeuroMLOptions(encoding=encoding)).path
        pynml(path, f"LEMS_{instance.name}.xml", "-nogui", "-java_max_memory", "1G")
        found[encoding] = {name: spikes(path, instance, name) for name in instance.populations}
    assert found["hdf5"] == found["xml"]
    assert sum(map(len, found["xml"].values())) > least
    assert all(found["xml"].values())


def test_jlems_reads_the_weights_and_delays(tmp_path: Path) -> None:
    """A change of one weight in the file is a change of the spikes: they are not read from elsewhere."""
    import h5py

    instance = realize(every_part())
    path = export(instance, "neuroml", tmp_path / "hdf5", NeuroMLOptions(encoding="hdf5")).path
    pynml(path, "LEMS_every.xml", "-nogui", "-java_max_memory", "1G")
    before = spikes(path, instance, "B")
    for column, value in ((2, 0.0), (3, 9.0)):
        with h5py.File(path / "every.net.nml.h5", "r+") as file:
            rows = file["neuroml/network/projection_T_to_B_from_2/T_to_B_from_2"]
            kept = rows[0, column]
            rows[0, column] = value
        pynml(path, "LEMS_every.xml", "-nogui", "-java_max_memory", "1G")
        assert spikes(path, instance, "B") != before
        with h5py.File(path / "every.net.nml.h5", "r+") as file:
            file["neuroml/network/projection_T_to_B_from_2/T_to_B_from_2"][0, column] = kept
