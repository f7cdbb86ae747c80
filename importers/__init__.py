"""Importers, one package per format or simulator."""
