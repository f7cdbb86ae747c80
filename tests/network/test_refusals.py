"""Every mistake in a model file is refused with one line: the field, its value, and what is allowed."""

import jsonschema
import pytest
from ruamel.yaml import YAML

from mc_interchange.errors import FormatError, InterchangeError, ModelError
from mc_interchange.network import json_schema, parse_network, read_network
from mc_interchange.network.yaml_file import MAX_BYTES

GOOD = """\
name: small
populations:
- name: A
  size: 10
  neuron:
    model: iaf_psc_exp
    parameters: {C_m: 250 pF, tau_m: 10 ms, tau_syn_ex: 0.5 ms, tau_syn_in: 0.5 ms, t_ref: 2 ms,
      E_L: -65 mV, V_th: -50 mV, V_reset: -65 mV}
- {kind: virtual, name: TH, size: 2, activity: {kind: poisson, rate: 8 spikes/s}}
projections:
- {source: A,
   target: A, rule: {rule: fixed_indegree, indegree: 3}, weight: {distribution: normal, mean: 87.8, sd: 8.78}, delay: 1.5 ms}
inputs:
- {kind: poisson, name: bg, target: A, rate: 8000.0, weight: 87.8, delay: 0.1}
simulation: {dt: 0.1 ms, duration: 100 ms, seed: 3}
"""

