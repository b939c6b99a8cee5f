"""A run as one page: losses and scores over its updates, renewed while it goes on."""

import io
from collections.abc import Sequence

from matplotlib import rc_context
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from kit import pages

REFRESH_S = 30
NEWEST = 8
COLUMNS = {
    "minutes": ("minutes", "{:.1f}"),
    "update": ("update", "{:.0f}"),
    "frames": ("frames", "{:,.0f}"),
    "learning_rate": ("learning rate", "{:.2g}"),
    "training_loss": ("training loss", "{:.4f}"),
    "validation_loss": ("validation loss", "{:.4f}"),
}
LOSSES = {"training_loss": "training", "validation_loss": "validation"}
SCORES = {"pesq_gain": "PESQ-WB over input", "stoi_gain": "STOI over input"}
Rows = Sequence[dict[str, float]]

_templates = pages.environment("kit.train")


def render(name: str, updates: int, log: Rows, scores: Rows) -> str:
    """Draw the page of a run of `updates` updates.

    log, scores: rows of log.csv and scores.csv, oldest first; either may be empty.
    """
    done = int(log[-1]["update"]) if log else 0
    pictures = [(_picture(log, LOSSES, log_scale=True), "Loss")] if log else []
    if scores:
        words = "Scores of the averaged network, in 8 bits, on recordings held out"
        pictures.append((_picture(scores, SCORES, log_scale=False), words))
    return _templates.get_template("training.html").render(
        title=f"Training of {name}",
        refresh_s=REFRESH_S,
        state=f"Update {done:,} of {updates:,}.",
        pictures=pictures,
        headings=[heading for heading, _ in COLUMNS.values()],
        rows=[
            [form.format(row[key]) for key, (_, form) in COLUMNS.items()]
            for row in reversed(log[-NEWEST:])
        ],
    )


def _picture(rows: Rows, curves: dict[str, str], log_scale: bool) -> str:
    """Curves over updates as an address that holds the picture."""
    with rc_context({"svg.hashsalt": "percepnet"}):
        figure = Figure(figsize=(10.0, 3.6), layout="constrained")
        axis = figure.subplots()
        updates = [row["update"] for row in rows]
        for key, label in curves.items():
            axis.plot(updates, [row[key] for row in rows], ".-", label=label)
        axis.set_xlabel("updates")
        axis.set_yscale("log" if log_scale else "linear")
        axis.grid(alpha=0.3)
        axis.legend(frameon=False)
        buffer = io.BytesIO()
        FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None})
    return pages.data_uri("image/svg+xml", buffer.getvalue())
