"""Trying mutants: each in a copy of the sources, until a test fails."""

import contextlib
import dataclasses
import os
import queue
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from kit.errors import KitError
from kit.paths import BUILD
from tests.mutation.areas import Area, load_equivalents, without_equivalents
from tests.mutation.checkout import Checkout
from tests.mutation.firmware import BrokenFirmware, Firmware
from tests.mutation.mutant import Mutant

NO_PROGRAM = "does not compile"
Copy = Checkout | BrokenFirmware
Copies = queue.Queue[Copy]
Pick = Callable[[list[Mutant]], list[Mutant]]
"""Those of an area's mutants that are tried."""


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
    """Copies of the sources of a language, to be broken; tests: all that any mutant may need.

    Raises CheckFailed when a test fails with nothing broken.
    """
    folder = BUILD / "mutation" / language
    whole = Firmware(folder / "whole", tests) if language == "c" else None
    copies = Copies()
    with contextlib.ExitStack() as opened:
        for number in range(count):
            root = folder / f"copy{number}"
            copy = whole.breakable(root) if whole else Checkout(root, tests)
            opened.callback(copy.close)
            copies.put(copy)
        yield copies


def drawn(count: int, seed: int) -> Pick:
    """As many, drawn by the seed."""

    def pick(mutants: list[Mutant]) -> list[Mutant]:
        random.Random(seed).shuffle(mutants)
        return mutants[:count]

    return pick


def try_area(area: Area, copies: Copies, pick: Pick, told: Callable[[Outcome], None]) -> Result:
    """Try mutants of an area; told hears of each. Raises KitError for a wrong table."""
    every = area.mutants()
    some = without_equivalents(every, load_equivalents())
    possible, equivalent = len(every), len(every) - len(some)
    outcomes, noticed = [], {}
    with ThreadPoolExecutor(copies.qsize()) as pool:
        for outcome in pool.map(lambda mutant: _try(area, mutant, copies, noticed), pick(some)):
            told(outcome)
            outcomes.append(outcome)
    return Result(area, possible, equivalent, outcomes)


def _try(area: Area, mutant: Mutant, copies: Copies, noticed: dict[str, str]) -> Outcome:
    """noticed: by which test, of each file, something was last noticed: it is asked first."""
    tests = sorted(area.tests, key=lambda test: not noticed.get(mutant.path, "").startswith(test))
    copy = copies.get()
    path = copy.root / mutant.path
    whole, status = path.read_text(encoding="utf-8"), path.stat()
    try:
        path.write_text(mutant.applied_to(whole), encoding="utf-8")
        outcome = Outcome(mutant, copy.fails(mutant.path, tests))
    except KitError:
        return Outcome(mutant, NO_PROGRAM)
    finally:
        path.write_text(whole, encoding="utf-8")
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        copies.put(copy)
    if outcome.noticed_by:
        noticed[mutant.path] = outcome.noticed_by
    return outcome
