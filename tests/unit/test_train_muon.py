"""The optimiser: orthogonal steps of a known length, gate by gate, the same ones after a pause."""

import concurrent.futures
import copy

import pytest
import torch

from kit.model.architecture import Architecture
from kit.train import muon
from kit.train.network import PercepNet

SMALL = Architecture(fc=16, conv1=24, conv2=8, gru=8, gru_strength=8)


def net_with_gradients(seed: int) -> PercepNet:
    torch.manual_seed(seed)
    net = PercepNet(SMALL)
    for parameter in net.parameters():
        parameter.grad = torch.randn_like(parameter)
    return net


@pytest.mark.parametrize("shape", [(24, 24), (8, 80), (80, 8), (3, 16, 40)])
def test_singular_values_come_near_one(shape: tuple[int, ...]) -> None:
    torch.manual_seed(1)
    matrices = torch.randn(shape)
    made = muon.orthogonal(matrices)
    values = torch.linalg.svdvals(made)
    assert made.shape == matrices.shape
    assert values.min() > 0.5 and values.max() < 1.3
    left, _, right = torch.linalg.svd(matrices, full_matrices=False)
    diagonal = left.mT @ made @ right.mT
    off = diagonal - torch.diag_embed(torch.diagonal(diagonal, dim1=-2, dim2=-1))
    assert off.abs().max() < 1e-4


def test_a_flat_gradient_moves_nothing() -> None:
    assert not muon.orthogonal(torch.zeros(4, 6)).any()


def test_each_gate_of_a_gru_is_orthogonal_and_steps_have_the_length_of_adams() -> None:
    net = net_with_gradients(2)
    net.gru1.weight_hh.grad[:8] *= 1000.0
    before = copy.deepcopy(net)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        muon.Muon(net.named_parameters()).step(0.01, pool)
    for gate in (net.gru1.weight_hh - before.gru1.weight_hh).detach().chunk(3):
        mean_square = (gate**2).mean().sqrt() / 0.01
        assert mean_square == pytest.approx(muon.ADAM_STEP, rel=0.25)
    # Adam's first step is as long as the rate, against the gradient's sign.
    moved = (net.fc.bias - before.fc.bias).detach()
    assert torch.allclose(moved, -0.01 * torch.sign(net.fc.bias.grad), rtol=1e-4)


def test_goes_on_from_a_checkpoint_with_the_same_bits() -> None:
    whole, first = net_with_gradients(3), net_with_gradients(3)
    optimiser, begun = muon.Muon(whole.named_parameters()), muon.Muon(first.named_parameters())
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for _ in range(3):
            optimiser.step(0.01, pool)
        begun.step(0.01, pool)
        resumed = muon.Muon(first.named_parameters())
        resumed.load_state_dict(begun.state_dict())
        for _ in range(2):
            resumed.step(0.01, pool)
    for one, other in zip(whole.parameters(), first.parameters(), strict=True):
        assert torch.equal(one, other)
