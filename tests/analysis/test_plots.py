"""Plots: what is drawn, in every type of file, of one run and of several, active or silent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_hex

from mc_interchange import build, realize
from mc_interchange.analysis import plots
from mc_interchange.analysis.plots.activity import _spread
from mc_interchange.analysis.statistics import activity_of
from mc_interchange.errors import UsageError
from mc_interchange.formats.sonata_output import Report
from mc_interchange.runs import Run, Spikes

SIZES = {"E": 3000, "I": 5, "S": 20}


def make_run(n_spikes: int, *, recorded: bool = False) -> Run:
    rng = np.random.default_rng(1)
    spikes = {
        name: Spikes.sorted(rng.integers(1, 10_000, n_spikes), rng.integers(0, size, n_spikes))
        for name, size in SIZES.items()
    }
    report = Report(np.array([3, 7], np.uint64), np.arange(4) * 0.1, np.arange(8.0).reshape(4, 2))
    return Run("m", "s", 0.1, 1000.0, 100.0, 1, 1, SIZES, spikes, {"E": report} if recorded else {})


@pytest.fixture(scope="module")
def pd14():
    return realize(build("pd14", n_scale=0.005, k_scale=0.05))


@pytest.mark.parametrize(("ending", "magic"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_file_types_and_same_bytes(tmp_path: Path, ending: str, magic: bytes) -> None:
    paths = [tmp_path / f"{name}.{ending}" for name in ("one", "two")]
    for path in paths:
        plots.raster_and_rates({"a": make_run(500), "b": make_run(500)}, path, colors={"E": "#0072b2"}, title="two")
    assert paths[0].read_bytes().startswith(magic)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert len(list(tmp_path.iterdir())) == 2


def test_an_unknown_file_type(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"x\.bmp: the ending must be one of \.png, \.svg, \.pdf"):
        plots.save(plots.raster(make_run(5)), tmp_path / "x.bmp")


def test_raster_shows_the_spikes_of_the_end() -> None:
    run = make_run(400)
    axes = plots.raster(run, shown=200.0)
    dots = {line.get_label(): line for line in axes.lines if line.get_label() in SIZES}
    assert list(dots) == list(SIZES)
    times = run.spikes["S"].steps * run.dt
    kept = (times > 800.0) & (run.spikes["S"].neurons % 2 == 0)  # every second of 3025 neurons
    np.testing.assert_array_equal(dots["S"].get_xdata(), times[kept])
    np.testing.assert_array_equal(dots["S"].get_ydata(), 3005 + run.spikes["S"].neurons[kept])
    assert axes.get_xlim() == (800.0, 1000.0)
    assert len({to_hex(line.get_color()) for line in dots.values()}) == 3


def test_rates_are_those_of_the_run() -> None:
    run = make_run(400)
    axes = plots.rates({"a": run, "b": make_run(800)})
    np.testing.assert_allclose([bar.get_width() for bar in axes.patches[:3]], list(run.rates().values()))
    assert [bar.get_hatch() for bar in axes.patches] == [None] * 3 + ["////"] * 3


@pytest.mark.parametrize("measure", ["rate", "CV", "correlation"])
def test_boxes_hold_the_median(measure: str) -> None:
    activity = activity_of(make_run(6000))
    axes = plots.distributions({"a": activity}, measure)
    medians = [line.get_xdata()[0] for line in axes.lines if to_hex(line.get_color()) == "#000000"]
    for name, values in activity.items():
        assert np.median(values[measure]) in medians, name


def test_an_unknown_measure() -> None:
    with pytest.raises(UsageError, match="unknown measure 'speed'; known: rate, CV, correlation"):
        plots.distributions({"a": activity_of(make_run(5))}, "speed")


def test_potentials() -> None:
    axes = plots.potentials(make_run(5, recorded=True))
    np.testing.assert_array_equal(axes.lines[1].get_ydata(), [1.0, 3.0, 5.0, 7.0])
    with pytest.raises(UsageError, match="no membrane potentials were recorded"):
        plots.potentials(make_run(5))


def test_connectivity_shows_in_degrees(pd14) -> None:
    axes = plots.connectivity(pd14)
    shown = np.ma.filled(axes.images[0].get_array(), 0.0)
    names = list(pd14.populations)
    edges = pd14.projections["L4E_to_L23E"]
    assert shown[names.index("L23E"), names.index("L4E")] == pytest.approx(
        edges.n_edges / pd14.populations["L23E"].size
    )
    assert np.nansum(shown * [[pd14.populations[n].size] for n in names]) == pytest.approx(pd14.n_edges)


@pytest.mark.parametrize("draw", [plots.weight_histogram, plots.delay_histogram])
def test_histograms_count_every_synapse(pd14, draw) -> None:
    axes = draw(pd14)
    # an empty bar is drawn at a half, for the logarithm
    total = sum(np.where(p.get_data().values > 0.5, p.get_data().values, 0).sum() for p in axes.patches)
    assert total == pd14.n_edges
    assert [p.get_label() for p in axes.patches] == list(pd14.populations)


def test_delays_stand_at_their_steps(pd14) -> None:
    bars = plots.delay_histogram(pd14).patches[0].get_data()
    delays = np.concatenate([b.delay for e in pd14.projections.values() if e.source == "L23E" for b in e.blocks()])
    at = (bars.edges[:-1] + bars.edges[1:]) / 2
    assert bars.values[np.argmin(abs(at - 1.5))] == np.count_nonzero(delays == 15)


def test_figures_of_everything(tmp_path: Path, pd14) -> None:
    plots.save(plots.run_figure({"a": make_run(300, recorded=True), "b": make_run(0)}), tmp_path / "runs.png")
    figure = plots.network_figure(pd14, workers=2)
    plots.save(figure, tmp_path / "network.svg")
    assert f"{pd14.n_edges:,} synapses" in (tmp_path / "network.svg").read_text() or figure.get_suptitle()


def test_labels_keep_their_distance() -> None:
    assert _spread([10.0, 11.0, 30.0, 31.0], 5.0) == [10.0, 15.0, 30.0, 35.0]


def test_a_raster_ends_soon_after_the_time_that_is_marked() -> None:
    figure = plots.rasters_beside({"a": make_run(400), "b": make_run(400)}, mark=300.0)
    for axes in figure.axes:
        assert axes.get_xlim() == (0.0, 400.0)
        assert [line.get_xdata()[0] for line in axes.lines if line.get_linestyle() == "--"] == [300.0]


def test_the_reference_lies_below_and_the_largest_difference_stands_above() -> None:
    wanted = np.zeros((3, 2))
    found = wanted + np.array([0.0, 0.25])
    course = plots.Course("E", np.arange(3.0), found, wanted)
    axes = plots.courses_beside([course], colors={"E": "#0072b2"}).axes[0]
    assert axes.get_title(loc="left") == "E: largest difference 0.25 mV"
    assert [to_hex(line.get_color()) == "#0072b2" for line in axes.lines] == [False, True, False, True]


def test_indegrees_of_every_target(pd14) -> None:
    axes = plots.indegree_histogram(pd14)
    assert [patch.get_label() for patch in axes.patches] == list(pd14.populations)
