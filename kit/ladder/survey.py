"""The ladder over many mixtures at once, and what it gives on average."""

import dataclasses
import math
import statistics
from collections.abc import Callable, Sequence

import numpy as np

from kit import process
from kit.ladder.measures import Judge, Scores
from kit.ladder.signals import Pair
from kit.mixtures.mixing import Mixer

Climb = Callable[[Pair], dict[str, np.ndarray]]
"""A pair of signals to the signal of every rung, by name."""


@dataclasses.dataclass(frozen=True)
class Row:
    """One mixture and the scores of its rungs, by name."""

    snr_db: float
    reverberant: bool
    scores: dict[str, Scores]


class Survey:
    """Climbs and scores mixtures by number. It travels to worker processes."""

    def __init__(self, mixer: Mixer, climb: Climb) -> None:
        self._mixer = mixer
        self._climb = climb

    def run(self, count: int, processes: int, tick: Callable[[], None]) -> list[Row]:
        """Score the mixtures 0..count-1. tick: called as each is done."""
        rows = []
        with process.pool(processes) as pool:
            for row in pool.imap(self.row, range(count)):
                rows.append(row)
                tick()
        return rows

    def row(self, index: int) -> Row:
        """Score one mixture."""
        mixture = self._mixer.render(index)
        scores = judge(Pair(mixture.noisy, mixture.clean), self._climb)[1]
        return Row(mixture.snr_db, mixture.reverberant, scores)


def judge(pair: Pair, climb: Climb) -> tuple[dict[str, np.ndarray], dict[str, Scores]]:
    """The signals of all rungs, and their scores."""
    jury = Judge(pair.clean)
    signals = climb(pair)
    return signals, {name: jury.score(pcm) for name, pcm in signals.items()}


def mean_scores(rows: Sequence[Row]) -> dict[str, Scores]:
    """The mean of each score of each rung over the mixtures where it could be judged."""
    fields = [field.name for field in dataclasses.fields(Scores)]
    return {
        name: Scores(*(_mean([getattr(row.scores[name], f) for row in rows]) for f in fields))
        for name in rows[0].scores
    }


def _mean(values: list[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return statistics.fmean(known) if known else math.nan
