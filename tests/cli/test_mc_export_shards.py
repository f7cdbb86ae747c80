"""mc-export --shard and --join, with a format of the tests' own and with SONATA."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


@pytest.fixture
def shards(tools) -> list[str]:
    """The shards of a toy network, relative to the current directory."""
    for number in (1, 2, 3):
        result = tools("mc-export", "toy", "--format", "toyhdf", "--seed", "5", "--shard", f"{number}/3")
        assert result.exit_code == 0, result.stderr
    return [f"toy-toyhdf-shard-{number}-of-3" for number in (1, 2, 3)]


def test_the_joined_shards_are_the_export(tools, shards):
    assert sorted(p.name for p in tools.directory.iterdir()) == shards
    assert tools("mc-export", "toy", "--format", "toyhdf", "--seed", "5", "--out", "whole").exit_code == 0
    result = tools("mc-export", "--join", *shards)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("toy-toyhdf: 70 neurons, 400 synapses in ")
    assert tools.contents("toy-toyhdf") == tools.contents("whole")


def test_options_of_the_format_and_frozen_input(tools):
    tools("mc-export", "toy", "-f", "sonata", "--index", "target", "--freeze-input", "--out", "whole")
    for number in (1, 2):
        tools("mc-export", "toy", "-f", "sonata", "--index", "target", "--shard", f"{number}/2", "--out", str(number))
    assert tools("mc-export", "--join", "2", "1", "--freeze-input", "-f", "sonata", "--out", "joined").exit_code == 0
    assert tools.contents("joined") == tools.contents("whole")


def test_what_is_said_of_a_shard(tools):
    arguments = ("mc-export", "toy", "-f", "toyhdf", "--shard", "2/3", "--out", "two")
    assert tools(*arguments).stdout.startswith("two: shard 2/3, 70 neurons, 133 synapses in ")
    tools.refused(*arguments, says="two: exists already")
    document = json.loads(tools(*arguments, "--force", "--json").stdout)
    assert (document["shard"], document["n_synapses"]) == ("2/3", 133)
    assert document["losses"]
    tools.refused(*arguments, "--force", "--strict", says="toyhdf cannot hold inputs")


@pytest.mark.parametrize("tool", ["mc-export", "mc-run", "mc-validate", "mc-compare"])
def test_a_shard_is_not_taken_for_an_export(tools, shards, tool):
    says = f"{shards[0]}: one shard of an export; join all of them first (mc-export --join)"
    arguments = {"mc-export": ["-f", "toyhdf"], "mc-compare": shards[1:2]}.get(tool, [])
    tools.refused(tool, shards[0], *arguments, says=says)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["toy", "-f", "toyhdf", "--shard", "4/3"], "shard 4/3: must be I/N, with I from 1 to N"),
        (["toy", "-f", "toyhdf", "--shard", "1"], "shard '1': must be I/N, such as 1/8"),
        (["toy", "-f", "toyhdf", "--shard", "1/2", "--freeze-input"], "--freeze-input: a shard holds no input"),
        (["toy", "toy", "-f", "toyhdf"], "one MODEL is written at a time, got toy toy"),
        (["--join"], "no shards are given"),
        (["--join", "nothing"], "nothing/shard.json: cannot be read"),
        (["--join", "SHARDS", "--seed", "5"], "--seed: the shards say this"),
        (["--join", "SHARDS", "--n-scale", "0.5"], "--n-scale: the shards say this"),
        (["--join", "SHARDS", "--shard", "1/2"], "--shard: the shards say this"),
        (["--join", "SHARDS", "-f", "sonata", "--index", "none"], "--index: the shards say this"),
        (["--join", "SHARDS", "-f", "sonata"], "--format sonata: these are shards of an export as toyhdf"),
        (["--join", "toy-toyhdf-shard-1-of-3"], "shard 2/3 and 1 more is missing: there are 1 of 3"),
    ],
)
def test_wrong_use(tools, shards, arguments, says):
    given = [name for argument in arguments for name in (shards if argument == "SHARDS" else [argument])]
    tools.refused("mc-export", *given, says=says)
    assert sorted(p.name for p in Path().iterdir()) == shards
