"""Rules of a network as PyNN's connectors and distributions."""

from __future__ import annotations

from typing import Any

from mc_interchange.contracts import Loss
from mc_interchange.instance import NetworkInstance


def rules_of(instance: NetworkInstance) -> tuple[dict[str, Any], list[Loss]]:
    return {}, []


def initial_values(instance: NetworkInstance) -> tuple[dict[str, Any], list[Loss]]:
    return {}, []
