"""Memory follows from the size of a block, not of the network."""

import subprocess
import sys
from pathlib import Path

CHILD = """
import resource, sys
sys.path.insert(0, sys.argv[1])
from statistics_of_rules import network
from mc_interchange.instance import realize
from mc_interchange.network import FixedTotalNumber, TruncatedNormal
weight = TruncatedNormal(mean=87.8, sd=8.78, min=0.0)
delay = TruncatedNormal(mean=1.5, sd=0.75, min=0.05)

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)

before = peak()
instance = realize(network(FixedTotalNumber(number=20_000_000), 20_000, 20_000, weight=weight, delay=delay))
assert instance.digest(workers=2).edges["S -> T"].count == 20_000_000
print(peak() - before)
"""


def test_twenty_million_synapses():
    """They would fill 320 MB; a block of 2**20 fills 17."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, Path(__file__).parent], check=True, capture_output=True, text=True
    )
    assert float(done.stdout) < 200
