"""Memory follows from the size of a block, not of the network."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from mc_interchange.instance import EdgeBlock, Edges, Piece, map_blocks

CHILD = """
import sys
sys.path.insert(0, sys.argv[1])
from statistics_of_rules import network
from mc_interchange.instance import realize
from mc_interchange.network import FixedTotalNumber, TruncatedNormal
weight = TruncatedNormal(mean=87.8, sd=8.78, min=0.0)
delay = TruncatedNormal(mean=1.5, sd=0.75, min=0.05)

def peak():
    # not ru_maxrss, which a child inherits from its parent: this one begins anew with the program
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) / 2**10

before = peak()
instance = realize(network(FixedTotalNumber(number=20_000_000), 20_000, 20_000, weight=weight, delay=delay))
assert instance.digest(workers=2).edges["S -> T"].count == 20_000_000
print(peak() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the peak from /proc")
def test_twenty_million_synapses():
    """They would fill 320 MB; a block of 2**20 fills 17."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, Path(__file__).parent], check=True, capture_output=True, text=True
    )
    assert float(done.stdout) < 200


class Counted(Edges):
    """Small blocks without end (almost) that count how many of them were asked for."""

    def __init__(self) -> None:
        super().__init__("p", "A", "B", 1000, "none", np.dtype(np.float32))
        self.offered = 0
        self.called = 0

    def pieces(self, max_edges: int = 1) -> Iterator[Piece]:
        for _ in range(self.n_edges // max_edges):
            self.offered += 1
            yield self._piece

    def _piece(self) -> EdgeBlock:
        self.called += 1
        one = np.zeros(1, np.uint32)
        return EdgeBlock(one, one, np.zeros(1, np.float32), np.ones(1, np.int32))


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_no_more_blocks_than_workers_wait_for_a_slow_consumer(workers: int) -> None:
    edges = Counted()
    results = map_blocks(edges, len, max_edges=1, workers=workers)
    for consumed in range(1, 4):
        next(results)
        time.sleep(0.05)  # time enough to run ahead
        assert edges.called <= edges.offered <= workers + consumed
    results.close()
    time.sleep(0.05)
    assert edges.offered <= workers + 3


def test_an_interrupted_consumer_begins_nothing_new() -> None:
    edges, begun = Counted(), threading.Semaphore(0)
    done = []

    def slow(block: EdgeBlock) -> None:
        begun.release()
        time.sleep(0.5)
        done.append(block)

    def interrupt() -> None:
        for _ in range(2):
            begun.acquire()
        time.sleep(0.1)  # the third block waits by now
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        list(map_blocks(edges, slow, max_edges=1, workers=2))
    thread.join()
    assert (edges.offered, len(done)) == (3, 2)
