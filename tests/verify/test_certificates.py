"""Certificates hold for the files they were made of, and for no others; and none contradicts itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from changed_files import change_a_weight

from mc_interchange import export
from mc_interchange.reading import import_path

CERTIFICATE = Path("b-verify/certificate.json")


@pytest.fixture
def certified(exported, tool) -> Path:
    """Two exports, the second held against the first."""
    export(import_path(exported), "sonata", "b")
    assert tool("mc-verify", exported, "b", "--rung", "structure", "--rung", "single neuron").exit_code == 0
    return CERTIFICATE


def test_it_is_of_both_sides(certified, exported, tool):
    for side in (exported, "b"):
        result = tool("mc-validate", side, "--certificate", certified)
        assert result.exit_code == 0, result.output
        assert result.stdout == "valid: yes\n"


@pytest.mark.parametrize("with_manifest", [True, False])
def test_a_changed_weight(certified, tool, with_manifest):
    change_a_weight(Path("b"))
    if not with_manifest:
        Path("b/manifest.json").unlink()
    result = tool("mc-validate", "b", "--certificate", certified)
    assert result.exit_code == 1
    # what a manifest covers is found by its checksums, before the certificate is asked
    found = "values differ from what was written" if with_manifest else "digest: the certificate is of"
    assert found in result.stdout


def test_an_export_without_a_manifest(certified, tool):
    Path("b/manifest.json").unlink()
    assert tool("mc-validate", "b", "--certificate", certified).exit_code == 0


def test_of_one_export(exported, tool):
    assert tool("mc-verify", exported, "--rung", "structure").exit_code == 0
    certificate = Path("a-verify/certificate.json")
    assert tool("mc-validate", exported, "--certificate", certificate).exit_code == 0
    content = json.loads(certificate.read_text())
    content["tested"]["digest"] = "0" * 16
    certificate.write_text(json.dumps(content))
    result = tool("mc-validate", exported, "--certificate", certificate)
    assert result.exit_code == 1
    assert f"digest: the certificate is of {'0' * 16}" in result.stdout


def test_a_rung_without_structure_is_bound_to_the_files_too(exported, tool):
    assert tool("mc-verify", exported, "--rung", "single neuron").exit_code == 0
    change_a_weight(exported)
    Path("a/manifest.json").unlink()
    assert tool("mc-validate", exported, "--certificate", "a-verify/certificate.json").exit_code == 1


def _fail_a_figure(content):
    content["rungs"][0]["figures"][0].update(value=3.0, passed=False)


def _flip(content):
    _fail_a_figure(content)
    content["rungs"][0]["passed"] = False


def _claim(content):
    content["rungs"][0]["figures"][0]["value"] = 3.0


def _limit(content):
    content["rungs"][1]["figures"][0].update(limit=0.0)


def _nothing(content):
    content["rungs"] = [{**rung, "figures": [], "passed": None, "why_not": "no"} for rung in content["rungs"]]


EDITS = [
    (_flip, "passed"),
    (_fail_a_figure, "structure"),
    (_claim, "parts that differ"),
    (_limit, "membrane potential"),
    (_nothing, "not what the rungs come to"),
    (lambda content: content.pop("tested"), "tested"),
    (lambda content: content.update(certificate_version=1), "certificate_version"),
    (lambda content: content["rungs"][0]["figures"][0].update(value="much"), "no number"),
]


def test_edited_by_hand(certified, tool):
    whole = certified.read_text()
    for edit, says in EDITS:
        content = json.loads(whole)
        edit(content)
        certified.write_text(json.dumps(content))
        result = tool("mc-validate", "b", "--certificate", certified)
        assert result.exit_code == 2, result.output
        assert "not a certificate, or inconsistent" in result.stderr
        assert says in result.stderr
        assert result.stderr.count("\n") == 1
    certified.write_text(whole)
    assert tool("mc-validate", "b", "--certificate", certified).exit_code == 0


def test_of_a_failure(exported, tool):
    export(import_path(exported), "sonata", "b")
    change_a_weight(Path("b"))
    assert tool("mc-verify", exported, "b", "--rung", "structure").exit_code == 1
    result = tool("mc-validate", "b", "--certificate", CERTIFICATE)
    assert result.exit_code == 1
    assert "states that the verification failed" in result.stdout


@pytest.mark.slow
def test_the_same_call_writes_the_same(exported, tool):
    arguments = ["mc-verify", exported, "--rung", "structure", "--rung", "spikes", "--min-spikes", "20", "--out"]
    for out in ("one", "two"):
        assert tool(*arguments, out).exit_code == 0
    for name in ("certificate.json", "report.html"):
        assert Path("one", name).read_bytes() == Path("two", name).read_bytes()
