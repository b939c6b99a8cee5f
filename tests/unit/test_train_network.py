"""Network, recurrence, rounding and loss in PyTorch."""

import dataclasses

import numpy as np
import pytest
import torch

from kit.model.architecture import Architecture
from kit.model.float_reference import FloatReference
from kit.model.import_ import Model
from kit.model.integer_reference import IntegerReference
from kit.model.quantise import ACTIVATION_LIMIT, ACTIVATION_UNIT, quantise, quantise_matrix
from kit.train import loss as losses
from kit.train.growth import can_grow, grown
from kit.train.network import PercepNet
from kit.train.operating_point import Answers, OperatingPoint, applied
from kit.train.quantisation import STEPS, fake_activations, fake_weight, int8_grid
from kit.train.recurrence import gru, in_torch
from kit.train.shards import BANDS, bands_below

SMALL = Architecture(fc=16, conv1=24, conv2=16, gru=24, gru_strength=8)


def test_the_sequence_network_equals_the_streaming_reference() -> None:
    torch.manual_seed(0)
    net = PercepNet(SMALL)
    features = torch.randn(30, 2, 70)
    with torch.no_grad():
        gains, strengths, _ = net(features)
    for sequence in range(2):
        expected = FloatReference(net.weights(), SMALL).run(features[:, sequence].numpy())
        np.testing.assert_allclose(gains[:, sequence].numpy(), expected[0], atol=2e-5)
        np.testing.assert_allclose(strengths[:, sequence].numpy(), expected[1], atol=2e-5)


def test_two_windows_with_the_memory_between_equal_one() -> None:
    torch.manual_seed(4)
    net = PercepNet(SMALL)
    features = torch.randn(30, 2, 70)
    with torch.no_grad():
        whole, _, _ = net(features)
        first, _, memory = net(features[:13])
        second, _, _ = net(features[13:], memory)
    torch.testing.assert_close(torch.cat([first, second]), whole)


def test_a_grown_network_does_what_the_small_one_did() -> None:
    torch.manual_seed(5)
    large = Architecture(fc=24, conv1=24, conv2=40, gru=32, gru_strength=16)
    net, wide = PercepNet(SMALL), PercepNet(large)
    weights = grown(net.weights(), SMALL, large, wide.weights())
    wide.load_state_dict({name: torch.from_numpy(w) for name, w in weights.items()})
    features = torch.randn(20, 2, 70)
    with torch.no_grad():
        torch.testing.assert_close(wide(features)[:2], net(features)[:2])
    gains, strengths, _ = wide(features)
    (gains.sum() + strengths.sum()).backward()
    assert torch.all(wide.conv2.weight.grad[-1] == 0.0), "nobody listens to a new unit yet"
    assert torch.any(wide.gains.weight.grad[:, SMALL.conv2 : large.conv2] != 0.0), "but may learn"
    assert can_grow(SMALL, large) and not can_grow(large, SMALL)


def test_recurrence_and_its_gradients_equal_torchs() -> None:
    torch.manual_seed(1)
    layer = torch.nn.GRU(20, 40)
    x = torch.randn(25, 7, 20, requires_grad=True)
    weights = list(layer.parameters())
    direction = torch.randn(25, 7, 40)
    first = torch.randn(7, 40)
    expected, actual = layer(x, first[None])[0], gru(x, *weights, first)
    torch.testing.assert_close(actual, expected, atol=1e-5, rtol=1e-4)
    want = torch.autograd.grad((expected * direction).sum(), [x, *weights])
    got = torch.autograd.grad((actual * direction).sum(), [x, *weights])
    for a, b in zip(got, want, strict=True):
        torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-3)


