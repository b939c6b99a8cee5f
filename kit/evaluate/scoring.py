"""Scores over many mixtures, in parallel, and their summary."""

import dataclasses
import functools
import math
import multiprocessing
import statistics
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from kit.evaluate.metrics import Scores, score
from kit.train.mixing import Mixture

Enhancer = Callable[[np.ndarray], np.ndarray]
"""int16 (samples,) at 48 kHz to the same shape, aligned."""


@dataclasses.dataclass(frozen=True)
class Result:
    """Scores of one mixture: of the input as it is, and of what each system made of it."""

    snr_db: float
    reverberant: bool
    scores: dict[str, Scores]


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the summary: mean scores of one system over some of the mixtures."""

    system: str
    group: str
    count: int
    pesq: float
    stoi: float
    si_sdr_db: float
    pesq_gain: float  # mean over mixtures of PESQ minus the input's
    pesq_worst_gain: float


INPUT = "input"


def evaluate(
    mixtures: Iterable[Mixture],
    systems: dict[str, Enhancer],
    processes: int,
    tick: Callable[[], None] | None = None,
) -> list[Result]:
    """Score every system on every mixture. tick: called as each mixture is done."""
    results = []
    # Forked workers inherit the systems, which need not be picklable.
    with multiprocessing.get_context("fork").Pool(processes, _remember, (systems,)) as pool:
        for result in pool.imap(_evaluate_one, mixtures):
            results.append(result)
            if tick:
                tick()
    return results


_systems: dict[str, Enhancer] = {}


def _remember(systems: dict[str, Enhancer]) -> None:
    _systems.update(systems)


def _evaluate_one(mixture: Mixture) -> Result:
    judge = functools.partial(score, mixture.clean)
    scores = {INPUT: judge(mixture.noisy)}
    for name, enhance in _systems.items():
        scores[name] = judge(enhance(mixture.noisy))
    return Result(mixture.snr_db, mixture.reverberant, scores)


def summarise(results: Sequence[Result]) -> list[Row]:
    """Mean scores per system: over all mixtures, per ratio, and over reverberant ones."""
    groups: dict[str, list[Result]] = {"all": list(results)}
    for snr_db in sorted({r.snr_db for r in results}):
        groups[f"{snr_db:g} dB"] = [r for r in results if r.snr_db == snr_db]
    groups["reverberant"] = [r for r in results if r.reverberant]
    return [
        _row(system, group, members)
        for group, members in groups.items()
        if members
        for system in members[0].scores
    ]


def _row(system: str, group: str, members: list[Result]) -> Row:
    own = [r.scores[system] for r in members]
    gains = [r.scores[system].pesq - r.scores[INPUT].pesq for r in members]
    return Row(
        system,
        group,
        len(members),
        *(_mean(getattr(s, field.name) for s in own) for field in dataclasses.fields(Scores)),
        _mean(gains),
        min((g for g in gains if not math.isnan(g)), default=math.nan),
    )


def _mean(values: Iterable[float]) -> float:
    """Mean of what could be judged."""
    known = [v for v in values if not math.isnan(v)]
    return statistics.fmean(known) if known else math.nan
