"""One mutant: a text put in the place of another in one source file."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

from kit.paths import ROOT


@dataclasses.dataclass(frozen=True)
class Mutant:
    """`original`, at character `start` of a file below the checkout, becomes `replacement`.

    line: without its indentation; before: what of it stands before the mutant.
    """

    path: str
    start: int
    original: str
    replacement: str
    line_number: int
    line: str
    before: str

    def applied_to(self, text: str) -> str:
        """The file's text with the mutant in it."""
        end = self.start + len(self.original)
        assert text[self.start : end] == self.original
        return text[: self.start] + self.replacement + text[end:]

    @property
    def place(self) -> str:
        """Where and what, for people."""
        what = f"`{self.original}` -> `{self.replacement}`" if self.replacement else "deleted"
        return f"{self.path}:{self.line_number}: {what}: {self.line}"


def in_file(path: str, edits: Iterator[tuple[int, str, str]]) -> list[Mutant]:
    """Mutants of edits (start, original, replacement) in a file, in the order of the file."""
    text = (ROOT / path).read_text(encoding="utf-8")
    lines = text.splitlines()
    mutants = []
    for start, original, replacement in sorted(set(edits)):
        number = text.count("\n", 0, start) + 1
        line = lines[number - 1].strip()
        before = text[text.rfind("\n", 0, start) + 1 : start].lstrip()
        mutants.append(Mutant(path, start, original, replacement, number, line, before))
    return mutants


def sources(patterns: list[str]) -> list[str]:
    """Files below the checkout that match, each named once."""
    found = {path for pattern in patterns for path in ROOT.glob(pattern)}
    return sorted(str(Path(path).relative_to(ROOT)) for path in found)