def test_the_rounded_recurrence_rounds_what_meets_the_weights() -> None:
    torch.manual_seed(2)
    layer = torch.nn.GRU(8, 8)
    weights = list(layer.parameters())
    x = torch.randn(3, 1, 8)
    with torch.no_grad():
        rounded = [fake_weight(w) for w in weights[:2]]
        state = torch.zeros(1, 1, 8)
        steps = []
        for row in x:
            # One step of the plain layer from a rounded state, its own memory kept unrounded.
            seen = fake_activations(state)
            h, g = (
                torch.nn.functional.linear(v, w, b)
                for v, w, b in ((row, rounded[0], weights[2]), (seen[0], rounded[1], weights[3]))
            )
            r, z = (torch.sigmoid(h[:, i : i + 8] + g[:, i : i + 8]) for i in (0, 8))
            n = torch.tanh(h[:, 16:] + r * g[:, 16:])
            state = (n + z * (state[0] - n))[None]
            steps.append(state[0])
        torch.testing.assert_close(
            gru(x, *weights, torch.zeros(1, 8), True), torch.stack(steps), atol=1e-5, rtol=1e-4
        )


@pytest.mark.parametrize("quantised", [False, True])
def test_the_recurrence_for_gpus_equals_the_one_in_c(quantised: bool) -> None:
    """On this processor, where both can be computed; gradients too."""
    torch.manual_seed(8)
    weights = list(torch.nn.GRU(16, 24).parameters())
    x, first = torch.randn(12, 3, 16, requires_grad=True), torch.randn(3, 24).tanh()
    direction = torch.randn(12, 3, 24)
    met = [fake_weight(w) for w in weights[:2]] if quantised else weights[:2]
    got = in_torch(x, (*met, *weights[2:]), first, STEPS if quantised else 0.0)
    expected = gru(x, *weights, first, quantised)
    torch.testing.assert_close(got, expected, atol=1e-5, rtol=1e-4)
    for a, b in zip(
        torch.autograd.grad((got * direction).sum(), [x, *weights]),
        torch.autograd.grad((expected * direction).sum(), [x, *weights]),
        strict=True,
    ):
        torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-3)


def test_rounded_weights_are_the_quantisers_to_the_bit_and_pass_gradients() -> None:
    torch.manual_seed(9)
    weight = 0.1 * torch.randn(64, 3000)
    weight[3], weight[4, 5], weight[5] = 0.0, 0.5, weight[5] / 1000
    weight.requires_grad_()
    matrix = quantise_matrix(
        "x", weight.detach().double().numpy(), np.zeros(64), ACTIVATION_UNIT, ACTIVATION_LIMIT
    )
    levels, scale = int8_grid(weight.detach())
    np.testing.assert_array_equal(levels.numpy(), matrix.weight)
    largest = weight.detach().abs().amax(dim=1).double()
    assert bool((127.0 * scale < 0.99 * largest).any()), "some rows are clipped"
    unit = matrix.multiplier * 2.0 ** (matrix.left - matrix.right - 31)
    alive = levels.abs().amax(dim=1).numpy() > 0
    expected = scale.numpy() * ACTIVATION_UNIT * 65536.0
    np.testing.assert_allclose(unit[alive], expected[alive], rtol=1e-5)
    rounded = fake_weight(weight)
    torch.testing.assert_close(rounded, (levels * scale[:, None]).float(), atol=1e-7, rtol=0)
    rounded.sum().backward()
    torch.testing.assert_close(weight.grad, torch.ones_like(weight))


def test_the_rounded_network_answers_as_the_integer_reference_does() -> None:
    """Weights are the same; sums in float32 and tables in Q15 round a few activations otherwise."""
    torch.manual_seed(10)
    net = PercepNet(SMALL)
    net.quantised = True
    features = np.random.default_rng(10).integers(-9000, 9000, (80, 70)).astype(np.int16)
    with torch.no_grad():
        gains, strengths, _ = net(torch.from_numpy(features / np.float32(4096.0))[:, None])
    model = Model(net.weights(), SMALL, {}, bytes(32))
    for emulated, exact in zip(
        (gains, strengths), IntegerReference(quantise(model)).run(features), strict=True
    ):
        errors = np.abs(emulated[:, 0].numpy() - exact / 32768.0)
        assert errors.mean() < 1e-3 and errors.max() < 6e-3, (errors.mean(), errors.max())


