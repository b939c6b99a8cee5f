"""The tables areas.toml and equivalent.toml."""

import dataclasses
import tomllib
from pathlib import Path

from kit.errors import KitError
from kit.paths import ROOT
from tests.mutation import c_source, python_source
from tests.mutation.mutant import Mutant, in_file, sources

_FOLDER = Path(__file__).parent
_EDITS = {"c": c_source.edits, "python": python_source.edits}


@dataclasses.dataclass(frozen=True)
class Area:
    """Sources that belong together, and the tests that answer for them."""

    name: str
    language: str
    sources: list[str]
    tests: list[str]

    def mutants(self) -> list[Mutant]:
        """All that there are, equivalent ones too."""
        edits = _EDITS[self.language]
        return [
            mutant
            for path in sources(self.sources)
            for mutant in in_file(path, edits((ROOT / path).read_text(encoding="utf-8")))
        ]


@dataclasses.dataclass(frozen=True)
class Equivalent:
    """Mutants of one line that change nothing that anybody could notice, and why."""

    path: str
    line: str
    reason: str
    original: str = ""
    replacement: str = ""
    after: str = ""

    def covers(self, mutant: Mutant) -> bool:
        """Whether the mutant is one of them."""
        return (
            (self.path, self.line) == (mutant.path, mutant.line)
            and self.original in ("", mutant.original)
            and self.replacement in ("", mutant.replacement)
            and mutant.before.endswith(self.after)
        )


def load_areas() -> dict[str, Area]:
    """The areas of areas.toml by name."""
    table = tomllib.loads((_FOLDER / "areas.toml").read_text(encoding="utf-8"))
    return {name: Area(name, **fields) for name, fields in table.items()}


def load_equivalents() -> list[Equivalent]:
    """The entries of equivalent.toml."""
    table = tomllib.loads((_FOLDER / "equivalent.toml").read_text(encoding="utf-8"))
    return [Equivalent(**fields) for fields in table.get("equivalent", [])]


def without_equivalents(mutants: list[Mutant], equivalents: list[Equivalent]) -> list[Mutant]:
    """The mutants that somebody could notice.

    Raises KitError for an entry about one of their files that covers none: the code moved on.
    """
    files = {mutant.path for mutant in mutants}
    for entry in equivalents:
        if entry.path in files and not any(map(entry.covers, mutants)):
            raise KitError(
                f"equivalent.toml: `{entry.line}` of {entry.path} has no such mutant",
                hint="the code has changed: look again, and change or remove the entry",
            )
    return [mutant for mutant in mutants if not any(e.covers(mutant) for e in equivalents)]
