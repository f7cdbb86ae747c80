"""From NeuroML to SONATA and back on the command line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from mc_interchange import open_model
from mc_interchange.network import Network, write_network


@pytest.fixture
def exported(tools, small_network: Network) -> Path:
    write_network(small_network, "small.yaml")
    result = tools("mc-export", "small.yaml", "--format", "neuroml", "--out", "nml", "--quiet")
    assert result.exit_code == 0, result.stderr
    return Path("nml")


@pytest.mark.parametrize("start", ["LEMS_small.xml", "small.net.nml", ""])
def test_both_ways_with_the_losses(tools, exported: Path, start: str) -> None:
    """From the LEMS file, from the network or from the directory."""
    result = tools("mc-export", exported / start, "--format", "sonata", "--out", "sonata")
    assert result.exit_code == 0
    assert "Poisson input background onto E: beside, SONATA has no Poisson input" in result.stderr
    report = json.loads(Path("sonata/export_report.json").read_text())
    assert [loss["how"] for loss in report["losses"]] == ["beside", "beside"]
    result = tools("mc-export", "sonata", "--format", "neuroml", "--encoding", "hdf5", "--out", "back")
    assert result.exit_code == 0
    assert "initial membrane potentials of I: approximated" in result.stderr
    for one, other in ((exported, "sonata"), ("sonata", "back"), (exported / "LEMS_small.xml", "small.yaml")):
        result = tools("mc-compare", one, other)
        assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "identical: yes")
    for directory in (exported, "back"):
        assert tools("mc-validate", directory).stdout == "valid: yes\n"


def test_a_difference_is_named_with_its_row(tools, exported: Path) -> None:
    file = exported / "small.net.nml"
    text = file.read_text()
    start = text.index('<projection id="E_to_I"')
    place = text.index('weight="', text.index('<connectionWD id="7"', start)) + len('weight="')
    changed = text[:place] + "9" + text[place:]
    file.write_text(changed)
    result = tools("mc-compare", exported, "small.yaml")
    assert result.exit_code == 1
    assert re.search(
        r"edges of E -> I: \S+ against \S+; first in row 7: .* weight 90087\.8, .* weight 87\.8,", result.stdout
    )
    result = tools("mc-validate", exported)
    assert result.exit_code == 1
    assert "error: small.net.nml: differs from what was written" in result.stdout
    assert "error: model.yaml:E_to_I: row 7: its rules draw" in result.stdout


def test_what_cannot_be_read_is_one_line(tools, exported: Path) -> None:
    file = exported / "small.cells.nml"
    file.write_text(file.read_text().replace("expCurrSynapse", "expTwoSynapse"))
    tools.refused(
        "mc-export",
        exported,
        "--format",
        "sonata",
        says=": expTwoSynapse 'psc_0_5' is not supported as a synapse, only expCondSynapse,",
    )


def test_a_matched_export_is_sound_and_no_model(tools, small_network: Network) -> None:
    write_network(small_network, "small.yaml")
    options = ("--matched-to", "jlems", "--freeze-input", "--out", "matched", "--quiet")
    assert tools("mc-export", "small.yaml", "--format", "neuroml", *options).exit_code == 0
    result = tools("mc-validate", "matched")
    (warning, valid) = result.stdout.splitlines()  # its delays, half a step beside the grid, are no news
    assert warning.startswith("warning: small.net.nml: a verification artefact whose parameters are matched to jlems")
    assert (result.exit_code, valid) == (0, "valid: yes")
    line = tools.refused("mc-export", "matched", "--format", "sonata", "--out", "s", says="a verification artefact")
    assert "delays" not in line
    cells = Path("matched/small.cells.nml")
    cells.write_text(cells.read_text().replace('tau_refrac="', 'tau_refrac="1'))
    result = tools("mc-validate", "matched")
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (1, "valid: no")


def test_the_network_says_what_its_lems_file_cannot(tools, small_network: Network) -> None:
    simulation = small_network.simulation.model_copy(update={"discard": 20.0, "seed": 7})
    write_network(small_network.model_copy(update={"simulation": simulation}), "small.yaml")
    assert tools("mc-export", "small.yaml", "--format", "neuroml", "--out", "nml", "--quiet").exit_code == 0
    for file in ("model.yaml", "manifest.json", "export_report.json"):
        Path("nml", file).unlink()
    lems = Path("nml/LEMS_small.xml")
    lems.write_text(lems.read_text().replace('seed="7"', 'seed="8"'))
    found = open_model("nml").simulation
    assert (found.discard, found.seed, found.duration) == (20.0, 8, simulation.duration)
