"""tanh and sigmoid in integers: one table, read with linear interpolation."""

import numpy as np

TANH_STEP_BITS = 10
TANH_INTERVALS = 512
"""The table covers |x| < 8 in steps of 1/64: x is Q16, so an interval has 2^10 points."""

_LIMIT = (TANH_INTERVALS << TANH_STEP_BITS) - 1


def tanh_table() -> np.ndarray:
    """tanh(i / 64) in Q15, int16 [513]."""
    x = np.arange(TANH_INTERVALS + 1) / 64
    return np.minimum(np.rint(np.tanh(x) * 32768), 32767).astype(np.int16)


_TABLE = tanh_table().astype(np.int64)


def tanh_q15(x_q16: np.ndarray) -> np.ndarray:
    """tanh of Q16 values, in Q15, within +-32767; odd. Takes and returns int64 arrays."""
    magnitude = np.minimum(np.abs(x_q16), _LIMIT)
    index, fraction = magnitude >> TANH_STEP_BITS, magnitude & ((1 << TANH_STEP_BITS) - 1)
    mixed = _TABLE[index] * ((1 << TANH_STEP_BITS) - fraction) + _TABLE[index + 1] * fraction
    return np.sign(x_q16) * ((mixed + (1 << (TANH_STEP_BITS - 1))) >> TANH_STEP_BITS)


def sigmoid_q15(x_q16: np.ndarray) -> np.ndarray:
    """Sigmoid of Q16 values as (1 + tanh(x / 2)) / 2, in Q15, 0..32767."""
    return (32768 + tanh_q15(x_q16 >> 1)) >> 1


def to_int8(y_q15: np.ndarray) -> np.ndarray:
    """Q15 to int8 in units of 1/127, rounded; within +-127."""
    return (y_q15 * 127 + (1 << 14)) >> 15
