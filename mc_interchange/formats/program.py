"""Exports that are a program for one simulator, with a SONATA circuit as its data.

The program needs the simulator, numpy and h5py, and nothing of this package::

    python run.py [--out DIRECTORY] [arguments of its own]

It finds the circuit beside itself, prints how far it is (:data:`PROGRESS` and the time in ms), and writes SONATA's
``spikes.h5``, and ``V_m.h5`` where potentials are recorded, as :func:`mc_interchange.runs.write_run` does: spikes
in whole steps, with which NEST would label them.
"""

from __future__ import annotations

__all__ = ["PROGRAM", "PROGRESS"]

PROGRAM = "run.py"
#: Beginning of a line with the simulated time in ms.
PROGRESS = "simulated (ms): "
