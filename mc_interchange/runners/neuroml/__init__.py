"""Simulators that run NeuroML and LEMS files."""
