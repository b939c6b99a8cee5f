"""The quantiser and the integer reference: accuracy, bounds, determinism, refusals."""

import dataclasses
import itertools
from fractions import Fraction

import numpy as np
import pytest

from kit.errors import ModelError
from kit.model.activation import TANH_INTERVALS, sigmoid_q15, tanh_q15, tanh_table, to_int8
from kit.model.architecture import ARCHITECTURES, Architecture
from kit.model.calibrate import measure
from kit.model.import_ import Model
from kit.model.integer_reference import IntegerReference, requantise
from kit.model.quantise import (
    ACTIVATION_UNIT,
    FEATURE_UNIT,
    Matrix,
    _clip_steps,
    _prove_sum,
    quantise,
    quantise_matrix,
)
from kit.model.random_model import random_weights

ODD = Architecture(fc=5, conv1=7, conv2=9, gru=11, gru_strength=3)


def make_model(arch: Architecture, seed: int = 0, scale: float = 1.0) -> Model:
    weights = {name: w * np.float32(scale) for name, w in random_weights(arch, seed).items()}
    return Model(weights, arch, {}, bytes(32))


def moving_features(steps: int, seed: int = 1) -> np.ndarray:
    rng = np.random.Generator(np.random.PCG64(seed))
    walk = np.cumsum(rng.normal(0, 0.3, (steps, 70)), axis=0)
    return np.rint(np.sin(walk) * 1.5 * 4096).astype(np.int16)


def test_tanh_and_sigmoid_are_within_2_to_minus_12_of_the_truth() -> None:
    x = np.arange(-(12 << 16), 12 << 16, 5, dtype=np.int64)
    real = x / 65536
    assert np.abs(tanh_q15(x) / 32768 - np.tanh(real)).max() < 2**-14
    assert np.abs(sigmoid_q15(x) / 32768 - 1 / (1 + np.exp(-real))).max() < 2**-14


def test_activations_take_any_int32() -> None:
    ends = np.array([-(2**31) + 1, -1, 0, 1, 2**31 - 1], np.int64)
    assert tanh_q15(ends)[[0, 4]].tolist() == [-32767, 32767]
    assert sigmoid_q15(ends)[[0, 2, 4]].tolist() == [0, 16384, 32767]
    assert to_int8(np.array([-32767, 0, 32767])).tolist() == [-127, 0, 127]


def test_tanh_is_odd_and_never_falls() -> None:
    x = np.arange(9 << 16, dtype=np.int64)
    assert np.array_equal(tanh_q15(-x), -tanh_q15(x))
    assert np.all(np.diff(tanh_q15(x)) >= 0)


def test_no_table_entry_hangs_on_the_last_bits_of_the_machines_tanh() -> None:
    """Math libraries may differ without harm: no value lies within 1e-9 of a tie."""
    exact = np.tanh(np.arange(TANH_INTERVALS + 1) / 64) * 32768
    assert np.abs(exact - np.floor(exact) - 0.5).min() > 1e-9
    assert tanh_table()[-1] == 32767
    assert tanh_table().shape == (513,), "as the C code reads it"


@pytest.mark.parametrize(("left", "right"), [(0, 0), (3, 0), (0, 5), (0, 31)])
def test_requantise_rounds_twice_as_the_instructions_do(left: int, right: int) -> None:
    rng = np.random.Generator(np.random.PCG64(6))
    accumulator = rng.integers(-(2**27), 2**27, 200)
    multiplier = rng.integers(2**30, 2**31, 200).astype(np.int32)
    matrix = Matrix(np.zeros((200, 1), np.int8), np.zeros(200, np.int32), multiplier, left, right)
    half = Fraction(1, 2)
    for a, m, got in zip(
        accumulator.tolist(),
        multiplier.tolist(),
        requantise(accumulator, matrix).tolist(),
        strict=True,
    ):
        high = (Fraction(a << left) * m / 2**31 + half).__floor__()
        assert got == (high if right == 0 else (Fraction(high, 2**right) + half).__floor__())


@pytest.mark.parametrize(
    ("arch", "least_snr_db"), [(ODD, 25), (ARCHITECTURES["tiny"], 30)], ids=["odd", "tiny"]
)
def test_the_integer_network_follows_the_float_network(
    arch: Architecture, least_snr_db: float
) -> None:
    fidelity = measure(make_model(arch), moving_features(100))
    assert fidelity.gains_snr_db > least_snr_db, fidelity
    assert fidelity.strengths_snr_db > least_snr_db, fidelity
    assert fidelity.gains_max_error < 0.03, fidelity


def test_weights_are_symmetric_and_near_the_float_ones() -> None:
    model = make_model(ARCHITECTURES["tiny"])
    matrix = quantise(model).matrices["gru2.hh"]
    assert matrix.weight.min() >= -127
    shift = matrix.left - matrix.right
    unit = matrix.multiplier / 2.0**31 * 2.0**shift / 65536 / ACTIVATION_UNIT
    error = matrix.weight * unit[:, None] - model.weights["gru2.weight_hh"]
    assert np.abs(error).max() < unit.max() * 20, "clipping may cost a few steps, not the weight"
    assert np.sqrt(np.mean(error**2)) < unit.max() * 0.5


