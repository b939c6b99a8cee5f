"""A GRU layer over whole sequences: on the processor the loop over time in C; on a GPU cuDNN's."""

from typing import Any

import torch

from kit.train import native
from kit.train.products import linear, multiply
from kit.train.quantisation import STEPS, fake_weight, int8_grid


class _Recurrence(torch.autograd.Function):
    """x (T, B, 3H), weight (3H, H), bias (3H,), first state (B, H) to outputs (T, B, H).

    levels, scale: as in kit.train.products.linear, where the state is rounded and products are
    taken in bfloat16; otherwise None.
    """

    @staticmethod
    def forward(
        context: Any,
        x: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor,
        first: torch.Tensor,
        steps_per_unit: float,
        halves: bool,
        levels: torch.Tensor | None,
        scale: torch.Tensor | None,
    ) -> torch.Tensor:
        ffi, library = _native(halves)
        steps, batch, triple = x.shape
        units = triple // 3
        met = weight.contiguous() if levels is None else levels
        states = x.new_empty(steps + 1, batch, units)
        seen = x.new_empty(steps, batch, units)
        saved = x.new_empty(steps, batch, 4 * units)
        worth = None if scale is None else (scale / steps_per_unit).float()
        inputs = [x.contiguous(), met, bias, first.contiguous()]
        pointers = [native.pointer(ffi, tensor) for tensor in inputs]
        rest = [native.pointer(ffi, tensor) for tensor in (worth, states, seen, saved)]
        if library.gru_forward(steps, batch, units, *pointers, steps_per_unit, halves, *rest):
            raise MemoryError
        real = met if scale is None else (levels * scale[:, None]).float()
        context.save_for_backward(real, states, seen, saved)
        context.halves = halves
        return states[1:]

    @staticmethod
    def backward(context: Any, grad_out: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        ffi, library = _native(context.halves)
        weight, states, seen, saved = context.saved_tensors
        steps, batch, units = seen.shape
        grad_x, grad_g = (states.new_empty(steps, batch, 3 * units) for _ in range(2))
        inputs = [weight, states, saved, grad_out.contiguous()]
        pointers = [native.pointer(ffi, tensor) for tensor in inputs]
        outputs = [native.pointer(ffi, tensor) for tensor in (grad_x, grad_g)]
        if library.gru_backward(steps, batch, units, *pointers, context.halves, *outputs):
            raise MemoryError
        flat, met = grad_g.view(-1, 3 * units), seen.view(-1, units)
        grad_weight = multiply(flat.t(), met) if context.halves else flat.t() @ met
        return grad_x, grad_weight, flat.sum(dim=0), *(None,) * 5


def _native(halves: bool) -> tuple[Any, Any]:
    return native.library(halves and native.has_matrix_tiles())


def gru(
    x: torch.Tensor,
    weight_ih: torch.Tensor,
    weight_hh: torch.Tensor,
    bias_ih: torch.Tensor,
    bias_hh: torch.Tensor,
    first: torch.Tensor,
    quantised: bool = False,
    halves: bool = False,
) -> torch.Tensor:
    """Run a GRU layer from the state `first` (B, units): x (T, B, inputs) to outputs (T, B, units).

    No gradient flows into `first`: what came before belongs to an earlier window.

    Parameters as torch.nn.GRU's, gates stacked r, z, n; units must be a multiple of 8.
    quantised: round weights, and the state before it meets them, as the firmware does.
    halves: on the processor, take products in bfloat16; on whole numbers if quantised.
    """
    steps = STEPS if quantised else 0.0
    if halves:
        rounded = [int8_grid(w) if quantised else (None, None) for w in (weight_ih, weight_hh)]
        products = linear(x, weight_ih, bias_ih, *rounded[0], steps)
        return _Recurrence.apply(products, weight_hh, bias_hh, first, steps, True, *rounded[1])
    if quantised:
        weight_ih, weight_hh = fake_weight(weight_ih), fake_weight(weight_hh)
    if x.device.type != "cpu":
        with torch.autocast(x.device.type, enabled=False):
            weights = (weight_ih, weight_hh, bias_ih, bias_hh)
            return in_torch(x.float(), weights, first, steps)
    products = torch.nn.functional.linear(x, weight_ih, bias_ih)
    return _Recurrence.apply(products, weight_hh, bias_hh, first, steps, False, None, None)


def in_torch(
    x: torch.Tensor, weights: tuple[torch.Tensor, ...], first: torch.Tensor, steps_per_unit: float
) -> torch.Tensor:
    """Do the same in PyTorch alone: its own GRU, or step by step where the state is rounded.

    weights: weight_ih, weight_hh, bias_ih, bias_hh.
    """
    if not steps_per_unit:
        return torch.gru(x, first[None], weights, True, 1, 0.0, True, False, False)[0]
    weight_ih, weight_hh, bias_ih, bias_hh = weights
    state, states = first, []
    for row in torch.nn.functional.linear(x, weight_ih, bias_ih):
        rounded = torch.round(state * steps_per_unit) / steps_per_unit
        seen = state + (rounded - state).detach()
        xr, xz, xn = row.chunk(3, dim=-1)
        hr, hz, hn = torch.nn.functional.linear(seen, weight_hh, bias_hh).chunk(3, dim=-1)
        candidate = torch.tanh(xn + torch.sigmoid(xr + hr) * hn)
        state = candidate + torch.sigmoid(xz + hz) * (state - candidate)
        states.append(state)
    return torch.stack(states)
