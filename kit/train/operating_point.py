"""How boldly a trained network suppresses: slope and offset of its gains, chosen by scores.

The loss compares gains band by band; what people hear is another matter. Before the last sigmoid
both numbers cost nothing: they are folded into the gain layer.
"""

import copy
import dataclasses
from collections.abc import Callable, Iterable

import numpy as np
import torch

from kit.evaluate import engine, scoring
from kit.evaluate.material import EVERYTHING, Case
from kit.train.network import PercepNet
from kit.train.training import FEATURE_UNIT

# What the firmware promises of clean speech: level of each recording, PESQ of their mean.
MOST_CHANGED_DB = 0.5
LEAST_CLEAN_PESQ = 3.9


@dataclasses.dataclass(frozen=True)
class OperatingPoint:
    """The gain layer's answers before the sigmoid become slope * answer + offset."""

    slope: float
    offset: float


CANDIDATES = tuple(
    OperatingPoint(slope, offset) for slope in (1.0, 0.8, 0.6) for offset in (0.0, -0.4, -0.8)
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
    cases: Iterable[Case],
    processes: int,
    tick: Callable[[], None] | None = None,
) -> OperatingPoint:
    """Find the candidate of the highest PESQ among those that harm nothing.

    cases: mixtures and clean speech, by their groups. tick: called as each is done. A candidate
    harms when it takes intelligibility (STOI) or changes clean speech; when all do, the one that
    keeps most of the intelligibility is taken.
    """
    systems = {str(p): _enhancer(applied(net, p)) for p in CANDIDATES}
    rows = scoring.summarise(scoring.evaluate(cases, systems, processes, tick))
    overall = {row.system: row for row in rows if row.group == EVERYTHING}
    harmed = {row.system for row in rows if row.group.startswith("clean") and _harms(row)}
    harmless = [
        p
        for p in CANDIDATES
        if str(p) not in harmed and overall[str(p)].stoi >= overall[scoring.INPUT].stoi
    ]
    if not harmless:
        return max(CANDIDATES, key=lambda p: overall[str(p)].stoi)
    return max(harmless, key=lambda p: overall[str(p)].pesq)


def _harms(row: scoring.Row) -> bool:
    return abs(row.level_worst_db) > MOST_CHANGED_DB or row.pesq < LEAST_CLEAN_PESQ


def _enhancer(net: PercepNet) -> scoring.Enhancer:
    network = torch_network(net)
    return lambda noisy: engine.enhance(noisy, network, False)
