"""Scores of many systems over many recordings, in parallel, and their summary."""

import dataclasses
import functools
import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from kit import process
from kit.evaluate.material import Case
from kit.evaluate.metrics import Scores, mean, score

Enhancer = Callable[[np.ndarray], np.ndarray]
"""int16 (samples,) at 48 kHz to the same shape, aligned."""


@dataclasses.dataclass(frozen=True)
class Result:
    """Scores of one recording: of the input as it is, and of what each system made of it."""

    groups: tuple[str, ...]
    scores: dict[str, Scores]
    name: str = ""


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the summary: mean scores of one system over the recordings of a group."""

    system: str
    group: str
    count: int
    pesq: float
    stoi: float
    estoi: float
    si_sdr_db: float
    level_db: float
    pesq_gain: float  # mean over recordings of PESQ minus the input's
    pesq_worst_gain: float
    pesq_worst: float
    level_worst_db: float  # the one farthest from zero


INPUT = "input"


def evaluate(
    cases: Iterable[Case],
    systems: dict[str, Enhancer],
    processes: int,
    tick: Callable[[], None] | None = None,
) -> list[Result]:
    """Score every system on every recording. tick: called as each recording is done."""
    results = []
    # Forked workers inherit the systems, which need not be picklable.
    with process.pool(processes, _remember, systems) as pool:
        for result in pool.imap(_evaluate_one, cases):
            results.append(result)
            if tick:
                tick()
    return results


_systems: dict[str, Enhancer] = {}


def _remember(systems: dict[str, Enhancer]) -> None:
    _systems.update(systems)


def _evaluate_one(case: Case) -> Result:
    judge = functools.partial(score, case.clean)
    scores = {INPUT: judge(case.noisy)}
    for name, enhance in _systems.items():
        scores[name] = judge(enhance(case.noisy))
    return Result(case.groups, scores, case.name)


def summarise(results: Sequence[Result]) -> list[Row]:
    """Mean scores per group and system; groups sorted as they are first met, numbers by size."""
    names = {name: None for result in results for name in result.groups}
    groups = {name: [r for r in results if name in r.groups] for name in sorted(names, key=_order)}
    return [
        _row(system, group, members)
        for group, members in groups.items()
        for system in members[0].scores
    ]


def _order(group: str) -> tuple[int, float, str]:
    """`all` first, then ratios and levels by size, then the rest."""
    words = group.replace("clean, ", "").split()
    kinds = {"all": 0, "dB": 1, "dBFS": 3}
    number = float(words[0]) if words[-1] in ("dB", "dBFS") else 0.0
    return kinds.get(words[-1], 2), number, group


def _row(system: str, group: str, members: list[Result]) -> Row:
    own = [r.scores[system] for r in members]
    gains = [r.scores[system].pesq - r.scores[INPUT].pesq for r in members]
    levels = [s.level_db for s in own if not math.isnan(s.level_db)]
    return Row(
        system,
        group,
        len(members),
        *(mean(getattr(s, field.name) for s in own) for field in dataclasses.fields(Scores)),
        mean(gains),
        _least(gains),
        _least(s.pesq for s in own),
        max(levels, key=abs, default=math.nan),
    )


def _least(values: Iterable[float]) -> float:
    return min((v for v in values if not math.isnan(v)), default=math.nan)
