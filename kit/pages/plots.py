"""What plots on pages share: names from outside that are safe to draw, and the picture as SVG."""

import io
import warnings
from typing import TYPE_CHECKING

from kit.text import visible

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# The same picture each time; text stays text, which the reader's fonts show; a `$` is no formula.
STYLE = {"svg.hashsalt": "percepnet", "svg.fonttype": "none", "text.parse_math": False}


def label(name: str) -> str:
    """A name from outside in one line of a plot: as tables show it, line feeds spelled out too."""
    return visible(name).replace("\n", "\\n").replace("\t", "\\t")


def svg(figure: "Figure") -> bytes:
    """A figure as SVG. Letters that matplotlib's own font lacks only have their width guessed."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+ .*missing from")
        FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None})
    return buffer.getvalue()
