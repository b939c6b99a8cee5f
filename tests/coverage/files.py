"""What was measured: of each file, how much the tests run, and the spots that they do not reach."""

import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import Path

from kit.paths import ROOT

NEVER_RUNS = "never runs"
ALWAYS_ALIKE = "always decides alike"


@dataclasses.dataclass(frozen=True)
class Spot:
    """A line that never ran, or a decision that always went one way."""

    path: str
    function: str
    number: int
    what: str

    @property
    def line(self) -> str:
        """The line's text."""
        lines = (ROOT / self.path).read_text(encoding="utf-8").splitlines()
        return lines[self.number - 1].strip()


@dataclasses.dataclass(frozen=True)
class File:
    """A file's lines and branches, how many of them the tests ran and took, and the other ones."""

    path: str
    lines: int
    run: int
    branches: int
    taken: int
    spots: list[Spot]


def by_folder(files: Iterable[File], depth: int) -> Iterator[tuple[str, int, str, int, str]]:
    """Folder, lines, share of them that ran, branches, share of them that were taken; then all.

    depth: how many names of a path make its folder.
    """
    groups: dict[str, list[File]] = {}
    for file in sorted(files, key=lambda file: file.path):
        folder = "/".join(Path(file.path).parent.parts[:depth])
        for name in (folder, "all"):
            groups.setdefault(name, []).append(file)
    for name in sorted(groups, key=lambda name: (name == "all", name)):
        lines, run, branches, taken = (
            sum(getattr(file, field) for file in groups[name])
            for field in ("lines", "run", "branches", "taken")
        )
        yield name, lines, _share(run, lines), branches, _share(taken, branches)


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else ""
