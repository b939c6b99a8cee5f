"""How boldly a trained network suppresses: slope and offset of its gains, chosen by ear (PESQ).

The loss compares gains band by band; what people hear is another matter. Before the last sigmoid
both numbers cost nothing: they are folded into the gain layer.
"""

import copy
import dataclasses
import statistics
from collections.abc import Callable, Sequence

import numpy as np
import torch

from kit.evaluate import engine, scoring
from kit.train.mixing import Mixture
from kit.train.network import PercepNet
from kit.train.training import FEATURE_UNIT

# Clean speech may lose this much at most.
MOST_LOST_DB = 0.4


@dataclasses.dataclass(frozen=True)
class OperatingPoint:
    """The gain layer's answers before the sigmoid become slope * answer + offset."""

    slope: float
    offset: float


CANDIDATES = tuple(
    OperatingPoint(slope, offset) for slope in (1.0, 0.8) for offset in (0.0, -0.4, -0.8, -1.2)
)


def applied(net: PercepNet, point: OperatingPoint) -> PercepNet:
    """Return a copy of the network with the operating point folded into its gain layer."""
    changed = copy.deepcopy(net)
    with torch.no_grad():
        changed.gains.weight.mul_(point.slope)
        changed.gains.bias.mul_(point.slope).add_(point.offset)
    return changed


def torch_network(net: PercepNet) -> engine.Network:
    """Wrap a network for the evaluation's engine."""

    def run(features_q12: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        # OpenMP's threads do not survive the fork into scoring processes: do without them.
        torch.set_num_threads(1)
        features = torch.from_numpy(features_q12.astype(np.float32) * np.float32(FEATURE_UNIT))
        with torch.no_grad():
            gains, strengths, _ = net(features[:, None])
        return engine.to_q15(gains[:, 0].numpy()), engine.to_q15(strengths[:, 0].numpy())

    return run


def choose(
    net: PercepNet,
    noisy: Sequence[Mixture],
    clean: Sequence[Mixture],
    processes: int,
    tick: Callable[[], None] | None = None,
) -> OperatingPoint:
    """Find the candidate of the highest mean PESQ that leaves clean speech at its level.

    noisy: validation mixtures to score on. clean: mixtures without noise. tick: called as each
    noisy mixture is done. Falls back to the network as it is when every candidate costs level.
    """
    allowed = [p for p in CANDIDATES if level_lost_db(applied(net, p), clean) <= MOST_LOST_DB]
    systems = {str(p): _enhancer(applied(net, p)) for p in allowed}
    if not systems:
        return OperatingPoint(1.0, 0.0)
    rows = scoring.summarise(scoring.evaluate(noisy, systems, processes, tick))
    overall = {row.system: row.pesq for row in rows if row.group == "all"}
    return max(allowed, key=lambda p: overall[str(p)])


def level_lost_db(net: PercepNet, clean: Sequence[Mixture]) -> float:
    """Mean loss of level of clean recordings, dB."""
    enhance = _enhancer(net)

    def energy(samples: np.ndarray) -> float:
        return float(np.sum(samples.astype(np.float64) ** 2)) + 1e-9

    return statistics.fmean(
        10.0 * np.log10(energy(m.noisy) / energy(enhance(m.noisy))) for m in clean
    )


def _enhancer(net: PercepNet) -> scoring.Enhancer:
    network = torch_network(net)
    return lambda noisy: engine.enhance(noisy, network, False)
