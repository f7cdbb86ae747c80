"""Point neurons for NEURON that are exact on the grid of a simulation, as a package for Glia."""

from pathlib import Path

from glia import Mod, Package

#: What there is. Glia knows point processes and density mechanisms only.
ASSETS = ("iaf_psc_alpha", "iaf_psc_delta", "iaf_psc_exp", "parrot_neuron", "poisson_input")

package = Package(
    "mc_neurons",
    Path(__file__).resolve().parent,
    mods=[Mod(f"mods/{asset}__0.mod", asset, is_point_process=True) for asset in ASSETS],
)