def test_clipping_is_kept_only_where_it_lowers_the_error() -> None:
    rng = np.random.Generator(np.random.PCG64(7))
    even = rng.uniform(-1, 1, (4, 64))
    even[:, 0] = 1
    matrix = quantise_matrix("m", even, np.zeros(4), ACTIVATION_UNIT, 127)
    assert np.all(np.abs(matrix.weight[:, 0]) == 127)
    unit = matrix.multiplier / 2.0**31 * 2.0 ** (matrix.left - matrix.right) / 65536 * 127
    assert np.all(unit * 127 > 0.9), "an even spread is not clipped much"


@pytest.mark.parametrize(("others", "steps"), [(2888, 64), (2889, 62), (30643, 56), (30644, 54)])
def test_the_more_small_weights_there_are_the_more_is_clipped(others: int, steps: int) -> None:
    """One weight of 1, which clipping harms, and many up to 0.4, which then are finer."""
    row = np.append(1.0, np.arange(1, others + 1) % 997 / 2500)[None]
    assert _clip_steps(row, np.ones(1)) == _clip_steps(-row, np.ones(1)) == [steps]


@pytest.mark.parametrize(
    ("others", "value", "steps"),
    [
        pytest.param(127, 31240, 64, id="as good as 62"),
        pytest.param(100, 26749.3, 62, id="worse than 64 where values are less rounded"),
    ],
)
def test_the_clipping_of_a_near_tie_is_that_of_every_release(
    others: int, value: float, steps: int
) -> None:
    """value: of all weights but one, in 1/4096 of the int8 steps."""
    row = np.append(1.0, np.full(others, value / (127 * 4096)))[None]
    assert _clip_steps(row, np.ones(1)) == [steps]


def test_dead_and_bias_only_rows_survive() -> None:
    weight, bias = np.zeros((2, 8)), np.array([0.0, -1.5])
    matrix = quantise_matrix("m", weight, bias, ACTIVATION_UNIT, 127)
    out = requantise(matrix.bias.astype(np.int64), matrix)
    assert out[0] == 0
    assert out[1] / 65536 == pytest.approx(-1.5, abs=1e-4)
    assert matrix.bias.tolist() == [0, -(1 << 28)], "as precise as a bias may be"


def test_shifts_and_multipliers_stay_within_what_instructions_take() -> None:
    nothing = quantise_matrix("m", np.zeros((1, 8)), np.zeros(1), ACTIVATION_UNIT, 127)
    assert (nothing.left, nothing.right) == (0, 31)
    almost_one = np.full((1, 8), (1 - 2.0**-40) * 127 * 127 / 65536)
    matrix = quantise_matrix("m", almost_one, np.zeros(1), ACTIVATION_UNIT, 127)
    assert (matrix.multiplier[0], matrix.left, matrix.right) == (2**31 - 1, 0, 0)


@pytest.mark.parametrize(
    ("most", "weight"),
    [
        pytest.param(66572, 0.001, id="before a right shift"),
        pytest.param(133144, 127 * 127 / 65536 * 0.75, id="without a shift"),
    ],
)
def test_rows_may_be_as_long_as_their_sums_stay_in_32_bits(most: int, weight: float) -> None:
    """127 * 127 for each column, to 2^30 where a right shift adds its half, else to 2^31."""
    quantise_matrix("m", np.full((1, most), weight), np.zeros(1), ACTIVATION_UNIT, 127)
    with pytest.raises(ModelError, match="overflow 32 bits"):
        quantise_matrix("m", np.full((1, most + 1), weight), np.zeros(1), ACTIVATION_UNIT, 127)


def test_a_bias_may_be_as_large_as_its_left_shift_leaves_room_for() -> None:
    largest = quantise_matrix("m", np.zeros((1, 8)), np.array([16383.0]), ACTIVATION_UNIT, 127)
    assert largest.left == 2
    with pytest.raises(ModelError, match="overflow 32 bits"):
        quantise_matrix("m", np.zeros((1, 8)), np.array([16384.0]), ACTIVATION_UNIT, 127)


def test_weights_that_could_overflow_are_refused() -> None:
    with pytest.raises(ModelError, match="`fc`.*overflow"):
        quantise(make_model(ODD, scale=1e7))


def test_matrices_of_a_gru_that_overflow_only_together_are_refused() -> None:
    """Each may reach 20000, 32768 is the end."""
    half = quantise_matrix("m", np.full((3, 10), 2000.0), np.zeros(3), ACTIVATION_UNIT, 127)
    small = quantise_matrix("m", np.full((3, 10), 1000.0), np.zeros(3), ACTIVATION_UNIT, 127)
    _prove_sum("gru1", half, small)
    with pytest.raises(ModelError, match="`gru1` sums to 40000"):
        _prove_sum("gru1", half, half)


