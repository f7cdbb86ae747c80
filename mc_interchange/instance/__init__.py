"""Explicit networks: node tables and streams of synapses (level two; level one is :mod:`mc_interchange.network`)."""

from .digest import EdgeDigest, InstanceDigest, digest_block
from .edges import BLOCK_EDGES, ArrayEdges, EdgeBlock, Edges, Order, Piece, map_blocks
from .instance import NetworkInstance, Nodes, check_name, pair
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
    "Order",
    "Piece",
    "check_name",
    "digest_block",
    "map_blocks",
    "pair",
    "realize",
]