# ruff: noqa: E501
# label, what is replaced, by what, and the line (after "model: ")
MISTAKES_IN_ONE_FIELD = [
    ("wrong unit", "C_m: 250 pF", "C_m: 250 nF", "populations[0].neuron.parameters.C_m: must be in pF, got '250 nF'"),
    ("wrong unit of a time", "dt: 0.1 ms", "dt: 0.1 s", "simulation.dt: must be in ms, got '0.1 s'"),
    (
        "wrong unit in a distribution",
        "mean: 87.8",
        "mean: 87.8 nA",
        "projections[0].weight.mean: must be in pA or nS or mV, got '87.8 nA'",
    ),
    (
        "unit with another case",
        "tau_m: 10 ms",
        "tau_m: 10 Ms",
        "populations[0].neuron.parameters.tau_m: must be in ms, got '10 Ms'",
    ),
    (
        "text for a number",
        "C_m: 250 pF",
        "C_m: much",
        "populations[0].neuron.parameters.C_m: must be a number in pF, got 'much'",
    ),
    (
        "two numbers",
        "C_m: 250 pF",
        "C_m: 250 250 pF",
        "populations[0].neuron.parameters.C_m: must be in pF, got '250 250 pF'",
    ),
    (
        "number too large",
        "C_m: 250 pF",
        "C_m: 1e999 pF",
        "populations[0].neuron.parameters.C_m: must be in pF, got '1e999 pF'",
    ),
    (
        "zero capacitance",
        "C_m: 250 pF",
        "C_m: 0 pF",
        "populations[0].neuron.parameters.C_m: must be greater than 0 pF, got 0",
    ),
    (
        "negative capacitance",
        "C_m: 250 pF",
        "C_m: -250",
        "populations[0].neuron.parameters.C_m: must be greater than 0 pF, got -250",
    ),
    (
        "negative refractory period",
        "t_ref: 2 ms",
        "t_ref: -2 ms",
        "populations[0].neuron.parameters.t_ref: must be at least 0 ms, got -2",
    ),
    (
        "negative rate",
        "rate: 8 spikes/s",
        "rate: -8 spikes/s",
        "populations[1].activity.rate: must be at least 0, got -8.0",
    ),
    ("negative bare rate", "rate: 8000.0", "rate: -8000.0", "inputs[0].rate: must be at least 0, got -8000.0"),
    ("negative sd", "sd: 8.78", "sd: -8.78", "projections[0].weight.sd: must be at least 0, got -8.78"),
    ("NaN", "mean: 87.8", "mean: .nan", "projections[0].weight.mean: must be a finite number, got nan"),
    ("infinity", "mean: 87.8", "mean: -.inf", "projections[0].weight.mean: must be a finite number, got -inf"),
    (
        "NaN parameter",
        "C_m: 250 pF",
        "C_m: .nan",
        "populations[0].neuron.parameters.C_m: must be a finite number, got nan",
    ),
    (
        "infinite parameter",
        "E_L: -65 mV",
        "E_L: -.inf",
        "populations[0].neuron.parameters.E_L: must be a finite number, got -inf (and 1 more)",
    ),
    (
        "NaN as text",
        "C_m: 250 pF",
        "C_m: 'nan'",
        "populations[0].neuron.parameters.C_m: must be a number in pF, got 'nan'",
    ),
    (
        "boolean parameter",
        "C_m: 250 pF",
        "C_m: true",
        "populations[0].neuron.parameters.C_m: must be a number, got True",
    ),
    ("boolean weight", "weight: 87.8", "weight: true", "inputs[0].weight: must be a number, got True"),
    ("boolean size", "size: 10", "size: true", "populations[0].size: must be a whole number, got True"),
    ("text size", "size: 10", "size: '10'", "populations[0].size: must be a whole number, got '10'"),
    ("negative size", "size: 10", "size: -10", "populations[0].size: must be at least 1, got -10"),
    ("zero size", "size: 10", "size: 0", "populations[0].size: must be at least 1, got 0"),
    ("broken size", "size: 10", "size: 10.5", "populations[0].size: must be a whole number, got 10.5"),
    (
        "huge size",
        "size: 10",
        "size: 1e30",
        "populations[0].size: must be at most 4294967296, got 1000000000000000019884624838656",
    ),
    ("negative degree", "indegree: 3", "indegree: -3", "projections[0].rule.indegree: must be at least 0, got -3"),
    (
        "text flag",
        "indegree: 3",
        "indegree: 3, allow_autapses: 'no'",
        "projections[0].rule.allow_autapses: must be true or false, got 'no'",
    ),
    (
        "number flag",
        "indegree: 3",
        "indegree: 3, allow_autapses: 0",
        "projections[0].rule.allow_autapses: must be true or false, got 0",
    ),
    (
        "probability above one",
        "{rule: fixed_indegree, indegree: 3}",
        "{rule: pairwise_bernoulli, probability: 1.1}",
        "projections[0].rule.probability: must be at most 1, got 1.1",
    ),
    (
        "probability in percent",
        "{rule: fixed_indegree, indegree: 3}",
        "{rule: pairwise_bernoulli, probability: 10 %}",
        "projections[0].rule.probability: must be a number, got '10 %'",
    ),
    (
        "no such rule",
        "fixed_indegree",
        "fixed_in_degree",
        "projections[0].rule: must be one of 'fixed_total_number', 'pairwise_bernoulli', 'fixed_indegree', 'fixed_outdegree', 'one_to_one', 'all_to_all', 'explicit', got 'fixed_in_degree'",
    ),
    ("no rule", "rule: fixed_indegree, ", "", "projections[0].rule: the key 'rule' is missing"),
    (
        "rule is a text",
        "{rule: fixed_indegree, indegree: 3}",
        "one_to_one",
        "projections[0].rule: must be a mapping of keys to values, got 'one_to_one'",
    ),
    ("degree missing", ", indegree: 3", "", "projections[0].rule.indegree: this required key is missing"),
    (
        "key of another rule",
        "indegree: 3",
        "outdegree: 3",
        "projections[0].rule.indegree: this required key is missing (and 1 more)",
    ),
    (
        "no such distribution",
        "distribution: normal",
        "distribution: gaussian",
        "projections[0].weight: must be a number, or have a 'distribution' that is one of: constant, normal, truncated_normal, uniform, values, got 'gaussian'",
    ),
    (
        "no distribution",
        "distribution: normal, ",
        "",
        "projections[0].weight: must be a number, or have a 'distribution' that is one of: constant, normal, truncated_normal, uniform, values, got None",
    ),
    (
        "key of another distribution",
        "sd: 8.78",
        "sd: 8.78, max: 0.0",
        "projections[0].weight.max: unknown key (it is misspelt or does not belong here)",
    ),
    (
        "unknown key",
        "size: 10",
        "size: 10\n  siez: 10",
        "populations[0].siez: unknown key (it is misspelt or does not belong here)",
    ),
    (
        "unknown key at the top",
        "name: small",
        "name: small\nuniform: 3",
        "uniform: unknown key (it is misspelt or does not belong here)",
    ),
    (
        "unknown parameter",
        "C_m: 250 pF",
        "C_m: 250 pF, c_m: 3",
        "populations[0].neuron.parameters.c_m: not a parameter of iaf_psc_exp; it has C_m, tau_m, tau_syn_ex, tau_syn_in, t_ref, E_L, V_th, V_reset, I_e",
    ),
    (
        "missing parameter",
        "V_th: -50 mV, ",
        "",
        "populations[0].neuron.parameters.V_th: spike threshold in mV: this key is missing",
    ),
    ("missing name", "name: small\n", "", "name: this required key is missing"),
    ("missing populations", "populations:", "people:", "populations: this required key is missing (and 1 more)"),
    (
        "unknown model",
        "iaf_psc_exp",
        "hh_cond_exp_traub",
        "populations[0].neuron.model: unknown neuron model 'hh_cond_exp_traub'; known: iaf_psc_exp, iaf_psc_alpha, iaf_psc_delta, iaf_cond_exp, iaf_cond_alpha, aeif_cond_exp, aeif_cond_alpha, izhikevich, glif_psc, hh_psc_alpha, parrot_neuron",
    ),
    (
        "unknown kind",
        "kind: virtual",
        "kind: ghost",
        "populations[1]: must have a 'kind' that is 'neurons' (the default) or 'virtual', got 'ghost'",
    ),
    (
        "unknown input",
        "kind: poisson, name: bg",
        "kind: noise, name: bg",
        "inputs[0]: must be one of 'poisson', 'step_current', got 'noise'",
    ),
    (
        "bad name",
        "name: small",
        "name: my model",
        "name: must match pattern '^[A-Za-z_][A-Za-z0-9_]*$', got 'my model'",
    ),
    (
        "long name",
        "name: small",
        "name: nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn",
        "name: must have at most 64 characters, got 'nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn...",
    ),
    ("number as name", "name: small", "name: 3", "name: must be a text, got 3"),
    (
        "colour",
        "size: 10",
        "size: 10\n  color: red",
        "populations[0].color: must match pattern '^#[0-9a-fA-F]{6}$', got 'red'",
    ),
    ("seed zero", "seed: 3", "seed: 0", "simulation.seed: must be at least 1, got 0"),
    ("seed too large", "seed: 3", "seed: 4294967296", "simulation.seed: must be at most 4294967295, got 4294967296"),
    ("unknown version", "name: small", "name: small\nformat_version: 2", "format_version: must be 1, got 2"),
    (
        "one instead of a list",
        "name: small",
        "name: small\nreferences: Brunel",
        "references: must be a list, got 'Brunel'",
    ),
    ("list instead of one", "name: small", "name: [small]", "name: must be a text"),
    (
        "parameter table",
        "name: small",
        "name: small\nparameters: [{name: x, value: {a: 1}, unit: ms, symbol: x, meaning: x, source: x}]",
        "parameters[0].value: must be true, false, a number, a text, or a list or table of numbers",
    ),
    (
        "parameter unit",
        "name: small",
        "name: small\nparameters: [{name: x, value: 1, unit: mm, symbol: x, meaning: x, source: x}]",
        "parameters[0].unit: unknown unit 'mm'; known: ms, mV, pF, pA, nS, spikes/s, 1/ms, um, 1",
    ),
    ("no delay", ", delay: 1.5 ms", "", "projections[0].delay: this required key is missing"),
    (
        "text in a list of values",
        "delay: 1.5 ms",
        "delay: {distribution: values, values: [1 ms, 1 s]}",
        "projections[0].delay.values[1]: must be in ms, got '1 s'",
    ),
    (
        "true in a list of values",
        "delay: 1.5 ms",
        "delay: {distribution: values, values: [1.0, true]}",
        "projections[0].delay.values[1]: must be a number, got True",
    ),
]
MISTAKES_BETWEEN_FIELDS = [
    (
        "weight in the unit of another neuron model",
        "mean: 87.8",
        "mean: 87.8 mV",
        "projections[0].weight.mean: must be in pA, got '87.8 mV'",
    ),
    (
        "weight of an input in the unit of another neuron model",
        "rate: 8000.0, weight: 87.8",
        "rate: 8000.0, weight: 87.8 nS",
        "inputs[0].weight: must be in pA, got '87.8 nS'",
    ),
    (
        "start off the grid",
        "delay: 0.1}",
        "delay: 0.1, start: 0.25}",
        "inputs[0].start: must be a multiple of the resolution dt = 0.1 ms, got 0.25",
    ),
    (
        "stop of virtual activity off the grid",
        "rate: 8 spikes/s}",
        "rate: 8 spikes/s, stop: 5.55 ms}",
        "populations[1].activity.stop: must be a multiple of the resolution dt = 0.1 ms, got 5.55",
    ),
    (
        "spike time off the grid",
        "{kind: poisson, rate: 8 spikes/s}",
        "{kind: spike_trains, times: [[1.0], [0.1, 0.2, 7.33]]}",
        "populations[1].activity.times[1][2]: must be a multiple of the resolution dt = 0.1 ms, got 7.33",
    ),
    (
        "two recordings of a population",
        "seed: 3",
        "seed: 3, record_V_m: [{population: A, neurons: [0]}, {population: A, neurons: [1]}]",
        "simulation.record_V_m[1].population: must be given once, with all its neurons, got 'A' twice",
    ),
    ("unknown source", "source: A", "source: B", "projections[0].source: must be one of A, TH, got 'B'"),
    ("unknown target", "target: A, rule:", "target: B, rule:", "projections[0].target: must be one of A, got 'B'"),
    ("virtual target", "target: A, rule:", "target: TH, rule:", "projections[0].target: must be one of A, got 'TH'"),
    ("input to nobody", "name: bg, target: A", "name: bg, target: X", "inputs[0].target: must be one of A, got 'X'"),
    (
        "delay below dt",
        "delay: 1.5 ms",
        "delay: 0.05 ms",
        "projections[0].delay: must be at least the resolution dt = 0.1 ms, got 0.05",
    ),
    (
        "delay off the grid",
        "delay: 1.5 ms",
        "delay: 1.55 ms",
        "projections[0].delay: must be a multiple of the resolution dt = 0.1 ms, got 1.55",
    ),
    (
        "input delay below dt",
        "delay: 0.1}",
        "delay: 0.01}",
        "inputs[0].delay: must be at least the resolution dt = 0.1 ms, got 0.01",
    ),
    (
        "delay may become negative",
        "delay: 1.5 ms",
        "delay: {distribution: normal, mean: 1.5, sd: 0.75}",
        "projections[0].delay: a normal distribution reaches below dt; use truncated_normal with min >= 0.05",
    ),
    (
        "delay may become short",
        "delay: 1.5 ms",
        "delay: {distribution: truncated_normal, mean: 1.5, sd: 0.75, min: 0.01}",
        "projections[0].delay: must not fall below half the resolution (0.05 ms), but reaches 0.01",
    ),
    (
        "delay distribution without lower bound",
        "delay: 1.5 ms",
        "delay: {distribution: truncated_normal, mean: 1.5, sd: 0.75}",
        "projections[0].delay: must not fall below half the resolution (0.05 ms), but reaches -inf",
    ),
    (
        "values without a list",
        "delay: 1.5 ms",
        "delay: {distribution: values, values: [1.5]}",
        "projections[0].delay: a list of values needs the rule 'explicit'",
    ),
    ("duplicate populations", "name: TH", "name: A", "populations[1].name: names must be unique, got 'A' twice"),
    (
        "duplicate projections",
        "projections:",
        "projections:\n- {source: A, target: A, rule: {rule: all_to_all}, weight: 1, delay: 1}",
        "projections[1].name: names must be unique, got 'A_to_A' twice",
    ),
    (
        "duplicate inputs",
        "inputs:",
        "inputs:\n- {kind: step_current, name: bg, target: A, amplitude: 1, start: 1, stop: 2}",
        "inputs[1].name: names must be unique, got 'bg' twice",
    ),
    (
        "threshold below reset",
        "V_th: -50 mV",
        "V_th: -70 mV",
        "populations[0].neuron.parameters.V_reset: must be below V_th (-70), got -65",
    ),
    (
        "threshold at reset",
        "V_th: -50 mV",
        "V_th: -65 mV",
        "populations[0].neuron.parameters.V_reset: must be below V_th (-65), got -65",
    ),
    (
        "limits the wrong way",
        "distribution: normal, mean: 87.8",
        "distribution: truncated_normal, min: 3, max: 2, mean: 87.8",
        "projections[0].weight: min must be below max, got [3, 2]",
    ),
    (
        "sign of a truncated weight",
        "distribution: normal, mean: 87.8",
        "distribution: truncated_normal, max: 0, mean: 87.8",
        "projections[0].weight: less than 1 % of a normal distribution with mean 87.8 and sd 8.78 lies in [-inf, 0]: redrawing would not end in useful time (is a sign wrong?)",
    ),
    (
        "uniform the wrong way",
        "distribution: normal, mean: 87.8, sd: 8.78",
        "distribution: uniform, low: 2, high: 1",
        "projections[0].weight: low must be below high, got [2, 1)",
    ),
    (
        "too many partners",
        "indegree: 3",
        "indegree: 10, allow_multapses: false, allow_autapses: false",
        "projections[0].rule.indegree: must be at most 9 (number of allowed pairs), got 10",
    ),
    (
        "unequal one to one",
        "{rule: fixed_indegree, indegree: 3}, ",
        "{rule: one_to_one}, name: t, weight: 1, delay: 1}\n- {source: TH, target: A, rule: {rule: one_to_one}, ",
        "projections[1].rule: one_to_one needs equal sizes, got 2 and 10",
    ),
    (
        "listed id too large",
        "{rule: fixed_indegree, indegree: 3}",
        "{rule: explicit, sources: [9], targets: [10]}",
        "projections[0].rule.targets: must be below 10, got 10",
    ),
    (
        "listed lengths",
        "{rule: fixed_indegree, indegree: 3}",
        "{rule: explicit, sources: [9], targets: []}",
        "projections[0].rule: sources and targets must have the same length, got 1 and 0",
    ),
    (
        "dt of half a microsecond",
        "dt: 0.1 ms",
        "dt: 0.0005 ms",
        "simulation.dt: must be a multiple of 0.001 ms, got 0.0005",
    ),
    (
        "duration off the grid",
        "duration: 100 ms",
        "duration: 100.05 ms",
        "simulation.duration: must be a multiple of dt (0.1 ms), got 100.05",
    ),
    ("all discarded", "seed: 3", "discard: 100.0", "simulation.discard: must be less than duration (100 ms), got 100"),
    (
        "recording of nobody",
        "seed: 3",
        "record_spikes: [A, X]",
        "simulation.record_spikes[1]: must be one of A, TH, got 'X'",
    ),
    (
        "recording of a source",
        "seed: 3",
        "record_V_m: [{population: TH, neurons: [0]}]",
        "simulation.record_V_m[0].population: must be one of A, got 'TH'",
    ),
    (
        "recorded id",
        "seed: 3",
        "record_V_m: [{population: A, neurons: [10]}]",
        "simulation.record_V_m[0].neurons: must be below 10, got 10",
    ),
    (
        "recording interval",
        "seed: 3",
        "record_V_m: [{population: A, neurons: [1], interval: 0.25}]",
        "simulation.record_V_m[0].interval: must be a multiple of dt (0.1 ms), got 0.25",
    ),
    (
        "stop before start",
        "rate: 8000.0",
        "start: 10, stop: 5, rate: 8000.0",
        "inputs[0]: stop must be after start (10 ms), got 5",
    ),
    (
        "spike trains",
        "activity: {kind: poisson, rate: 8 spikes/s}",
        "activity: {kind: spike_trains, times: [[1.0]]}",
        "populations[1]: activity.times must have 2 spike trains, got 1",
    ),
    (
        "spikes out of order",
        "activity: {kind: poisson, rate: 8 spikes/s}",
        "activity: {kind: spike_trains, times: [[], [2.0, 1.0]]}",
        "populations[1].activity: times[1] must be in ascending order",
    ),
    (
        "initial values",
        "size: 10",
        "size: 10\n  initial_V_m: {distribution: values, values: [1, 2]}",
        "populations[0]: initial_V_m must have 10 values, got 2",
    ),
    (
        "weights beyond float32",
        "mean: 87.8",
        "mean: 1e38",
        "projections[0].weight: drawn weights must be within 1e+30, got 1e+38",
    ),
]
MISTAKES = [*MISTAKES_IN_ONE_FIELD, *MISTAKES_BETWEEN_FIELDS]


