"""A network as the tables that a paper would show, after Nordlie et al. 2009, doi:10.1371/journal.pcbi.1000456."""

from .render import FORMATS, describe
from .tables import Table, tables

__all__ = ["FORMATS", "Table", "describe", "tables"]
