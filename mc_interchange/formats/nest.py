"""What the NEST runner and the native reference model share about starting NEST."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["without_banner"]


@contextmanager
def without_banner() -> Iterator[None]:
    """Keep NEST from printing its banner when it is imported in this context."""
    before = os.environ.get("PYNEST_QUIET")
    os.environ["PYNEST_QUIET"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYNEST_QUIET"]
        else:
            os.environ["PYNEST_QUIET"] = before