def edited(old, new):
    assert old in GOOD
    return GOOD.replace(old, new, 1)


def as_data(text):
    return YAML(typ="safe", pure=True).load(text)


@pytest.fixture(scope="module")
def schema():
    return jsonschema.Draft202012Validator(json_schema())


def test_without_mistake(schema):
    assert parse_network(GOOD).name == "small"
    schema.validate(as_data(GOOD))


@pytest.mark.parametrize(("old", "new", "line"), [m[1:] for m in MISTAKES], ids=[m[0] for m in MISTAKES])
def test_line(old, new, line):
    with pytest.raises(ModelError) as refusal:
        parse_network(edited(old, new), origin="net.yaml")
    assert str(refusal.value) == f"net.yaml: {line}"


@pytest.mark.parametrize(
    ("old", "new"),
    [m[1:3] for m in MISTAKES_IN_ONE_FIELD if ".nan" not in m[2] and ".inf" not in m[2]],  # JSON has neither
)
def test_schema_refuses_what_the_reader_refuses(schema, old, new):
    assert not schema.is_valid(as_data(edited(old, new)))


@pytest.mark.parametrize(("old", "new"), [m[1:3] for m in MISTAKES_BETWEEN_FIELDS])
def test_schema_cannot_see_relations(schema, old, new):
    """Should one of these fail, the schema has become better: move the mistake to the other list."""
    assert schema.is_valid(as_data(edited(old, new)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("C_m: 250 pF", "C_m: 250"),
        ("C_m: 250 pF", "C_m: 2.5e2pF"),
        ("C_m: 250 pF", "C_m: ' +250.  pF '"),
        ("C_m: 250 pF", "C_m: '250'"),
        ("t_ref: 2 ms", "t_ref: 0 ms"),
        ("E_L: -65 mV", "E_L: -.65e+2 mV"),
        ("size: 10", "size: 1e1"),
        ("size: 10", "size: 10\n  color: null\n  kind: neurons"),
        ("mean: 87.8, sd: 8.78", "mean: 87.8 pA, sd: 0 pA"),
        ("weight: {distribution: normal, mean: 87.8, sd: 8.78}", "weight: -87.8 pA"),
        ("weight: {distribution: normal, mean: 87.8, sd: 8.78}", "weight: {distribution: constant, value: -87.8 pA}"),
        ("delay: 1.5 ms", "delay: {distribution: uniform, low: 0.5 ms, high: 2 ms}"),
        ("delay: 1.5 ms", "delay: {distribution: truncated_normal, mean: 2 ms, sd: 1 ms, min: 0.1 ms, max: null}"),
        ("rate: 8 spikes/s", "rate: 0 spikes/s, start: 0 ms, stop: 5 ms"),
        ("{rule: fixed_indegree, indegree: 3}", "{rule: pairwise_bernoulli, probability: 1}"),
        ("{rule: fixed_indegree, indegree: 3}", "{rule: explicit, sources: [], targets: []}"),
        ("name: small", "name: small\nformat_version: 1"),
        ("seed: 3", "record_spikes: [], threads: null, record_V_m: [{population: A, neurons: [0]}]"),
        (
            "name: small",
            "name: small\nparameters: [{name: x, value: [[1, 2], []], unit: '', symbol: x, meaning: '', source: ''}]",
        ),
    ],
)
def test_both_accept(schema, old, new):
    text = edited(old, new)
    parse_network(text)
    schema.validate(as_data(text))


