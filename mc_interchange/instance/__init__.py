"""Explicit networks: node tables and streams of synapses (level two; level one is :mod:`mc_interchange.network`)."""

from .digest import EdgeDigest, InstanceDigest, digest_block
from .edges import BLOCK_EDGES, ArrayEdges, EdgeBlock, Edges, map_blocks
from .instance import NetworkInstance, Nodes
from .realize import realize

__all__ = [
    "BLOCK_EDGES",
    "ArrayEdges",
    "EdgeBlock",
    "EdgeDigest",
    "Edges",
    "InstanceDigest",
    "NetworkInstance",
    "Nodes",
    "digest_block",
    "map_blocks",
    "realize",
]
