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

# What the firmware promises of clean speech, on average: a recording that calls itself clean may
# hold a hum that had better go.
MOST_CHANGED_DB = 0.5
LEAST_CLEAN_PESQ = 3.9
# Intelligibility that a class of mixtures may lose for its noise: too little to be heard.
MOST_LOST_STOI = 0.01
# Keeps the logarithm of a gain of 0 or 1 finite: far below what 15 bits tell apart.
LOGIT_LIMIT = 1e-9


@dataclasses.dataclass(frozen=True)
class OperatingPoint:
    """The gain layer's answers before the sigmoid become slope * answer + offset."""

    slope: float
    offset: float


CANDIDATES = tuple(
    OperatingPoint(slope, offset) for slope in (0.8, 1.0, 1.2) for offset in (0.0, -0.4, -0.8, -1.2)
)


def applied(net: PercepNet, point: OperatingPoint) -> PercepNet:
    """Return a copy of the network with the operating point folded into its gain layer."""
    changed = copy.deepcopy(net)
    with torch.no_grad():
        changed.gains.weight.mul_(point.slope)
        changed.gains.bias.mul_(point.slope).add_(point.offset)
    return changed


class Answers:
    """A network's answers before any operating point, kept for the recording heard last: it hears
    each recording once, however many points are tried.
    """

    def __init__(self, net: PercepNet) -> None:
        self._net = net
        self._heard = np.zeros((0, 0), np.int16)
        self._kept: tuple[torch.Tensor, torch.Tensor] = (torch.zeros(0), torch.zeros(0))

    def at(self, point: OperatingPoint) -> engine.Network:
        """What `applied(net, point)` answers, for the evaluation's engine."""

        def run(features_q12: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            gains, strengths = self._of(features_q12)
            moved = torch.sigmoid(point.slope * torch.logit(gains, LOGIT_LIMIT) + point.offset)
            return engine.to_q15(moved.numpy()), engine.to_q15(strengths.numpy())

        return run

    def _of(self, features_q12: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        if not np.array_equal(features_q12, self._heard):
            # OpenMP's threads do not survive the fork into scoring processes: do without them.
            torch.set_num_threads(1)
            features = torch.from_numpy(features_q12.astype(np.float32) * np.float32(FEATURE_UNIT))
            with torch.no_grad():
                gains, strengths, _ = self._net(features[:, None])
            self._heard, self._kept = features_q12, (gains[:, 0].double(), strengths[:, 0])
        return self._kept


def choose(
    net: PercepNet,
    cases: Iterable[Case],
    processes: int,
    tick: Callable[[], None] | None = None,
) -> OperatingPoint:
    """Find the candidate of the highest PESQ among those that harm nothing.

    cases: mixtures and clean speech, by their groups. tick: called as each is done. A candidate
    harms when it takes intelligibility (STOI) from mixtures or changes clean speech; when all do,
    the one that keeps most of the intelligibility is taken.
    """
    answers = Answers(net)
    systems = {str(p): _enhancer(answers.at(p)) for p in CANDIDATES}
    rows = scoring.summarise(scoring.evaluate(cases, systems, processes, tick))
    overall = {row.system: row for row in rows if row.group == EVERYTHING}
    before = {row.group: row for row in rows if row.system == scoring.INPUT}
    harmed = {row.system for row in rows if _harms(row, before[row.group])}
    harmless = [p for p in CANDIDATES if str(p) not in harmed]
    if not harmless:
        return max(CANDIDATES, key=lambda p: overall[str(p)].stoi)
    return max(harmless, key=lambda p: overall[str(p)].pesq)


def _harms(row: scoring.Row, before: scoring.Row) -> bool:
    """Whether a system harms the recordings of a group; before: the row of its input."""
    if row.group.startswith("clean"):
        return abs(row.level_db) > MOST_CHANGED_DB or row.pesq < LEAST_CLEAN_PESQ
    return row.stoi < before.stoi - (0.0 if row.group == EVERYTHING else MOST_LOST_STOI)


def _enhancer(network: engine.Network) -> scoring.Enhancer:
    return lambda noisy: engine.enhance(noisy, network, False)
