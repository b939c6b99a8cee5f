"""ai-edge-litert: XNNPACK on, as it comes; float, and int8 per channel (its fastest right form)."""

from kit.bench.contestant import Contestant
from kit.bench.peers._interpreter import contestant
from kit.model.export import FLOAT, PER_CHANNEL
from kit.model.import_ import Model


def contestants(model: Model) -> list[Contestant]:
    """The network in both number formats."""
    where = ("ai_edge_litert.interpreter", "ai-edge-litert", "litert")
    return [contestant(*where, model, int8) for int8 in (FLOAT, PER_CHANNEL)]
