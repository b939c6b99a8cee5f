"""Rounding as the firmware rounds, for the end of training; gradients pass straight through."""

import torch

STEPS = 127.0


def fake_weight(weight: torch.Tensor) -> torch.Tensor:
    """Round a matrix (outputs, inputs) to 127 steps of each output's largest weight."""
    with torch.no_grad():
        scale = weight.abs().amax(dim=1, keepdim=True).clamp_min(1e-8) / STEPS
        rounded = torch.round(weight / scale) * scale
    return weight + (rounded - weight).detach()


def fake_activations(x: torch.Tensor) -> torch.Tensor:
    """Round activations in +-1 to steps of 1/127."""
    return x + (torch.round(x * STEPS) / STEPS - x).detach()
