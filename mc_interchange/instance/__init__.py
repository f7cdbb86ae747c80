"""Explicit networks: node tables and streams of synapses (level two; level one is :mod:`mc_interchange.network`)."""

from .digest import EdgeDigest, InstanceDigest, digest_block
from .edges import BLOCK_EDGES, ArrayEdges, EdgeBlock, Edges, Order, Piece, Synapse, map_all_blocks, map_blocks
from .freeze import PoissonTrains, freeze_inputs, has_random_input
from .instance import MixedNeurons, NetworkInstance, Nodes, check_name, pair
from .realize import realize
from .spool import Spool, SpooledEdges
from .trains import ArrayTrains, TrainBlock, Trains

__all__ = [
    "BLOCK_EDGES",
    "ArrayEdges",
    "ArrayTrains",
    "EdgeBlock",
    "EdgeDigest",
    "Edges",
    "InstanceDigest",
    "MixedNeurons",
    "NetworkInstance",
    "Nodes",
    "Order",
    "Piece",
    "PoissonTrains",
    "Spool",
    "SpooledEdges",
    "Synapse",
    "TrainBlock",
    "Trains",
    "check_name",
    "digest_block",
    "freeze_inputs",
    "has_random_input",
    "map_all_blocks",
    "map_blocks",
    "pair",
    "realize",
]
