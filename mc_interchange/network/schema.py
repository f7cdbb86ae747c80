"""The JSON schema of model files, made to agree with what the reader accepts.

pydantic derives it from the field types. Three things it cannot see are added: a quantity may be a text
with its unit, in distributions too; a number may stand for a constant distribution; the parameters of a
neuron are those of its model.
"""

from __future__ import annotations

from typing import Any

from mc_interchange.units import UNITS, text_pattern

from .catalogue import CATALOGUE
from .entries import NeuronEntry, NeuronParameter, SynapseEntry
from .synapses import SYNAPSE_CATALOGUE

__all__ = ["build_schema"]

_REF = "#/$defs/"
#: Keys that say which alternative of a union is meant; they must be given.
_TAG_KEYS = ("rule", "distribution", "kind")
#: Keys that the reader fills in when they are left out.
_DERIVED = {"Projection": "name", "Population": "initial_V_m"}


def build_schema(derived: dict[str, Any]) -> dict[str, Any]:
    """Complete the schema that pydantic derives from the Network class.

    Parameters
    ----------
    derived
        What ``Network.model_json_schema()`` returns.
    """
    definitions = {name: _correct(name, definition) for name, definition in derived.pop("$defs").items()}
    rewriting = _Rewriting(definitions)
    schema = rewriting.node(derived, None)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "$defs": dict(sorted(rewriting.done.items())),
    }


def _correct(name: str, definition: dict[str, Any]) -> dict[str, Any]:
    """Mend one definition: keys that must be given, and keys that need not."""
    if name == "Neuron":
        return _neuron(definition)
    if name == "SynapseModel":
        return _synapse(definition)
    properties = definition.get("properties", {})
    required = set(definition.get("required", ())) - {_DERIVED.get(name, "")}
    for key in _TAG_KEYS:
        if "const" in properties.get(key, {}) and properties[key]["const"] != "neurons":
            required.add(key)
            properties[key].pop("default", None)
    if name == "ModelParameter":
        properties["unit"]["enum"] = [*UNITS, ""]
    return {**definition, "required": [key for key in properties if key in required]}


def _neuron(definition: dict[str, Any]) -> dict[str, Any]:
    """Return the alternatives of the catalogue, with the parameters of each model."""
    models = [_model(entry) for entry in CATALOGUE.values() if entry.in_model_files]
    return {"description": definition["description"], "oneOf": models}


def _synapse(definition: dict[str, Any]) -> dict[str, Any]:
    """Return the alternatives of the catalogue; what needs no parameters may be a name alone."""
    entries = SYNAPSE_CATALOGUE.values()
    alone = [entry.name for entry in entries if all(p.default is not None for p in entry.parameters)]
    names = {"enum": alone, "description": "a model that needs no parameters"}
    return {"description": definition["description"], "oneOf": [names, *(_model(entry) for entry in entries)]}


def _model(entry: NeuronEntry | SynapseEntry) -> dict[str, Any]:
    """Return the schema of one model with its parameters."""
    required = [p.name for p in entry.parameters if p.default is None]
    parameters = {
        "type": "object",
        "properties": {p.name: _parameter(p) for p in entry.parameters},
        "required": required,
        "additionalProperties": False,
    }
    optional = isinstance(entry, SynapseEntry) and not required
    return {
        "type": "object",
        "description": entry.meaning,
        "properties": {"model": {"const": entry.name}, "parameters": parameters},
        "required": ["model"] if optional else ["model", "parameters"],
        "additionalProperties": False,
    }


def _parameter(parameter: NeuronParameter) -> dict[str, Any]:
    described: dict[str, Any] = {
        "description": parameter.meaning,
        "unit": parameter.unit,
        "symbol": parameter.symbol,
    }
    if parameter.default is not None:
        described["default"] = parameter.default
    if parameter.kind == "switch":
        return {"type": "boolean", **described}
    number: dict[str, Any] = {"type": "number"}
    if parameter.positive:
        number["exclusiveMinimum"] = 0
    elif parameter.minimum is not None:
        number["minimum"] = parameter.minimum
    return {"type": "array", "items": number, **described} if parameter.kind == "list" else {**number, **described}


class _Rewriting:
    """Walks the schema; below a quantity, every number may also be a text with that unit.

    A definition that is used below quantities of several units becomes one definition for each.
    """

    def __init__(self, definitions: dict[str, Any]) -> None:
        self._given = definitions
        self.done: dict[str, Any] = {}

    def node(self, schema: Any, unit: str | None) -> Any:
        if isinstance(schema, list):
            return [self.node(item, unit) for item in schema]
        if not isinstance(schema, dict):
            return schema
        if isinstance(schema.get("unit"), str):
            unit = schema["unit"]
        if "$ref" in schema:
            return {**schema, "$ref": self._reference(schema["$ref"].removeprefix(_REF), unit)}
        schema = {key: self.node(value, unit) for key, value in schema.items() if not self._noise(key, value)}
        if isinstance(schema.get("description"), str):
            schema["description"] = " ".join(schema["description"].split("\n\n")[0].split())
        if "oneOf" in schema and any(x.get("$ref", "").startswith(f"{_REF}Constant") for x in schema["oneOf"]):
            number = self.node({"type": "number", "description": "the same value everywhere"}, unit)
            return {**schema, "oneOf": [*number.get("anyOf", [number]), *schema["oneOf"]]}
        if schema.get("type") == "number" and unit not in (None, "1"):
            return _number_or_text(schema, unit)
        return schema

    def _reference(self, name: str, unit: str | None) -> str:
        new = name if unit is None else f"{name}_in_{unit.replace('/', '_per_').replace(' | ', '_or_')}"
        if new not in self.done:
            self.done[new] = None  # stops a definition that refers to itself
            self.done[new] = self.node(self._given[name], unit)
        return _REF + new

    @staticmethod
    def _noise(key: str, value: Any) -> bool:
        # callable discriminators are not part of JSON schema; titles only repeat the keys
        return (key == "title" and isinstance(value, str)) or (key == "discriminator" and isinstance(value, dict))


def _number_or_text(schema: dict[str, Any], unit: str) -> dict[str, Any]:
    limits = {key: schema.pop(key) for key in ("minimum", "exclusiveMinimum", "maximum") if key in schema}
    exclusive = "exclusiveMinimum" in limits
    pattern = text_pattern(unit, minimum=limits.get("exclusiveMinimum", limits.get("minimum")), exclusive=exclusive)
    schema.pop("type")
    return {**schema, "anyOf": [{"type": "number", **limits}, {"type": "string", "pattern": pattern}]}
