"""Rounding as the firmware rounds, for the end of training; gradients pass straight through."""

import torch

from kit.model.quantise import CLIP_CANDIDATES, CLIP_STEPS
from kit.train import native

STEPS = 127.0


def fake_weight(weight: torch.Tensor) -> torch.Tensor:
    """Round a matrix (outputs, inputs) to the int8 grid that the quantiser gives each output."""
    levels, scale = int8_grid(weight)
    rounded = (levels.double() * scale[:, None]).to(weight.dtype)
    return weight + (rounded - weight).detach()


def int8_grid(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Quantise as kit.model.quantise does, to the bit: levels (outputs, inputs), float32, whole
    numbers -127..127, and scales (outputs,), float64; both on the weight's device.
    """
    ffi, library = native.library(native.has_matrix_tiles())
    values = weight.detach().cpu().contiguous()
    rows, columns = values.shape
    levels, scale = torch.empty_like(values), torch.empty(rows, dtype=torch.float64)
    candidates = ffi.new("int32_t[]", list(CLIP_CANDIDATES))
    given = (native.pointer(ffi, values), candidates, len(CLIP_CANDIDATES), CLIP_STEPS)
    made = (native.pointer(ffi, levels), ffi.cast("double *", scale.data_ptr()))
    if library.int8_grid(rows, columns, *given, *made):
        raise MemoryError
    return levels.to(weight.device), scale.to(weight.device)


def fake_activations(x: torch.Tensor) -> torch.Tensor:
    """Round activations in +-1 to steps of 1/127."""
    return x + (torch.round(x * STEPS) / STEPS - x).detach()
