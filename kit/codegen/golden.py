"""Golden vectors: what a model makes of a fixed sequence of features, by the integer reference."""

import zlib

import numpy as np

from kit.model.architecture import FEATURES
from kit.model.integer_reference import IntegerReference
from kit.model.quantise import QuantisedModel

GOLDEN_STEPS = 16


def golden_features(steps: int = GOLDEN_STEPS) -> np.ndarray:
    """Random features with one step at each extreme of int16: int16 Q12 [steps, 70].

    The same for every model: a device tests weights that it is sent with the features it has.
    """
    state, words = 1, []
    for _ in range(steps * FEATURES):
        state = (state * 1664525 + 1013904223) % (1 << 32)
        words.append((state >> 17) - 16384)
    features = np.array(words, np.int64).reshape(steps, FEATURES)
    features[steps // 2] = np.iinfo(np.int16).max
    features[steps // 2 + 1] = np.iinfo(np.int16).min
    return features.astype(np.int16)


def golden_outputs(model: QuantisedModel) -> tuple[np.ndarray, np.ndarray]:
    """Gains and strengths of the golden features: int16 Q15 [GOLDEN_STEPS, 34] each."""
    return IntegerReference(model).run(golden_features())


def golden_crc(gains_q15: np.ndarray, strengths_q15: np.ndarray) -> int:
    """CRC-32 of golden outputs, each step's gains before its strengths, little endian."""
    steps = np.concatenate([gains_q15, strengths_q15], axis=1)
    return zlib.crc32(steps.astype("<i2").tobytes())
