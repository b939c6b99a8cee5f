"""Plots of what calls cost: how often each cost occurred, and how costs went on over time."""

from collections.abc import Sequence

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from kit.devtest.figures import Histogram, Timeline, unit_word
from kit.pages import plots
from kit.report.facts import Chart

_STYLE = plots.STYLE | {"font.family": "sans-serif", "font.size": 10}
_COLOUR = "#6a3d9a"
_WORST_COLOUR = "#c0392b"
_SIZE_INCHES = (5.0, 2.6)
_BARS = 60


def histogram_chart(histogram: Histogram) -> Chart:
    """Counts over costs; counts on a logarithmic scale, for the rare ones are those to see."""
    word, scale = unit_word(histogram.unit)
    low, high, counts = np.array(histogram.bins, np.int64).T
    edges = np.linspace(low.min(), high.max() + 1, _BARS + 1)
    heights, _ = np.histogram((low + high) / 2, edges, weights=counts)
    with rc_context(_STYLE):
        figure, axis = _figure()
        axis.stairs(heights, edges / scale, fill=True, color=_COLOUR)
        axis.set_yscale("log")
        axis.set_ylim(bottom=0.5)
        axis.set_xlabel(word)
        axis.set_ylabel("calls")
        return Chart(f"{histogram.name}: how often", f"{counts.sum()} calls", plots.svg(figure))


def timeline_chart(timeline: Timeline) -> Chart:
    """Median and worst cost over time."""
    word, scale = unit_word(timeline.unit)
    with rc_context(_STYLE):
        figure, axis = _figure()
        medians, worsts = zip(*timeline.points, strict=True)
        if timeline.each > 1:
            axis.plot([cost / scale for cost in worsts], ".-", color=_WORST_COLOUR, label="worst")
        axis.plot([cost / scale for cost in medians], ".-", color=_COLOUR, label="median")
        axis.set_ylim(0, 1.1 * max(worsts) / scale or 1)
        axis.set_xlabel(f"rounds of {timeline.each} calls" if timeline.each > 1 else "calls")
        axis.set_ylabel(word)
        if timeline.each > 1:
            axis.legend(frameon=False, fontsize=9, loc="lower right")
        return Chart(f"{timeline.name}: in time", _span(timeline), plots.svg(figure))


def charts(histograms: Sequence[Histogram], timelines: Sequence[Timeline]) -> tuple[Chart, ...]:
    """All plots, those of one measurement beside each other."""
    drawn = [histogram_chart(each) for each in histograms if each.bins]
    drawn += [timeline_chart(each) for each in timelines if each.points]
    return tuple(sorted(drawn, key=lambda chart: chart.name))


def _span(timeline: Timeline) -> str:
    word, scale = unit_word(timeline.unit)
    medians, worsts = zip(*timeline.points, strict=True)
    return (
        f"medians {min(medians) / scale:,.6g} to {max(medians) / scale:,.6g} {word}, "
        f"worst {max(worsts) / scale:,.6g} {word}"
    )


def _figure() -> tuple[Figure, object]:
    figure = Figure(figsize=_SIZE_INCHES, layout="constrained")
    return figure, figure.subplots()
