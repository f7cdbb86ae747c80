"""Brian2: a live network, its equations included, becomes a NetworkInstance."""

from .network import Brian2Warning, read_network

__all__ = ["Brian2Warning", "read_network"]
