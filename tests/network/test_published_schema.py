"""The published JSON schema is the one that the code makes, and it knows the examples."""

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from mc_interchange.network import json_schema, parse_network, serialize_network
from mc_interchange.network.publish_schema import SCHEMA_FILE, schema_text

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))


def test_file_is_up_to_date():
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text(), "run: make schema"


def test_is_a_schema_without_loose_ends():
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    text = json.dumps(schema)
    for name in schema["$defs"]:
        assert f'"#/$defs/{name}"' in text, name
    for part in text.split('"$ref": "#/$defs/')[1:]:
        assert part.split('"')[0] in schema["$defs"]


def test_every_object_is_closed():
    def walk(node):
        if isinstance(node, dict):
            if "properties" in node:
                assert node["additionalProperties"] is False
            for item in node.values():
                walk(item)
        if isinstance(node, list):
            for item in node:
                walk(item)

    walk(json_schema())


def test_quantities_say_their_unit():
    definitions = json_schema()["$defs"]
    assert definitions["Simulation"]["properties"]["dt"]["unit"] == "ms"
    parameters = definitions["Neuron"]["oneOf"][0]["properties"]["parameters"]["properties"]
    assert {name: p["unit"] for name, p in parameters.items()}["C_m"] == "pF"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_examples_and_what_we_write(path):
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA_FILE.read_text(encoding="utf-8")))
    text = path.read_text(encoding="utf-8")
    yaml = YAML(typ="safe", pure=True)
    validator.validate(yaml.load(text))
    validator.validate(yaml.load(serialize_network(parse_network(text))))


def test_command_writes_the_file():
    before = SCHEMA_FILE.read_bytes()
    done = subprocess.run(
        [sys.executable, "-m", "mc_interchange.network.publish_schema"], check=True, capture_output=True, text=True
    )
    assert done.stderr == ""
    assert SCHEMA_FILE.read_bytes() == before
