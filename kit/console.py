"""What people see: the only module that writes to the terminal.

Results go to stdout, everything about the work itself (progress, notes, errors) to stderr, so that
a verb's output can be piped. Colours and progress bars appear only on a terminal.
"""

import contextlib
import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence

from rich.console import Console
from rich.live import Live
from rich.markup import escape as escape_markup
from rich.progress import Progress
from rich.progress_bar import ProgressBar
from rich.table import Table

from kit.text import visible

# A file or pipe has no width of its own: tables there are as wide as they need to be.
_PIPE_WIDTH = 200
_BAR_WIDTH = 30


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to the command line; Rich would end with 1, which says that a check failed."""
        raise BrokenPipeError


_out = _Console(highlight=False, soft_wrap=True, emoji=False)
if not _out.is_terminal:
    _out.width = _PIPE_WIDTH
_err = _Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)


def escape(text: str) -> str:
    """Text that is printed as it is: no markup, and nothing that would act on the terminal."""
    return escape_markup(visible(text))


@dataclasses.dataclass(frozen=True)
class Bar:
    """A table's cell that is a bar: `share` (0 to 1) of the longest."""

    share: float

    def drawn(self) -> ProgressBar:
        """As Rich draws it."""
        return ProgressBar(1.0, self.share, _BAR_WIDTH, finished_style="bar.complete")


def info(text: str) -> None:
    """Print one result line on stdout, as it is."""
    _out.print(escape(text))


def note(text: str) -> None:
    """Print one line about the work in hand on stderr."""
    _err.print(escape(text), style="dim")


def error(message: str, hint: str = "") -> None:
    """Print `percepnet: message` and, below it and indented to match, each line of the hint."""
    _err.print(f"[bold red]percepnet:[/] {escape(message)}")
    for line in hint.splitlines():
        _err.print(f"           {escape(line)}")


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str = "") -> None:
    """Print rows under column headings; numbers are aligned to the right."""
    _out.print(_make_table(columns, rows, title))


def _make_table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str) -> Table:
    rows = [list(row) for row in rows]
    result = Table(title=escape(title) or None, box=None, pad_edge=False, title_justify="left")
    for index, name in enumerate(columns):
        cells = [row[index] for row in rows if row[index] != ""]
        numeric = bool(cells) and all(isinstance(cell, int | float) for cell in cells)
        result.add_column(escape(name), justify="right" if numeric else "left")
    for row in rows:
        result.add_row(
            *(cell.drawn() if isinstance(cell, Bar) else escape(str(cell)) for cell in row)
        )
    return result


def is_terminal() -> bool:
    """Whether results go to a terminal."""
    return _out.is_terminal


@contextlib.contextmanager
def live_table() -> Iterator[Callable[[Sequence[str], Iterable[Sequence[object]], str], None]]:
    """A table that stays in its place; yields the function that shows its newest state."""
    with Live(console=_out, auto_refresh=False) as live:
        yield lambda columns, rows, title: live.update(
            _make_table(columns, rows, title), refresh=True
        )


@contextlib.contextmanager
def progress(description: str, total: float) -> Iterator[Progress]:
    """A progress bar on stderr; advance it with `bar.advance(bar.task_ids[0], steps)`."""
    with Progress(console=_err, transient=True, disable=not _err.is_terminal) as bar:
        bar.add_task(escape(description), total=total)
        yield bar
