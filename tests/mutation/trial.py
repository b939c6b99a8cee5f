"""Trying mutants: each in a copy of the sources, until a test fails."""

import dataclasses
import queue
import random
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from kit.errors import CheckFailed, KitError
from kit.paths import BUILD
from tests.mutation.areas import Area, load_equivalents, without_equivalents
from tests.mutation.checkout import Checkout
from tests.mutation.firmware import BrokenFirmware, Firmware
from tests.mutation.mutant import Mutant

NO_PROGRAM = "does not compile"
_Copy = Checkout | BrokenFirmware


@dataclasses.dataclass(frozen=True)
class Outcome:
    """A mutant and the test that noticed it: "" where none did."""

    mutant: Mutant
    noticed_by: str

    @property
    def is_program(self) -> bool:
        """Whether it counts: not what the compiler refuses."""
        return self.noticed_by != NO_PROGRAM


@dataclasses.dataclass(frozen=True)
class Result:
    """Outcomes of an area. possible: mutants there are, equivalent: those that nobody can notice."""

    area: Area
    possible: int
    equivalent: int
    outcomes: list[Outcome]

    @property
    def tried(self) -> int:
        """Mutants that compiled."""
        return sum(outcome.is_program for outcome in self.outcomes)

    @property
    def survivors(self) -> list[Mutant]:
        """Mutants that no test noticed."""
        return [outcome.mutant for outcome in self.outcomes if not outcome.noticed_by]

    @property
    def share(self) -> float:
        """Of the mutants that compiled, those that were noticed."""
        return 1 - len(self.survivors) / max(self.tried, 1)


def try_area(
    area: Area, count: int, seed: int, jobs: int, told: Callable[[Outcome], None]
) -> Result:
    """Try `count` mutants of an area, drawn by the seed; told hears of each.

    Raises CheckFailed when a test fails with nothing broken, KitError for a wrong table.
    """
    every = area.mutants()
    some = without_equivalents(every, load_equivalents())
    drawn = random.Random(seed).sample(some, min(count, len(some)))
    outcomes = []
    with _copies(area, jobs) as copies, ThreadPoolExecutor(jobs) as pool:
        for outcome in pool.map(lambda mutant: _try(area, mutant, copies), drawn):
            told(outcome)
            outcomes.append(outcome)
    return Result(area, len(every), len(every) - len(some), outcomes)


@contextmanager
def _copies(area: Area, count: int) -> Iterator[queue.Queue[_Copy]]:
    """Copies of the sources, each seen to pass its tests."""
    folder = BUILD / "mutation" / area.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    copies: queue.Queue[_Copy] = queue.Queue()
    whole = Firmware(folder / "whole", area.tests) if area.language == "c" else None
    for number in range(count):
        root = folder / f"copy{number}"
        copy = whole.breakable(root) if whole else Checkout(root)
        if failed := copy.fails("", area.tests):
            raise CheckFailed(f"with nothing broken, `{failed}` fails in {root}")
        copies.put(copy)
    yield copies
    shutil.rmtree(folder)


def _try(area: Area, mutant: Mutant, copies: queue.Queue[_Copy]) -> Outcome:
    copy = copies.get()
    path: Path = copy.root / mutant.path
    whole = path.read_text(encoding="utf-8")
    try:
        path.write_text(mutant.applied_to(whole), encoding="utf-8")
        return Outcome(mutant, copy.fails(mutant.path, area.tests))
    except KitError:
        return Outcome(mutant, NO_PROGRAM)
    finally:
        path.write_text(whole, encoding="utf-8")
        copies.put(copy)
