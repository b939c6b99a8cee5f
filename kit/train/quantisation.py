"""Rounding as the firmware rounds, for the end of training; gradients pass straight through."""

import torch

from kit.model.quantise import CLIP_CANDIDATES, CLIP_STEPS, FINE_BITS

STEPS = 127.0


def fake_weight(weight: torch.Tensor) -> torch.Tensor:
    """Round a matrix (outputs, inputs) to the int8 grid that the quantiser gives each output."""
    with torch.no_grad():
        levels, scale = int8_grid(weight)
        rounded = (levels * scale).to(weight.dtype)
    return weight + (rounded - weight).detach()


def levels_and_scale(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The same as whole numbers (outputs, inputs), -127..127, and what they are worth (outputs,);
    both float32.
    """
    with torch.no_grad():
        levels, scale = int8_grid(weight)
        return levels.float(), scale[:, 0].float()


def int8_grid(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Quantise as kit.model.quantise does, to the bit: levels (outputs, inputs), -127..127, and
    scales (outputs, 1), both float64.
    """
    exact = weight.double()
    largest = exact.abs().amax(dim=1, keepdim=True)
    scale = largest * _clip_steps(exact, largest) / (CLIP_STEPS * STEPS)
    scale = torch.where(largest > 0.0, scale, 1.0)
    return torch.round(exact / scale).clamp(-STEPS, STEPS), scale


def _clip_steps(weight: torch.Tensor, largest: torch.Tensor) -> torch.Tensor:
    """The candidate of the least squared error for each output, (outputs, 1): whole numbers below
    2^49 throughout, which float64 holds exactly.
    """
    fine = torch.round(weight / torch.where(largest > 0.0, largest, 1.0) * (127 << FINE_BITS))
    best = torch.full_like(largest, CLIP_STEPS)
    least = torch.full_like(largest, torch.inf)
    for candidate in reversed(CLIP_CANDIDATES):
        level = (candidate << FINE_BITS) // CLIP_STEPS
        nearest = torch.floor((fine + level // 2) / level).clamp(-STEPS, STEPS)
        error = (fine - nearest * level).square().sum(dim=1, keepdim=True)
        better = error < least
        best = torch.where(better, float(candidate), best)
        least = torch.where(better, error, least)
    return best


def fake_activations(x: torch.Tensor) -> torch.Tensor:
    """Round activations in +-1 to steps of 1/127."""
    return x + (torch.round(x * STEPS) / STEPS - x).detach()