LAUGHS = "a0: &a0 [1, 1]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 40))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "not a model description (a mapping with 'populations' and so on)"),
        ("# nothing", "not a model description (a mapping with 'populations' and so on)"),
        ("- 1\n- 2", "not a model description (a mapping with 'populations' and so on)"),
        ("name: a\nname: b\n", 'line 2: found duplicate key "name" with value "b" (original value: "a")'),
        ("name: [a\nb: 3", "line 2: expected ',' or ']', but got ':'"),
        ("name: a\n---\nname: b\n", "line 2: but found another document"),
        ("name: *who", "line 1: found undefined alias 'who'"),
        (
            "name: !!python/object/apply:os.system ['echo']",
            "line 1: could not determine a constructor for the tag 'tag:yaml.org,2002:python/object/apply:os.system'",
        ),
        ("name: !own x", "line 1: could not determine a constructor for the tag '!own'"),
        ("name: &a [*a]", "nested more than 32 levels deep"),
        ("name: " + "[" * 40 + "]" * 40, "nested more than 32 levels deep"),
        ("name: " + "[" * 1000 + "]" * 1000, "nested more than 32 levels deep"),
        ("name: " + "{a: " * 5000 + "1" + "}" * 5000, "nested more than 32 levels deep"),
        (LAUGHS, "its aliases (*name) repeat too much; write the values out"),
        (
            LAUGHS + GOOD.replace("C_m: 250 pF", "C_m: *a39"),
            "its aliases (*name) repeat too much; write the values out",
        ),
    ],
)
def test_not_a_model_file(text, line):
    with pytest.raises(FormatError) as refusal:
        parse_network(text, origin="net.yaml")
    assert str(refusal.value) == f"net.yaml: {line}"


