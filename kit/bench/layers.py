"""What a frame costs by stage and layer on this computer, from the library with probes."""

import time
from collections.abc import Iterator

import numpy as np

from kit.bench.calls import evictor
from kit.bench.ours import Denoising, Library
from kit.bench.timing import COLD, FRAME_S, PACED, WARM

WARM_UP = 10
OUTSIDE = 0
NETWORK = "network"


class Profiled:
    """A denoiser whose build has probes."""

    def __init__(self, library: Library, isa: str | None) -> None:
        self._lib = library.lib
        self._denoising = Denoising(library, isa)
        self._next = 0
        names = []
        while name := library.lib.pn_probe_name(len(names)):
            names.append(library.ffi.string(name).decode())
        self.regions = tuple(names[OUTSIDE + 1 :])
        self._lib.pn_probe_calibrate()

    @property
    def isa(self) -> str:
        """Name of the instruction set in use."""
        return self._denoising.isa

    def frames(self, mode: str, count: int) -> Iterator[np.ndarray]:
        """Costs of `count` frames, one by one: us by region, [regions]."""
        due = time.perf_counter()
        for _ in range(count):
            self._denoising.prepare(self._next)
            self._next += 1
            if mode == COLD:
                evictor().run()
            if mode == PACED:
                due += FRAME_S
                time.sleep(max(0.0, due - time.perf_counter()))
            self._lib.pn_probe_clear()
            self._denoising.frame()
            spent = list(self._lib.pn_probe_spent)[OUTSIDE + 1 :]
            yield np.array(spent) / 1000

    def measure(self, mode: str, count: int) -> dict[str, dict[str, float]]:
        """Median and quartiles by region, us, of `count` frames after some that do not count."""
        for _ in self.frames(WARM, WARM_UP):
            pass
        costs = np.array(list(self.frames(mode, count)))
        marks = np.percentile(costs, (25, 50, 75), axis=0).round(3)
        return {
            region: {"q1": float(low), "p50": float(mid), "q3": float(high)}
            for region, low, mid, high in zip(self.regions, *marks, strict=True)
        }


def stage_of(region: str) -> str:
    """The stage of a region: what stands before the dot."""
    return region.split(".")[0]


def by_stage(regions: dict[str, float]) -> dict[str, float]:
    """Sums of the regions of each stage, in order."""
    stages: dict[str, float] = {}
    for region, value in regions.items():
        stages[stage_of(region)] = stages.get(stage_of(region), 0) + value
    return stages
