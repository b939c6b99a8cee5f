"""An evaluation as one page: tables and plots, nothing loaded from elsewhere."""

import math
from collections.abc import Sequence

from matplotlib import rc_context
from matplotlib.figure import Figure

from kit import pages
from kit.evaluate.scoring import INPUT, Result, Row
from kit.pages import plots

COLUMNS = {
    "pesq": ("PESQ-WB", "{:.2f}"),
    "pesq_gain": ("over input", "{:+.2f}"),
    "pesq_worst_gain": ("worst", "{:+.2f}"),
    "stoi": ("STOI", "{:.3f}"),
    "estoi": ("ESTOI", "{:.3f}"),
    "si_sdr_db": ("SI-SDR, dB", "{:.1f}"),
    "level_db": ("level, dB", "{:+.1f}"),
}
# A spacing before the system whose bars begin a group.
_GROUP_WIDTH = 0.8

_templates = pages.environment("kit.evaluate")


def cells(row: Row) -> list[str]:
    """A row's numbers as text, in the order of COLUMNS."""
    return pages.cells(row, COLUMNS)


def render(title: str, rows: Sequence[Row], results: Sequence[Result]) -> str:
    """The page."""
    groups = list(dict.fromkeys(row.group for row in rows))
    return _templates.get_template("evaluation.html").render(
        title=title,
        headings=[heading for heading, _ in COLUMNS.values()],
        tables=[
            (group, [(row, cells(row)) for row in rows if row.group == group]) for group in groups
        ],
        pictures=[_picture(_bars(rows)), _picture(_scatter(results))],
        systems=list(results[0].scores),
        recordings=[
            (result.name, ", ".join(result.groups), [_pesq(s.pesq) for s in result.scores.values()])
            for result in results
        ],
    )


def _pesq(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.2f}"


def _bars(rows: Sequence[Row]) -> bytes:
    """PESQ-WB over the input's, and STOI over the input's, by group and system."""
    groups = [g for g in dict.fromkeys(r.group for r in rows) if not g.startswith("clean")]
    systems = [s for s in dict.fromkeys(r.system for r in rows) if s != INPUT]
    found = {(r.group, r.system): r for r in rows}
    with rc_context(plots.STYLE):
        figure = Figure(figsize=(10.0, 5.6), layout="constrained")
        axes = figure.subplots(2, 1, sharex=True)
        for axis, label, value in (
            (axes[0], "PESQ-WB over input", lambda r: r.pesq_gain),
            (axes[1], "STOI over input", lambda r: r.stoi - found[r.group, INPUT].stoi),
        ):
            for i, system in enumerate(systems):
                width = _GROUP_WIDTH / len(systems)
                places = [at - _GROUP_WIDTH / 2 + (i + 0.5) * width for at in range(len(groups))]
                heights = [value(found[group, system]) for group in groups]
                axis.bar(places, heights, width, label=plots.label(system))
            axis.axhline(0.0, color="black", linewidth=0.8)
            axis.set_ylabel(label)
        axes[1].set_xticks(range(len(groups)), [plots.label(group) for group in groups])
        axes[0].legend(frameon=False, ncols=4, fontsize=9)
        return plots.svg(figure)


def _scatter(results: Sequence[Result]) -> bytes:
    """PESQ-WB of every recording before and after."""
    systems = [name for name in results[0].scores if name != INPUT]
    with rc_context(plots.STYLE):
        figure = Figure(figsize=(10.0, 4.6), layout="constrained")
        axis = figure.subplots()
        for system in systems:
            before = [r.scores[INPUT].pesq for r in results]
            after = [r.scores[system].pesq for r in results]
            axis.plot(before, after, ".", label=plots.label(system), alpha=0.7)
        axis.plot([1.0, 4.6], [1.0, 4.6], color="black", linewidth=0.8)
        axis.set_xlabel("PESQ-WB of the input")
        axis.set_ylabel("PESQ-WB of the output")
        axis.legend(frameon=False, fontsize=9)
        return plots.svg(figure)


def _picture(svg: bytes) -> str:
    return pages.data_uri("image/svg+xml", svg)
