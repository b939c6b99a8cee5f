"""Quantiser: float weights to int8 with proven accumulators.

Weights are int8, symmetric, one scale per output. What a layer reads is int8 in units of 1/127 (the
features: int16 Q12), so an accumulator is an integer in units of scale * input unit. A multiplier
in Q31 per output and one shift per matrix take it to Q16, the input of the activations.
"""

import dataclasses

import numpy as np

from kit.errors import ModelError
from kit.model.architecture import Architecture, parameter_name
from kit.model.import_ import Model

ACTIVATION_UNIT = 1 / 127
FEATURE_UNIT = 1 / 4096
ACTIVATION_LIMIT = 127
FEATURE_LIMIT = 32768
OUTPUT_BITS = 16
_BIAS_LIMIT = 1 << 28
_INT32_END = 1 << 31
CLIP_STEPS = 64
CLIP_CANDIDATES = range(44, CLIP_STEPS + 1, 2)
FINE_BITS = 12


@dataclasses.dataclass(frozen=True)
class Matrix:
    """One quantised affine map: out_q16 = requantise(weight @ x + bias).

    weight int8 [rows, cols], range [-127, 127]; bias int32 [rows]; multiplier int32 [rows], Q31.
    requantise(a) = round(round((a << left) * multiplier / 2^31) / 2^right); one shift is 0.
    """

    weight: np.ndarray
    bias: np.ndarray
    multiplier: np.ndarray
    left: int
    right: int

    def bound(self, input_limit: int) -> np.ndarray:
        """Largest |weight @ x + bias| of each row for |x| <= input_limit, int64."""
        weight = np.abs(self.weight.astype(np.int64))
        return weight.sum(axis=1) * input_limit + np.abs(self.bias.astype(np.int64))


@dataclasses.dataclass(frozen=True)
class QuantisedModel:
    """The integer network: `matrices` by layer, `gru1.ih` and `gru1.hh` for the two of a GRU."""

    arch: Architecture
    matrices: dict[str, Matrix]
    metadata: dict[str, object]
    sha256: bytes


def quantise(model: Model) -> QuantisedModel:
    """Quantise a float model; deterministic to the bit.

    Raises ModelError when the weights are so large that an int32 could overflow.
    """
    matrices = {}
    for name in matrix_names(model.arch):
        weight, bias = (model.weights[parameter_name(what, name)] for what in ("weight", "bias"))
        first = name == "fc"
        matrices[name] = quantise_matrix(
            name,
            np.asarray(weight, np.float64),
            np.asarray(bias, np.float64),
            FEATURE_UNIT if first else ACTIVATION_UNIT,
            FEATURE_LIMIT if first else ACTIVATION_LIMIT,
        )
    for name in model.arch.gru_shapes():
        _prove_sum(name, matrices[f"{name}.ih"], matrices[f"{name}.hh"])
    return QuantisedModel(model.arch, matrices, model.metadata, model.sha256)


def matrix_names(arch: Architecture) -> list[str]:
    """Names of the matrices, in order of evaluation."""
    grus = [f"{name}.{part}" for name in arch.gru_shapes() for part in ("ih", "hh")]
    return ["fc", "conv1", "conv2", *grus, "gains", "strengths"]


def quantise_matrix(
    name: str, weight: np.ndarray, bias: np.ndarray, input_unit: float, input_limit: int
) -> Matrix:
    """Quantise one affine map. weight float64 [rows, cols], bias float64 [rows].

    Raises ModelError if weight @ x + bias, shifted left for the multiplication, may leave int32.
    """
    largest = np.abs(weight).max(axis=1)
    steps = _clip_steps(weight, largest)
    # A row of nearly only bias takes its scale from the bias, so that the bias fits its integer.
    floor = np.maximum(np.abs(bias) / (input_unit * _BIAS_LIMIT), np.finfo(np.float32).tiny)
    scale = np.maximum(largest * steps / (CLIP_STEPS * 127), floor)
    rounded = np.clip(np.rint(weight / scale[:, None]), -127, 127).astype(np.int8)
    bias_int = np.rint(bias / (scale * input_unit)).astype(np.int64)

    factor = scale * input_unit * (1 << OUTPUT_BITS)
    exponent = max(int(np.frexp(factor.max())[1]), -31)
    multiplier = np.minimum(np.rint(np.ldexp(factor, 31 - exponent)), _INT32_END - 1)
    matrix = Matrix(
        rounded,
        bias_int.astype(np.int32),
        multiplier.astype(np.int32),
        left=max(exponent, 0),
        right=max(-exponent, 0),
    )
    bound = int(matrix.bound(input_limit).max())
    # A right shift adds its half before it shifts: a bit of room keeps that inside int32.
    if bound << matrix.left >= 1 << (30 if matrix.right else 31):
        raise ModelError(
            f"`{name}` has weights up to {largest.max():g}: its accumulator could reach "
            f"{bound << matrix.left:g} and overflow 32 bits",
            hint="train with weight decay or clip the weights",
        )
    return matrix


def _clip_steps(weight: np.ndarray, largest: np.ndarray) -> np.ndarray:
    """The share of each row's largest weight, in 1/64, whose int8 grid has the least squared error.

    Integer arithmetic, so that every machine chooses alike: a weight is `fine` in 1/4096 of the
    row's largest / 127, a level of candidate k is k * 2^12 / 64 of those.
    Bounds: |fine| <= 127 * 2^12 < 2^19; errors < 2^18, so a row of 5120 sums to < 2^49.
    """
    share = weight / np.maximum(largest, np.finfo(np.float64).tiny)[:, None]
    fine = np.rint(share * (127 << FINE_BITS)).astype(np.int32)
    best = np.full(len(weight), CLIP_STEPS, np.int64)
    least = np.full(len(weight), np.iinfo(np.int64).max)
    for candidate in reversed(CLIP_CANDIDATES):
        level = (candidate << FINE_BITS) // CLIP_STEPS
        nearest = np.clip((fine + (level >> 1)) // level, -127, 127)
        error = (np.abs(fine - nearest * level).astype(np.int64) ** 2).sum(axis=1)
        better = error < least
        best[better], least[better] = candidate, error[better]
    return best


def _prove_sum(name: str, ih: Matrix, hh: Matrix) -> None:
    """Raise ModelError unless the Q16 sums of a GRU's two matrices stay in int32."""
    largest = int((_gate_bound(ih) + _gate_bound(hh)).max())
    if largest >= _INT32_END:
        raise ModelError(
            f"`{name}` sums to {largest / 2**OUTPUT_BITS:g}, beyond what 32 bits hold",
            hint="train with weight decay or clip the weights",
        )


def _gate_bound(matrix: Matrix) -> np.ndarray:
    """Largest |requantise(a)| of each row, int64, as firmware_src/nn/pn_bounds.c has it.

    Roundings add 1/2 and, before a right shift, at most 1/4. Products stay below 2^62.
    """
    reach = matrix.bound(ACTIVATION_LIMIT) << matrix.left
    return (reach * matrix.multiplier >> (31 + matrix.right)) + 1
