"""The command: breaks code on purpose and says what no test noticed."""

import json
import os
import re
import sys
from pathlib import Path

import click

from kit import console
from kit.errors import KitError
from kit.files import write_atomically
from tests.mutation.areas import Area, load_areas
from tests.mutation.mutant import Mutant
from tests.mutation.trial import Outcome, Pick, Result, copies_of, drawn, try_area

LEAST_SHARE = 0.9


@click.command(
    epilog="Example: .venv/bin/python -m tests.mutation kernels quantiser --count 300 --seed 2 "
    "--json tried.json; and when tests were added: ... kernels quantiser --again tried.json"
)
@click.argument("areas", nargs=-1)
@click.option("--count", default=200, show_default=True, help="Mutants of each area.")
@click.option("--seed", default=1, show_default=True, help="Draws them.")
@click.option("--jobs", default=len(os.sched_getaffinity(0)), help="Mutants at a time.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write all outcomes.")
@click.option(
    "--again",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Only what by an earlier --json nobody noticed.",
)
def main(
    areas: tuple[str, ...],
    count: int,
    seed: int,
    jobs: int,
    json_path: Path | None,
    again: Path | None,
) -> None:
    """Break the code of AREAS (all, when left out) in one place at a time: do the tests notice?

    Exit code 1 when they miss more than one in ten.
    """
    try:
        pick = survivors_of(again) if again else drawn(count, seed)
        results = try_areas(_chosen(areas), pick, jobs)
    except KitError as error:
        console.error(error.message, error.hint)
        sys.exit(error.exit_code)
    console.table(
        ["area", "possible", "equivalent", "tried", "noticed", "share"],
        [_row(result) for result in results],
    )
    if json_path:
        write_atomically(json_path, json.dumps(as_json(results), indent=1).encode())
    sys.exit(any(result.share < LEAST_SHARE for result in results))


def try_areas(areas: list[Area], pick: Pick, jobs: int) -> list[Result]:
    """Try mutants of each area. Raises KitError as `try_area` does."""
    results = []
    for language in dict.fromkeys(area.language for area in areas):
        same = [area for area in areas if area.language == language]
        tests = list(dict.fromkeys(test for area in same for test in area.tests))
        with copies_of(language, tests, jobs) as copies:
            results += [try_area(area, copies, pick, _tell) for area in same]
    return results


def survivors_of(path: Path) -> Pick:
    """Those that an earlier run wrote down as not noticed, wherever their lines are by now."""
    results = json.loads(path.read_text(encoding="utf-8"))
    mutants = [mutant for result in results for mutant in result["mutants"]]
    missed = {_unnumbered(mutant["place"]) for mutant in mutants if not mutant["noticed_by"]}

    def pick(mutants: list[Mutant]) -> list[Mutant]:
        return [mutant for mutant in mutants if _unnumbered(mutant.place) in missed]

    return pick


def _unnumbered(place: str) -> str:
    return re.sub(r":\d+:", ":", place, count=1)


def _chosen(names: tuple[str, ...]) -> list[Area]:
    known = load_areas()
    for name in names:
        if name not in known:
            raise KitError(f"no area `{name}`", hint=f"areas: {', '.join(known)}")
    return [known[name] for name in names or known]


def _tell(outcome: Outcome) -> None:
    """Survivors are the result, the rest is progress."""
    if outcome.noticed_by:
        console.note(f"{outcome.noticed_by}: {outcome.mutant.place}")
    else:
        console.info(f"not noticed: {outcome.mutant.place}")


def _row(result: Result) -> list[object]:
    noticed = result.tried - len(result.survivors)
    numbers = [result.possible, result.equivalent, result.tried, noticed]
    return [result.area.name, *numbers, f"{100 * result.share:.1f} %"]


def as_json(results: list[Result]) -> list[dict[str, object]]:
    """Every mutant with what noticed it."""
    return [
        {
            "area": result.area.name,
            "possible": result.possible,
            "equivalent": result.equivalent,
            "tried": result.tried,
            "survived": len(result.survivors),
            "mutants": [
                {"place": outcome.mutant.place, "noticed_by": outcome.noticed_by}
                for outcome in result.outcomes
            ],
        }
        for result in results
    ]


if __name__ == "__main__":
    main()
