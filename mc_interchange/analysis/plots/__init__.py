"""Plots of runs and of networks, in the order and colours of the model's populations.

Each function draws one plot into axes of matplotlib, makes them where none are given, and returns them, so that
plots can be put together and changed; :func:`save` writes a figure. :func:`run_figure` and :func:`network_figure`
put together all that there is to see of one run or one network.

Populations without a colour of their own get those of a palette that people with any kind of colour vision can
tell apart (Okabe & Ito 2008).
"""

from .activity import distributions, potentials, raster, raster_and_rates, rates
from .beside import Course, Densities, courses_beside, densities_beside, potentials_beside, rasters_beside
from .figures import network_figure, run_figure
from .network import connectivity, delay_histogram, indegree_histogram, weight_histogram
from .style import colors_of, save

__all__ = [
    "Course",
    "Densities",
    "colors_of",
    "connectivity",
    "courses_beside",
    "delay_histogram",
    "densities_beside",
    "distributions",
    "indegree_histogram",
    "network_figure",
    "potentials",
    "potentials_beside",
    "raster",
    "raster_and_rates",
    "rasters_beside",
    "rates",
    "run_figure",
    "save",
    "weight_histogram",
]
