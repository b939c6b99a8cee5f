"""What is measured side by side: a call, what it needs before, and what it did."""

import dataclasses
import time
from collections.abc import Callable

import numpy as np


def _nothing(_index: int) -> None:
    """For contestants that need no preparation."""


def _no_rehearsal() -> None:
    """For contestants that are timed in C."""


@dataclasses.dataclass(frozen=True)
class Contestant:
    """Something to time.

    scope: what a call does: "network", "frame" (the whole signal path too), "stream" or "kernel".
    call: makes the call, on the input that `prepare(index)` has put in place, untimed, for the
    index-th one, and returns its nanoseconds. rehearse: brings the caller's own code into the
    caches, so that a call with cold caches pays for the callee's memory and not for Python's.
    frames: of 10 ms that a call covers. peer: whose it is; empty for ours. run: for a network,
    gains from features, both of shape [steps, n], afresh, to be compared with the reference.
    """

    name: str
    scope: str
    call: Callable[[], int]
    prepare: Callable[[int], None] = _nothing
    rehearse: Callable[[], object] = _no_rehearsal
    frames: int = 1
    peer: str = ""
    run: Callable[[np.ndarray], np.ndarray] | None = None


def timed_in_python(function: Callable[[], object]) -> Callable[[], int]:
    """A `call` for what C cannot reach; Python's own part in it is 0.1 to 0.3 us when warm."""

    def call() -> int:
        start = time.perf_counter_ns()
        function()
        return time.perf_counter_ns() - start

    return call
