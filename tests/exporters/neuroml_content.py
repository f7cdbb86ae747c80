"""What stands in a network file of NeuroML, read with nothing but lxml and h5py."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from lxml import etree

from mc_interchange.formats import neuroml as fmt
from mc_interchange.formats.neuroml import hdf5 as layout

NML = f"{{{fmt.NAMESPACE}}}"


@dataclass
class Content:
    """Populations in order, projections and inputs by identifier; weights in pA, delays in steps."""

    heading: tuple[str, str, str, str] = ("", "", "", "")
    properties: dict[str, str] = field(default_factory=dict)
    populations: dict[str, Any] = field(default_factory=dict)
    projections: dict[str, Any] = field(default_factory=dict)
    inputs: dict[str, Any] = field(default_factory=dict)


def cell(path: str) -> int:
    """Return the index in ``../A/3/A_cell`` or ``../A[3]``."""
    found = re.fullmatch(r"\.\./\w+(?:/(\d+)/\w+|\[(\d+)\])", path)
    assert found is not None, path
    return int(found[1] or found[2])


def of_xml(path: Path, dt: float) -> Content:
    root = etree.parse(path).getroot()
    network = root.find(f"{NML}network")
    include = root.find(f"{NML}include").get("href")
    content = Content((root.get("id"), network.get("id"), network.find(f"{NML}notes").text, include))
    content.properties = _tagged(network)
    for item in network.findall(f"{NML}population"):
        places = [tuple(float(p[0].get(axis)) for axis in "xyz") for p in item.findall(f"{NML}instance")]
        assert len(places) in (0, int(item.get("size")))
        assert (item.get("type") == "populationList") == bool(places)
        content.populations[item.get("id")] = _population(item.get("component"), int(item.get("size")), places, item)
    for item in network.findall(f"{NML}projection"):
        ends = item.get("presynapticPopulation"), item.get("postsynapticPopulation"), item.get("synapse")
        rows = [
            (
                cell(c.get("preCellId")),
                cell(c.get("postCellId")),
                fmt.picoamperes(c.get("weight")),
                round(float(c.get("delay").removesuffix("ms")) / dt, 9),
            )
            for c in item
        ]
        content.projections[item.get("id")] = (ends, rows)
    for item in network.findall(f"{NML}inputList"):
        rows = [(cell(i.get("target")), fmt.picoamperes(i.get("weight", "0.001"))) for i in item]
        content.inputs[item.get("id")] = ((item.get("component"), item.get("population")), rows)
    return content


def of_hdf5(path: Path, dt: float) -> Content:
    with h5py.File(path) as file:
        root = file[layout.ROOT]
        network = root[layout.NETWORK]
        document = etree.fromstring(root.attrs[layout.TOP_LEVEL].encode())
        assert document.get("id") == root.attrs["id"]
        include = document.find(f"{NML}include").get("href")
        content = Content((root.attrs["id"], network.attrs["id"], network.attrs["notes"], include))
        content.properties = _tagged(network)
        for key, group in network.items():
            name, about = group.attrs["id"], group.attrs
            values = _values(group[name]) if name in group else None
            if key.startswith(layout.POPULATION):
                places = np.stack([layout.shortest(values[axis]) for axis in layout.LOCATIONS], axis=1).tolist()
                assert len(places) == about["size"]
                places = [tuple(place) for place in places]
                content.populations[name] = _population(about["component"], int(about["size"]), places, group)
            elif key.startswith(layout.PROJECTION):
                ends = about["presynapticPopulation"], about["postsynapticPopulation"], about["synapse"]
                pre, post = (values[c].astype(int).tolist() for c in layout.CONNECTIONS[:2])
                delay = np.round(layout.shortest(values["delay"]) / dt, 9).tolist()
                rows = list(zip(pre, post, _weights(group[name], values), delay, strict=True))
                content.projections[name] = (ends, rows)
            else:
                assert key.startswith(layout.INPUT_LIST)
                targets = values["target_cell_id"].astype(int).tolist()
                assert values["id"].tolist() == list(range(len(targets)))
                content.inputs[name] = (
                    (about["component"], about["population"]),
                    list(zip(targets, _weights(group[name], values), strict=True)),
                )
    return content


def _values(dataset: h5py.Dataset) -> dict[str, Any]:
    assert dataset.dtype == np.float32
    rows = dataset[()]
    return {dataset.attrs[f"{layout.COLUMN}{index}"]: rows[:, index] for index in range(rows.shape[1])}


def _weights(dataset: h5py.Dataset, values: dict[str, Any]) -> list[float]:
    n = dataset.shape[0]
    if "weight" not in values:
        return [1.0] * n
    if layout.CONSTANT_WEIGHT in dataset.attrs:
        return [fmt.picoamperes(dataset.attrs[layout.CONSTANT_WEIGHT])] * n
    return layout.from_single(values["weight"]).tolist()


def _tagged(item: Any) -> dict[str, str]:
    if isinstance(item, h5py.Group):
        start = len(layout.PROPERTY)
        return {key[start:]: value for key, value in item.attrs.items() if key.startswith(layout.PROPERTY)}
    return {p.get("tag"): p.get("value") for p in item.findall(f"{NML}property")}


def _population(component: str, size: int, places: list[Any], item: Any) -> tuple[Any, ...]:
    """Return a population, with no places where they mean nothing."""
    properties = _tagged(item)
    tag, value = fmt.NO_POSITIONS
    if properties.pop(tag, None) == value:
        assert set(places) == {(0.0, 0.0, 0.0)}
        places = []
    return component, size, places, properties
