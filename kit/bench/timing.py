"""Timing contestants in turns: back to back with warm or evicted caches, or at the product's pace.

Contestants take turns in every round, in an order that moves on by one each round, so that a slow
minute of the machine is a slow minute for all of them.
"""

import contextlib
import dataclasses
import gc
import resource
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from kit.bench.calls import evictor
from kit.bench.contestant import Contestant

WARM, COLD, PACED = "warm", "cold", "paced"
FRAME_S = 0.010

Progress = Callable[[float], None]
"""Called with the seconds' worth of work done, as `planned_s` counts it."""


@dataclasses.dataclass(frozen=True)
class Plan:
    """How long to measure. rounds: turns of each contestant; warm_s, paced_s: length of a turn;
    cold_calls: of a turn. warm_up: calls at the start of a warm or paced turn that do not count."""

    rounds: int = 20
    warm_s: float = 0.02
    least_calls: int = 10
    cold_calls: int = 3
    paced_s: float = 0.3
    warm_up: int = 3

    def planned_s(self, mode: str, contestants: int) -> float:
        """About how long a mode takes."""
        turn = {WARM: self.warm_s, COLD: self.cold_calls * 0.02, PACED: self.paced_s}[mode]
        return self.rounds * contestants * turn


@dataclasses.dataclass(frozen=True)
class Times:
    """Times of single calls, us, in the order they were taken.

    missed: calls that ended after the next one was due (paced mode). preempted: calls in which
    another process had the core; warm and cold times leave them out where others are there.
    """

    us: np.ndarray
    missed: int = 0
    preempted: int = 0

    def summary(self) -> dict[str, float | int]:
        """Least, median, quartiles, tail and most, us; `n` calls."""
        marks = {"min": 0, "q1": 25, "p50": 50, "q3": 75, "p99": 99, "p999": 99.9, "max": 100}
        found = np.percentile(self.us, list(marks.values()))
        figures = {key: round(float(value), 2) for key, value in zip(marks, found, strict=True)}
        return {
            **figures,
            "n": len(self.us),
            "missed": self.missed,
            "preempted": self.preempted,
        }


@dataclasses.dataclass(frozen=True)
class _Turn:
    """One turn of a contestant: times in us, calls that another process interrupted or that came
    too late."""

    us: list[float]
    preempted: list[bool]
    missed: int = 0


def measure(
    contestants: Sequence[Contestant], mode: str, plan: Plan, progress: Progress | None = None
) -> list[Times]:
    """Time every contestant in a mode; results in their order."""
    turn = {WARM: _warm_turn, COLD: _cold_turn, PACED: _paced_turn}[mode]
    turns: list[list[_Turn]] = [[] for _ in contestants]
    calls = [0] * len(contestants)
    with _no_collector():
        for round_ in range(plan.rounds):
            for place in range(len(contestants)):
                who = (round_ + place) % len(contestants)
                turns[who].append(turn(contestants[who], calls[who], plan))
                calls[who] += plan.warm_up + len(turns[who][-1].us)
                if progress:
                    progress(plan.planned_s(mode, 1) / plan.rounds)
    return [_join(own, mode) for own in turns]


def _join(turns: Sequence[_Turn], mode: str) -> Times:
    us = np.array([time for turn in turns for time in turn.us])
    preempted = np.array([was for turn in turns for was in turn.preempted])
    if mode != PACED and not preempted.all():
        us = us[~preempted]
    return Times(us, sum(turn.missed for turn in turns), int(preempted.sum()))


def _warm_turn(contestant: Contestant, index: int, plan: Plan) -> _Turn:
    """Back to back: what a call reads is still in the caches."""
    for _ in range(plan.warm_up):
        contestant.prepare(index)
        contestant.call()
        index += 1
    turn = _Turn([], [])
    end = time.perf_counter() + plan.warm_s
    while len(turn.us) < plan.least_calls or time.perf_counter() < end:
        contestant.prepare(index)
        _time_into(turn, contestant)
        index += 1
    return turn


def _cold_turn(contestant: Contestant, index: int, plan: Plan) -> _Turn:
    """Each call after a pass that has taken all caches."""
    evict = evictor()
    turn = _Turn([], [])
    for call in range(plan.cold_calls):
        contestant.prepare(index + call)
        evict.run()
        contestant.rehearse()
        _time_into(turn, contestant)
    return turn


def _paced_turn(contestant: Contestant, index: int, plan: Plan) -> _Turn:
    """A call whenever its frames are due, the processor free for others meanwhile."""
    period = contestant.frames * FRAME_S
    calls = max(2, round(plan.paced_s / period)) + plan.warm_up
    turn, missed = _Turn([], []), 0
    due = time.perf_counter() + period
    for call in range(calls):
        contestant.prepare(index + call)
        time.sleep(max(0.0, due - time.perf_counter()))
        contestant.rehearse()
        _time_into(turn, contestant)
        due += period
        if time.perf_counter() > due:
            missed += call >= plan.warm_up
            due = time.perf_counter()
    return _Turn(turn.us[plan.warm_up :], turn.preempted[plan.warm_up :], missed)


def _time_into(turn: _Turn, contestant: Contestant) -> None:
    """Time a call, and see whether another process had the core meanwhile."""
    before = resource.getrusage(resource.RUSAGE_THREAD).ru_nivcsw
    turn.us.append(contestant.call() / 1000)
    turn.preempted.append(resource.getrusage(resource.RUSAGE_THREAD).ru_nivcsw != before)


@contextlib.contextmanager
def _no_collector() -> Iterator[None]:
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
