"""Products in bfloat16: what they are by definition, on every kind of processor that is here."""

import pytest
import torch

from kit.model.architecture import Architecture
from kit.train import native
from kit.train.network import PercepNet
from kit.train.products import linear, multiply
from kit.train.recurrence import gru

SMALL = Architecture(fc=16, conv1=24, conv2=16, gru=24, gru_strength=8)
SHAPES = [(1, 1, 1), (5, 3, 7), (16, 16, 32), (17, 49, 33), (40, 34, 70), (300, 50, 1100)]


@pytest.fixture(params=[False, True] if native.has_matrix_tiles() else [False], autouse=True)
def tiles(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """In plain C, and on matrix tiles where the processor has them."""
    monkeypatch.setattr(native, "has_matrix_tiles", lambda: request.param)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("left_turned", [False, True])
@pytest.mark.parametrize("right_turned", [False, True])
def test_a_product_is_that_of_rounded_factors(
    shape: tuple[int, int, int], left_turned: bool, right_turned: bool
) -> None:
    torch.manual_seed(1)
    rows, columns, depth = shape
    left = torch.randn(depth, rows).t() if left_turned else torch.randn(rows, depth)
    right = torch.randn(columns, depth).t() if right_turned else torch.randn(depth, columns)
    scale, bias = torch.randn(columns), torch.randn(columns)
    exact = (3.0 * left).bfloat16().double() @ right.bfloat16().double() * scale + bias
    got = multiply(left, right, 3.0, scale, bias)
    torch.testing.assert_close(got.double(), exact, atol=2e-5 * depth**0.5, rtol=1e-5)


def test_ties_are_rounded_to_even() -> None:
    ones = torch.eye(3)
    values = torch.tensor([[257.0, 259.0, -257.0], [258.0, 1.0, 2.0**-20], [0.0, -259.0, 5.0]])
    expected = torch.tensor([[256.0, 260.0, -256.0], [258.0, 1.0, 2.0**-20], [0.0, -260.0, 5.0]])
    assert torch.equal(multiply(values, ones), expected)
    assert torch.equal(multiply(ones, values), expected)


def test_gradients_are_those_of_a_linear_layer() -> None:
    torch.manual_seed(2)
    x = torch.randn(30, 4, 50, requires_grad=True)
    weight, bias = torch.randn(20, 50, requires_grad=True), torch.randn(20, requires_grad=True)
    direction = torch.randn(30, 4, 20)
    for ours, theirs in zip(
        torch.autograd.grad((linear(x, weight, bias) * direction).sum(), [x, weight, bias]),
        torch.autograd.grad(
            (torch.nn.functional.linear(x, weight, bias) * direction).sum(), [x, weight, bias]
        ),
        strict=True,
    ):
        assert (ours - theirs).norm() < 0.005 * theirs.norm()


@pytest.mark.parametrize("sequences", [7, 20])
def test_the_recurrence_and_its_gradients_come_near_torchs(sequences: int) -> None:
    torch.manual_seed(3)
    layer = torch.nn.GRU(20, 40)
    x = torch.randn(25, sequences, 20, requires_grad=True)
    weights, first = list(layer.parameters()), torch.randn(sequences, 40)
    # Gradients of what lies apart in memory, as those of a network's parts do.
    direction = torch.randn(25, sequences, 80)[..., ::2]
    expected, actual = layer(x, first[None])[0], gru(x, *weights, first, halves=True)
    torch.testing.assert_close(actual, expected, atol=0.01, rtol=0.01)
    for ours, theirs in zip(
        torch.autograd.grad(actual, [x, *weights], direction),
        torch.autograd.grad(expected, [x, *weights], direction),
        strict=True,
    ):
        assert (ours - theirs).norm() < 0.01 * theirs.norm()


def test_a_rounded_network_is_the_same_in_bfloat16() -> None:
    """Its factors are whole numbers of 8 bits, so nothing is lost but the order of sums."""
    torch.manual_seed(4)
    net = PercepNet(SMALL)
    net.quantised = True
    features = torch.randn(40, 3, 70)
    gains, strengths, _ = net(features)
    exact = torch.autograd.grad(gains.sum() + strengths.sum(), list(net.parameters()))
    net.halves = True
    half_gains, half_strengths, _ = net(features)
    # A sum in another order may end on the other side of a step of 1/127.
    assert (half_gains - gains).abs().mean() < 1e-4
    assert (half_strengths - strengths).abs().mean() < 1e-4
    rounded = torch.autograd.grad(half_gains.sum() + half_strengths.sum(), list(net.parameters()))
    for ours, theirs in zip(rounded, exact, strict=True):
        assert (ours - theirs).norm() < 0.02 * theirs.norm()
