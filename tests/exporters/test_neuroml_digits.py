"""Decimals of many weights at a time are those of each."""

from __future__ import annotations

import numpy as np
import pytest

from mc_interchange.exporters.neuroml.connections import weight_texts
from mc_interchange.exporters.neuroml.digits import exact_texts
from mc_interchange.formats import neuroml as fmt


def drawn(mean: float, sd: float, n: int = 3000, bits: int = 20) -> np.ndarray:
    """Return float32 with some significant bits only."""
    values = np.random.default_rng(1).normal(mean, sd, n).astype(np.float32)
    return (values.view(np.uint32) & np.uint32(2**32 - 2 ** (24 - bits))).view(np.float32)


@pytest.mark.parametrize(("mean", "sd"), [(87.8, 8.8), (-351.0, 35.0), (5000.0, 300.0), (-1.0, 900.0), (2.0e6, 1e5)])
def test_together_as_one_by_one(mean: float, sd: float) -> None:
    weights = drawn(mean, sd)
    weights = weights[np.abs(weights) > 50]
    texts = exact_texts(weights)
    assert texts == [fmt.decimal(weight, -3) for weight in weights.tolist()]
    assert [float(text + "e3") for text in texts] == weights.tolist()


@pytest.mark.parametrize("values", [[0.0, -0.0, 64.0], [1e-20, 1.0], [3e38, 1.0], [1.0000001, 77.0]])
def test_what_does_not_fit_is_written_one_by_one(values: list[float]) -> None:
    weights = np.array(values, np.float32)
    found = exact_texts(weights)
    single = [fmt.decimal(weight, -3) for weight in weights.tolist()]
    assert found in (None, single)
    assert weight_texts(weights) == single
    assert (found is None) == (values[0] not in (0.0, -0.0))
