"""tflite-runtime 2.14: float, and int8 per tensor, and per channel, which it computes wrong."""

from kit.bench.contestant import Contestant
from kit.bench.peers._interpreter import contestant
from kit.model.export import FLOAT, PER_CHANNEL, PER_TENSOR
from kit.model.import_ import Model


def contestants(model: Model) -> list[Contestant]:
    """The network in its number formats."""
    where = ("tflite_runtime.interpreter", "tflite-runtime", "tflite")
    return [contestant(*where, model, int8) for int8 in (FLOAT, PER_TENSOR, PER_CHANNEL)]
