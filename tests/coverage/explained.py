"""The table explained.toml: why what no test reaches is right to be there."""

import dataclasses
import tomllib
from collections.abc import Sequence
from pathlib import Path

from tests.coverage.files import File, Spot

TABLE = Path(__file__).with_name("explained.toml")


@dataclasses.dataclass(frozen=True)
class Explanation:
    """Why spots of one function are right to be there; of all its lines where none is named.

    elsewhere: on another computer, or at another moment, they may run.
    """

    path: str
    function: str
    reason: str
    lines: Sequence[str] = ()
    elsewhere: bool = False

    def covers(self, spot: Spot) -> bool:
        """Whether the spot is one of them."""
        if (self.path, self.function) != (spot.path, spot.function):
            return False
        return not self.lines or spot.line in self.lines

    def unused(self, spots: Sequence[Spot]) -> list[str]:
        """Which of its lines are no spots; the function's name where none is named."""
        found = {spot.line for spot in spots if self.covers(spot)}
        if self.elsewhere or (found and not self.lines):
            return []
        return [line for line in self.lines or [self.function] if line not in found]


def load(folder: str, table: Path = TABLE) -> list[Explanation]:
    """The entries about files below a folder of the checkout."""
    entries = tomllib.loads(table.read_text(encoding="utf-8")).get("explained", [])
    known = [Explanation(**entry) for entry in entries]
    return [entry for entry in known if entry.path.startswith(f"{folder}/")]


def findings(files: Sequence[File], known: Sequence[Explanation]) -> list[str]:
    """What is neither run nor explained, and what is explained in vain, a line each."""
    spots = [spot for file in files for spot in file.spots]
    return [
        *(
            f"{spot.path}:{spot.number}: {spot.function}: {spot.what}: {spot.line}"
            for spot in spots
            if not any(entry.covers(spot) for entry in known)
        ),
        *(
            f"{entry.path}: {entry.function}: explained, and runs or is gone: {line}"
            for entry in known
            for line in entry.unused(spots)
        ),
    ]
