"""Trying mutants: each in a copy of the sources, until a test fails."""

import contextlib
import dataclasses
import queue
import random
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from kit.errors import CheckFailed, KitError
from kit.paths import BUILD
from tests.mutation.areas import Area, load_equivalents, without_equivalents
from tests.mutation.checkout import Checkout
from tests.mutation.firmware import BrokenFirmware, Firmware
from tests.mutation.mutant import Mutant

NO_PROGRAM = "does not compile"
Copy = Checkout | BrokenFirmware
Copies = queue.Queue[Copy]


@dataclasses.dataclass(frozen=True)
class Outcome:
    """A mutant and the test that noticed it: "" where none did."""

    mutant: Mutant
    noticed_by: str


@dataclasses.dataclass(frozen=True)
class Result:
    """Outcomes of an area. possible: all its mutants; equivalent: those nobody can notice."""

    area: Area
    possible: int
    equivalent: int
    outcomes: list[Outcome]

    @property
    def tried(self) -> int:
        """Mutants that compiled."""
        return sum(outcome.noticed_by != NO_PROGRAM for outcome in self.outcomes)

    @property
    def survivors(self) -> list[Mutant]:
        """Mutants that no test noticed."""
        return [outcome.mutant for outcome in self.outcomes if not outcome.noticed_by]

    @property
    def share(self) -> float:
        """Of the mutants that compiled, those that were noticed."""
        return 1 - len(self.survivors) / max(self.tried, 1)


@contextlib.contextmanager
def copies_of(language: str, tests: list[str], count: int) -> Iterator[Copies]:
    """Copies of the sources of a language, to be broken; tests: all that any mutant may need."""
    folder = BUILD / "mutation" / language
    whole = Firmware(folder / "whole", tests) if language == "c" else None
    copies = Copies()
    for number in range(count):
        root = folder / f"copy{number}"
        shutil.rmtree(root, ignore_errors=True)
        copies.put(whole.breakable(root) if whole else Checkout(root))
    yield copies


def try_area(
    area: Area, copies: Copies, count: int, seed: int, told: Callable[[Outcome], None]
) -> Result:
    """Try `count` mutants of an area, drawn by the seed; told hears of each.

    Raises CheckFailed when a test fails with nothing broken, KitError for a wrong table.
    """
    every = area.mutants()
    some = without_equivalents(every, load_equivalents())
    drawn = random.Random(seed).sample(some, min(count, len(some)))
    _require_sound(area, copies)
    outcomes = []
    with ThreadPoolExecutor(copies.qsize()) as pool:
        for outcome in pool.map(lambda mutant: _try(area, mutant, copies), drawn):
            told(outcome)
            outcomes.append(outcome)
    return Result(area, len(every), len(every) - len(some), outcomes)


def _require_sound(area: Area, copies: Copies) -> None:
    """Raise CheckFailed unless the tests pass with nothing broken, in each copy."""
    for _ in range(copies.qsize()):
        copy = copies.get()
        if failed := copy.fails("", area.tests):
            raise CheckFailed(f"with nothing broken, `{failed}` fails in {copy.root}")
        copies.put(copy)


def _try(area: Area, mutant: Mutant, copies: Copies) -> Outcome:
    copy = copies.get()
    path = copy.root / mutant.path
    whole = path.read_text(encoding="utf-8")
    try:
        path.write_text(mutant.applied_to(whole), encoding="utf-8")
        return Outcome(mutant, copy.fails(mutant.path, area.tests))
    except KitError:
        return Outcome(mutant, NO_PROGRAM)
    finally:
        path.write_text(whole, encoding="utf-8")
        copies.put(copy)