@pytest.mark.parametrize(
    ("layer", "unit", "limit"), [("fc", FEATURE_UNIT, 32768), ("conv1", ACTIVATION_UNIT, 127)]
)
def test_layers_may_be_as_large_as_their_inputs_leave_room_for(
    layer: str, unit: float, limit: int
) -> None:
    """One weight of 127 steps, and a bias for the rest of the 2^31 >> left that a row may reach."""
    left = 4
    step = 0.75 * 2**left / unit / 65536
    model = make_model(ODD)
    weight = model.weights[f"{layer}.weight"] = np.zeros(model.weights[f"{layer}.weight"].shape)
    bias = model.weights[f"{layer}.bias"] = np.zeros(len(weight))
    weight[0, 0] = 127 * step
    largest = (2**31 >> left) - 1 - 127 * limit
    bias[0] = largest * step * unit
    assert quantise(model).matrices[layer].bias[0] == largest
    bias[0] = (largest + 1) * step * unit
    with pytest.raises(ModelError, match=f"`{layer}`.*overflow 32 bits"):
        quantise(model)


def bias_only(bias: int, multiplier: int, left: int = 0, right: int = 0) -> Matrix:
    """A matrix of a quiet row and of one that gives its bias, requantised."""
    numbers = (np.array([0, value], np.int32) for value in (bias, multiplier))
    return Matrix(np.zeros((2, 1), np.int8), *numbers, left, right)


@pytest.mark.parametrize(
    ("matrix", "adds"),
    [
        (bias_only(4000, 2**30), 2001),
        (bias_only(4001, 2**30), 2001),
        (bias_only(-4002, 2**30), 2002),
        (bias_only(4000, 2**30, left=3), 16001),
        (bias_only(4000, 2**30, right=2), 501),
        (bias_only(2**31 - 1, 2**30), 2**30),
        (Matrix(np.array([[0], [-1]], np.int8), *np.int32([[0, 4000], [0, 2**30]]), 0, 0), 2064),
    ],
)
def test_gates_may_sum_to_all_but_the_last_unit_of_31_bits(matrix: Matrix, adds: int) -> None:
    """As the firmware proves it of weights from elsewhere: tests/c/test_bounds.c has the same."""
    largest = 2**31 - 1 - adds  # with this multiplier a row adds its bias
    for pair in itertools.permutations([matrix, bias_only(largest, 2**31 - 1)]):
        _prove_sum("gru1", *pair)
    for pair in itertools.permutations([matrix, bias_only(largest + 1, 2**31 - 1)]):
        with pytest.raises(ModelError, match="`gru1` sums to 32768"):
            _prove_sum("gru1", *pair)


def test_a_row_of_large_weights_and_one_of_small_ones_keep_their_precision() -> None:
    weight = np.array([[1000.0, 3.0], [0.001, 0.0005]])
    matrix = quantise_matrix("m", weight, np.zeros(2), ACTIVATION_UNIT, 127)
    assert np.abs(matrix.weight).max(axis=1).tolist() == [127, 127]
    x = np.array([127, -127])
    got = requantise(matrix.weight.astype(np.int64) @ x, matrix) / 65536
    np.testing.assert_allclose(got, weight @ [1, -1], rtol=0.01, atol=1 / 65536)


def test_bound_covers_the_worst_input() -> None:
    matrix = quantise(make_model(ODD)).matrices["conv2"]
    worst = np.sign(matrix.weight.astype(np.int64)) * 127
    reached = (matrix.weight * worst).sum(axis=1) + np.abs(matrix.bias)
    assert np.array_equal(matrix.bound(127), reached)


def test_states_stay_in_int16_under_extreme_features() -> None:
    reference = IntegerReference(quantise(make_model(ODD, scale=30.0)))
    rng = np.random.Generator(np.random.PCG64(8))
    for _ in range(50):
        gains, _ = reference.step(rng.choice([-32768, 32767], 70).astype(np.int16))
        assert gains.min() >= 0
        assert all(np.abs(h).max() <= 32767 for h in reference._h_q15.values())


def test_reset_forgets_everything() -> None:
    reference = IntegerReference(quantise(make_model(ODD)))
    features = moving_features(5)
    first = reference.run(features)
    assert not np.array_equal(reference.run(features)[0], first[0])
    reference.reset()
    np.testing.assert_array_equal(reference.run(features), first)


def test_quantising_twice_gives_the_same_bits() -> None:
    first, second = (quantise(make_model(ODD)).matrices for _ in range(2))
    for name, matrix in first.items():
        for field in dataclasses.fields(matrix):
            np.testing.assert_array_equal(
                getattr(matrix, field.name), getattr(second[name], field.name)
            )
