"""The environment of the tests that need Brian2: it has Brian2, and an older numpy than all others may have."""

from __future__ import annotations

import numpy as np
import pytest

pytestmark = pytest.mark.brian2


def test_brian2_is_there_with_a_numpy_it_bears():
    import brian2

    assert tuple(map(int, brian2.__version__.split(".")[:2])) >= (2, 9)
    assert tuple(map(int, np.__version__.split(".")[:2])) < (2, 4)
