"""The kernel itself: what can be captured at all, and its own settings."""

from __future__ import annotations

from typing import Any

from mc_interchange.errors import FormatError, MissingDependencyError

__all__ = ["CaptureWarning", "base_model", "open_kernel"]


class CaptureWarning(UserWarning):
    """Something in the kernel without influence on its spikes that the captured network does not hold."""


def open_kernel() -> Any:
    """Return NEST, if its kernel is in a state that can be captured.

    Raises
    ------
    MissingDependencyError, FormatError
    """
    try:
        import nest
    except ImportError:
        raise MissingDependencyError("NEST", "nest") from None
    if nest.num_processes > 1:
        raise FormatError(
            f"NEST runs in {nest.num_processes} processes and each holds a part of the network: build it in one "
            "process, with threads, to capture it"
        )
    if nest.biological_time > 0:
        raise FormatError(
            f"the network has been simulated for {nest.biological_time:g} ms: synaptic currents and spikes under way "
            "cannot be captured; capture before simulating"
        )
    if nest.structural_plasticity_synapses:
        raise FormatError(
            f"structural plasticity ({', '.join(nest.structural_plasticity_synapses)}) cannot be captured: it changes "
            "the connections during the simulation"
        )
    return nest


def base_model(nest: Any, model: str) -> str:
    """Return the model of NEST's that a node model is or was copied from."""
    return str(nest.GetDefaults(model).get("type_id", model))
