"""The instructions that numpy picks on this processor have no influence."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

try:
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__
except ImportError:  # numpy before 2
    from numpy.core._multiarray_umath import __cpu_dispatch__, __cpu_features__

DISPATCHED = [name for name in __cpu_dispatch__ if __cpu_features__.get(name)]


@pytest.mark.skipif(not DISPATCHED, reason="numpy has nothing to choose from on this processor")
def test_golden_without_vector_instructions():
    golden = Path(__file__).with_name("test_golden.py")
    environment = {**os.environ, "NPY_DISABLE_CPU_FEATURES": " ".join(DISPATCHED)}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider", golden],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
