"""Rung two: one neuron in NEST against the closed form."""

from __future__ import annotations

import numpy as np
import pytest

from mc_interchange import realize
from mc_interchange.equivalence import membrane_potential, propagators, psp_peak
from mc_interchange.network import CATALOGUE, parse_network
from mc_interchange.runners.nest import NestRunner

PD14 = {
    "C_m": 250.0,
    "tau_m": 10.0,
    "tau_syn_ex": 0.5,
    "tau_syn_in": 0.5,
    "t_ref": 2.0,
    "E_L": -65.0,
    "V_th": -50.0,
    "V_reset": -65.0,
    "I_e": 0.0,
}
#: mV; NEST's own rounding is some 1e-14.
TOLERANCE = 1e-10


def simulate(parameters: dict[str, float], V_0: float, dt: float = 0.1):
    """Run one neuron with four inputs, and return the report, the arrivals and the run."""
    spikes = [(1.0, 1.5, 87.8), (5.3, 0.7, -351.2), (5.3, 0.1, 120.0), (20.0, 2.0, 87.8)]
    lines = [
        f"- {{kind: virtual, name: S{i}, size: 1, activity: {{kind: spike_trains, times: [[{time}]]}}}}"
        for i, (time, _, _) in enumerate(spikes)
    ]
    edges = [
        f"- {{source: S{i}, target: N, rule: {{rule: one_to_one}}, weight: {weight}, delay: {delay}}}"
        for i, (_, delay, weight) in enumerate(spikes)
    ]
    values = ", ".join(f"{k}: {v}" for k, v in parameters.items())
    model = parse_network(
        "\n".join(
            [
                "name: one",
                "populations:",
                f"- {{name: N, size: 1, initial_V_m: {V_0}, neuron: {{model: iaf_psc_exp, parameters: {{{values}}}}}}}",
                *lines,
                "projections:",
                *edges,
                f"simulation: {{dt: {dt}, duration: 50.0, record_V_m: [{{population: N, neurons: [0], interval: {dt}}}]"
                "}",
            ]
        )
    )
    run = NestRunner().run(realize(model, 1))
    return run.voltages["N"], [(time + delay, weight) for time, delay, weight in spikes], run


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"I_e": 200.0},
        {"tau_m": 23.7, "C_m": 90.0, "E_L": -71.3},
        {"tau_syn_ex": 1.7, "tau_syn_in": 4.2},
        {"tau_syn_ex": 0.1, "tau_m": 5.0},
    ],
)
@pytest.mark.parametrize("V_0", [-65.0, -51.0])
def test_potential_equals_the_closed_form(change: dict[str, float], V_0: float) -> None:
    parameters = {**PD14, **change}
    report, arrivals, run = simulate(parameters, V_0)
    assert len(run.spikes["N"]) == 0
    expected = membrane_potential(report.times, parameters, V_0, arrivals)
    assert np.abs(report.values[:, 0] - expected).max() < TOLERANCE


@pytest.mark.parametrize("wrong", [{"tau_m": 10.001}, {"C_m": 250.01}, {"tau_syn_ex": 0.5001}, {"I_e": 0.001}])
def test_the_rung_rejects_wrong_parameters(wrong: dict[str, float]) -> None:
    report, arrivals, _ = simulate(PD14, -60.0)
    expected = membrane_potential(report.times, {**PD14, **wrong}, -60.0, arrivals)
    assert np.abs(report.values[:, 0] - expected).max() > 1000 * TOLERANCE


def test_resolution_does_not_matter_below_threshold() -> None:
    for dt in (0.05, 0.1):
        report, arrivals, _ = simulate(PD14, -60.0, dt)
        assert np.abs(report.values[:, 0] - membrane_potential(report.times, PD14, -60.0, arrivals)).max() < TOLERANCE


def test_psp_of_pd14_peaks_at_0_15_millivolt() -> None:
    from mc_interchange import build

    weight = build("pd14", scale=1.0).projections[0].weight.mean
    time, height = psp_peak(weight, 10.0, 0.5, 250.0)
    assert height == pytest.approx(0.15, rel=1e-12)
    report_times = np.linspace(0, 5, 5001)
    V = membrane_potential(report_times, PD14, -65.0, [(0.0, weight)]) + 65
    assert report_times[V.argmax()] == pytest.approx(time, abs=2e-3)
    assert V.max() == pytest.approx(height, rel=1e-6)


def test_propagators_advance_the_closed_form_by_one_step() -> None:
    h, weight = 0.1, 87.8
    p = propagators(h, 10.0, 0.5, 250.0)
    potential, current = 2.0, weight
    for _ in range(100):
        potential, current = p["P22"] * potential + p["P21"] * current + p["P20"] * 30.0, p["P11"] * current
    expected = membrane_potential(np.array([10.0]), {**PD14, "I_e": 30.0}, -63.0, [(0.0, weight)])[0] + 65
    assert potential == pytest.approx(expected, abs=1e-12)


def test_spike_time_and_refractory_steps_under_direct_current() -> None:
    model = parse_network(
        "name: dc\npopulations:\n- {name: N, size: 1, neuron: {model: iaf_psc_exp, parameters: "
        + "{"
        + ", ".join(f"{k}: {v}" for k, v in {**PD14, "I_e": 500.0}.items())
        + "}}}\nsimulation: {duration: 100.0}\n"
    )
    steps = NestRunner().run(realize(model, 1)).spikes["N"].steps
    crossing = -10 * np.log(1 - 15 / (500 * 10 / 250))  # time from rest to threshold, ms
    first = int(np.ceil(crossing / 0.1))
    assert steps[0] == first
    assert set(np.diff(steps)) == {first + 20}  # 2 ms of refractory period are 20 steps


def test_catalogue_covers_the_parameters_used_here() -> None:
    assert {p.name for p in CATALOGUE["iaf_psc_exp"].parameters} == set(PD14)
