"""NEST: explicit networks through arrays, or rules through NEST's own connection rules."""

from .runner import NestRunner

__all__ = ["NestRunner"]
