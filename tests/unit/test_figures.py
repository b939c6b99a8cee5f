"""Numbers and plots of a report: units, kinds, and nonsense that is refused."""

import re

import pytest

from kit.devtest.figures import figures_of, histograms_of, timelines_of
from kit.devtest.protocol import Report, read_report
from kit.errors import DeviceError
from kit.measure import Paced, paced_of
from kit.report.charts import charts
from kit.report.facts import COUNTED, MEASURED, Figure

BURST = "PN_BENCH name=frame mode=burst n=9 min_{u}=1 p50_{u}=2500 max_{u}=4000 out_crc=0"
PACED = (
    "PN_BENCH name=frame mode=paced n=1000 mean_ns=250000 p50_ns=240000 p99_ns=1 p999_ns=900500 "
    "max_ns=950000 period_ns=10000000 missed=3 preempted=4 late_max_ns=60000 out_crc=0"
)
ROUND = "PN_ROUND name=frame mode=paced n=100 p50_ns={p50} max_ns={max} missed=0 crc=0"


def report_of(*lines: str) -> Report:
    return read_report(["PN_BOOT run=1 fw=f model=m isa=x", *lines, "PN_DONE bad=0"], "1")


def by_key(report: Report, emulated: bool = False) -> dict[str, Figure]:
    return {figure.key: figure for figure in figures_of(report, emulated)}


def test_times_are_shown_in_microseconds_and_called_measured() -> None:
    figures = by_key(report_of(BURST.format(u="ns"), PACED))
    median = figures["frame.burst.p50"]
    assert (median.value, median.unit, median.kind) == (2.5, "us", MEASURED)
    assert figures["frame.paced.p999"].value == 900.5
    assert figures["frame.paced.core"].value == 2.5
    assert figures["frame.paced.missed"].value == 3
    assert "frame.burst.min" not in figures


def test_p99_is_left_out_where_it_is_hardly_another_than_the_worst() -> None:
    assert "frame.paced.p99" in by_key(report_of(PACED))
    assert "frame.paced.p99" not in by_key(report_of(PACED.replace("n=1000", "n=100")))


def test_instructions_are_whole_and_called_counted() -> None:
    figure = by_key(report_of(BURST.format(u="instr")), emulated=True)["frame.burst.max"]
    assert (figure.value, figure.unit, figure.kind) == (4000, "instructions", COUNTED)


def test_nothing_of_an_emulators_times_is_left() -> None:
    report = report_of(
        BURST.format(u="ns"),
        PACED,
        ROUND.format(p50=1, max=2),
        "PN_HISTOGRAM name=frame mode=paced unit=ns bins=1-2:3",
        "PN_COSTS name=frame mode=burst unit=ns costs=1,2",
    )
    assert figures_of(report, emulated=True) == ()
    assert histograms_of(report, emulated=True) == []
    assert timelines_of(report, emulated=True) == []
    assert len(histograms_of(report, emulated=False)) == 2


def test_paced_frames_give_the_figures_that_budgets_are_for() -> None:
    assert paced_of(report_of(PACED)) == Paced(1000, 2.5, 900.5, 3, 4, 60.0)
    assert paced_of(report_of(BURST.format(u="ns"))) is None


def test_rounds_and_costs_make_timelines() -> None:
    report = report_of(
        ROUND.format(p50=10, max=20),
        ROUND.format(p50=11, max=30),
        "PN_COSTS name=frame mode=burst unit=instr costs=7,5",
    )
    costs, rounds = timelines_of(report, emulated=False)
    assert (rounds.name, rounds.each, rounds.points) == ("frame, paced", 100, ((10, 20), (11, 30)))
    assert (costs.each, costs.points) == (1, ((7, 7), (5, 5)))
    (histogram,) = histograms_of(report, emulated=False)
    assert histogram.bins == ((5, 5, 1), (7, 7, 1))


def test_plots_are_pictures_that_load_nothing_and_are_the_same_each_time() -> None:
    report = report_of(
        "PN_HISTOGRAM name=frame mode=paced unit=ns bins=1000-1015:3,2000-2031:1",
        ROUND.format(p50=1000, max=2000),
    )
    drawn = charts(histograms_of(report, False), timelines_of(report, False))
    assert [chart.name for chart in drawn] == ["frame, paced: how often", "frame, paced: in time"]
    assert drawn[0].caption == "4 calls"
    assert drawn[1].caption == "medians 1 to 1 us, worst 2 us"
    for chart in drawn:
        assert b"<svg" in chart.svg
        assert not re.search(rb'href="(?!#|http://www.w3.org)', chart.svg)
    assert drawn == charts(histograms_of(report, False), timelines_of(report, False))


@pytest.mark.parametrize(
    "line",
    [
        "PN_HISTOGRAM name=f mode=m unit=ns bins=",
        "PN_HISTOGRAM name=f mode=m unit=ns bins=1-2",
        "PN_HISTOGRAM name=f mode=m unit=ns bins=2-1:5",
        "PN_HISTOGRAM name=f mode=m unit=ns bins=1-99999999999:5",
        "PN_HISTOGRAM name=f mode=m unit=days bins=1-2:5",
        "PN_COSTS name=f mode=m unit=ns costs=1,,2",
    ],
)
def test_a_broken_histogram_is_refused(line: str) -> None:
    with pytest.raises(DeviceError):
        histograms_of(report_of(line), emulated=False)


@pytest.mark.parametrize("figure", ["period_ns=0", "mean_ns=x"])
def test_broken_paced_frames_are_refused(figure: str) -> None:
    broken = re.sub(rf"{figure.split('=')[0]}=\d+", figure, PACED)
    with pytest.raises(DeviceError):
        paced_of(report_of(broken))