def test_aliases_of_a_reasonable_number_are_welcome():
    text = GOOD.replace("  neuron:\n", "  neuron: &neuron\n") + "description: &text ring\n"
    text = text.replace("projections:", "- {name: B, size: 3, neuron: *neuron}\nprojections:")
    network = parse_network(text)
    assert network.population("B").neuron == network.population("A").neuron


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"\x89HDF\r\n\x1a\n\xff\x00", "not a text file in UTF-8"),
        ("name: \u00e4".encode("latin-1"), "not a text file in UTF-8"),
        (
            b"name: \x00",
            "not valid YAML (unacceptable character #x0000: special characters are not allowed in "
            '"<unicode string>", position 6)',
        ),
    ],
)
def test_unreadable_content(tmp_path, content, line):
    path = tmp_path / "net.yaml"
    path.write_bytes(content)
    with pytest.raises(FormatError) as refusal:
        read_network(path)
    assert str(refusal.value) == f"{path}: {line}"


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(FormatError, match=r"none\.yaml: cannot be read \(No such file or directory\)$"):
        read_network(tmp_path / "none.yaml")
    with pytest.raises(FormatError, match=r"cannot be read \(Is a directory\)$"):
        read_network(tmp_path)


def test_device_is_not_read_for_ever():
    with pytest.raises(FormatError, match=r"/dev/zero: not a file$"):
        read_network("/dev/zero")


def test_huge_file(tmp_path):
    path = tmp_path / "net.yaml"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(FormatError, match=r"larger than 16 MiB, too large for a model file$"):
        read_network(path)


def test_python_objects_are_refused_in_one_line_too():
    network = parse_network(GOOD)
    with pytest.raises(InterchangeError) as refusal:
        type(network)(name="x", populations=())
    assert str(refusal.value) == "Network: populations: must have at least 1 item"
