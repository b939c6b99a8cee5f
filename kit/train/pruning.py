"""Training towards block sparse matrices: zeros that spread, then stay (Zhu and Gupta 2017)."""

import math

import numpy as np
import torch

from kit.model.architecture import Architecture
from kit.model.sparsify import masks
from kit.train.network import PercepNet

# Of the run, in which the share rises; the rest heals what was cut.
RISING_SHARE = 0.5
# Updates from one choice of blocks to the next, at most.
INTERVAL = 10


class Pruning:
    """Keeps a share of the blocks of each matrix at zero, and lets it rise with the run.

    A block that is zero is chosen again at every later choice: masks follow from the weights, so
    that a run in pieces needs no memory of them.
    """

    def __init__(self, arch: Architecture, share: float, updates: int) -> None:
        self._arch = arch
        self._share = share
        self._rising = max(1.0, RISING_SHARE * updates)
        # A short run chooses once at least.
        self._interval = min(INTERVAL, math.ceil(self._rising))
        self._masks: dict[str, torch.Tensor] = {}

    def share_at(self, update: int) -> float:
        """The share of zero blocks after so many updates: steep at first, then ever flatter."""
        chosen = min(update // self._interval * self._interval, self._rising)
        return self._share * (1.0 - (1.0 - chosen / self._rising) ** 3)

    def apply(self, update: int, net: PercepNet, mean: PercepNet) -> None:
        """Zero the blocks that update `update` leaves out, in the network and in its average."""
        rises = update % self._interval == 0 and update < self._rising + self._interval
        if rises or not self._masks:
            kept: dict[str, np.ndarray] = masks(net.weights(), self._arch, self.share_at(update))
            self._masks = {name: torch.from_numpy(mask) for name, mask in kept.items()}
        with torch.no_grad():
            for parameters in (dict(net.named_parameters()), dict(mean.named_parameters())):
                for name, mask in self._masks.items():
                    parameters[name].mul_(mask.to(parameters[name].device))