def test_weights_stay_within_the_limit_after_clipping() -> None:
    net = PercepNet(SMALL)
    with torch.no_grad():
        net.gains.weight.fill_(3.0)
    net.clip_weights()
    assert net.gains.weight.max().item() == 0.5


def batch_of(gains: torch.Tensor, mask: torch.Tensor) -> losses.Batch:
    shape = gains.shape
    return losses.Batch(torch.zeros(*shape[:2], 70), gains, torch.ones(shape), mask)


def test_the_loss_ignores_masked_bands_and_sees_the_others() -> None:
    target = torch.full((6, 2, BANDS), 0.5)
    mask = torch.ones_like(target)
    mask[..., 20:] = 0.0
    batch = batch_of(target, mask)
    perfect = torch.full_like(target, 0.25)
    wrong_above, wrong_below = perfect.clone(), perfect.clone()
    wrong_above[..., 20:] = 1.0
    wrong_below[..., :20] = 1.0
    still = torch.zeros_like(target)
    assert float(losses.loss(perfect, still, batch)) < 1e-4
    assert float(losses.loss(wrong_above, still, batch)) < 1e-4
    assert float(losses.loss(wrong_below, still, batch)) > 0.1


def test_the_losss_gradient_is_finite_at_the_ends_of_the_range() -> None:
    target = torch.full((4, 1, BANDS), 0.5)
    gains = torch.zeros_like(target, requires_grad=True)
    strengths = torch.ones_like(target, requires_grad=True)
    losses.loss(gains, strengths, batch_of(target, torch.ones_like(target))).backward()
    assert torch.isfinite(gains.grad).all() and torch.isfinite(strengths.grad).all()


def test_loudness_judges_the_frame_that_the_step_filters() -> None:
    features = torch.full((6, 1, 70), -6.0)
    features[1] = 0.0
    weights = losses.loudness_weights(features)
    loudest = int(weights[:, 0, 0].argmax())
    assert loudest == 3, "gains of step 3 belong to frame 1"


def test_bands_below_counts_peaks_up_to_the_bandwidth() -> None:
    assert bands_below(24000.0) == BANDS
    assert bands_below(4000.0) == 20  # the peak at 77 bins is 3850 Hz, the next at 4350 Hz
    assert dataclasses.is_dataclass(losses.Batch)


def test_an_operating_point_moves_the_gains_before_the_sigmoid() -> None:
    torch.manual_seed(3)
    net = PercepNet(SMALL)
    features = torch.randn(10, 1, 70)
    changed = applied(net, OperatingPoint(0.8, -0.5))
    with torch.no_grad():
        gains, strengths, _ = net(features)
        moved, same, _ = changed(features)
    torch.testing.assert_close(torch.logit(moved), 0.8 * torch.logit(gains) - 0.5)
    torch.testing.assert_close(strengths, same)


def test_answers_at_a_point_are_those_of_the_network_with_the_point_applied() -> None:
    torch.manual_seed(6)
    net = PercepNet(SMALL)
    answers = Answers(net)
    for features in np.random.default_rng(6).integers(-9000, 9000, (2, 40, 70)).astype(np.int16):
        for point in (OperatingPoint(1.0, 0.0), OperatingPoint(0.6, -0.8)):
            with torch.no_grad():
                unit = torch.from_numpy(features / np.float32(4096.0))[:, None]
                gains, strengths, _ = applied(net, point)(unit)
            got = answers.at(point)(features)
            for q15, expected in zip(got, (gains, strengths), strict=True):
                np.testing.assert_allclose(q15 / 32768.0, expected[:, 0].numpy(), atol=4e-5)


def test_the_same_error_counts_more_in_speech_than_in_a_pause() -> None:
    target = torch.zeros(2, 1, 34)
    target[0] = 1.0
    batch = batch_of(target, torch.ones_like(target))
    still = torch.zeros_like(target)

    def error_of(frame: int) -> float:
        gains = target.clone()
        gains[frame] = 0.25
        return float(losses.loss(gains, still, batch))

    # The roots are off by one half in both.
    assert error_of(0) > 10.0 * error_of(1)
