"""Matrix products in bfloat16 with sums in float32, on the processor: products.h says how."""

from typing import Any

import torch

from kit.train import native


def multiply(
    left: torch.Tensor,
    right: torch.Tensor,
    unit: float = 1.0,
    scale: torch.Tensor | None = None,
    bias: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return left (rows, depth) @ right (depth, columns) * scale (columns,) + bias (columns,).

    float32, each factor without gaps or the transpose of one that is. `left` is multiplied by
    `unit`, then both are rounded to bfloat16: 8 bits, so whole numbers up to 256 are exact.
    """
    ffi, library = native.library(native.has_matrix_tiles())
    rows, depth = left.shape
    columns = right.shape[1]
    a, left_turned = _laid_out(left)
    b, right_turned = _laid_out(right)
    c = left.new_empty(rows, columns)
    factors = (native.pointer(ffi, a), left_turned, native.pointer(ffi, b), right_turned)
    rest = (native.pointer(ffi, t) for t in (scale, bias, c))
    if library.multiply(rows, columns, depth, *factors, unit, *rest):
        raise MemoryError
    return c


def _laid_out(matrix: torch.Tensor) -> tuple[torch.Tensor, bool]:
    """A matrix as it lies in memory, and whether that is its transpose."""
    if matrix.is_contiguous():
        return matrix, False
    return matrix.t().contiguous(), True


class _Linear(torch.autograd.Function):
    """x (rows, inputs), weight (outputs, inputs), bias (outputs,) to x @ weight.T + bias.

    levels: the weight in whole numbers, scale (outputs,): what they are worth, and steps: how many
    steps a unit of x has; then the product is that of whole numbers. Otherwise None, None, 0.
    """

    @staticmethod
    def forward(
        context: Any,
        x: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor,
        levels: torch.Tensor | None,
        scale: torch.Tensor | None,
        steps: float,
    ) -> torch.Tensor:
        if levels is None:
            context.save_for_backward(x, weight)
            return multiply(x, weight.t(), bias=bias)
        context.save_for_backward(x, (levels * scale[:, None]).float())
        return multiply(x, levels.t(), steps, (scale / steps).float(), bias)

    @staticmethod
    def backward(context: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        x, weight = context.saved_tensors
        grad = grad.contiguous()
        grad_x = multiply(grad, weight) if context.needs_input_grad[0] else None
        return grad_x, multiply(grad.t(), x), grad.sum(dim=0), None, None, None


def linear(
    x: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor,
    levels: torch.Tensor | None = None,
    scale: torch.Tensor | None = None,
    steps: float = 0.0,
) -> torch.Tensor:
    """As torch.nn.functional.linear for x (..., inputs), in bfloat16; gradients too.

    levels (outputs, inputs), scale (outputs,), steps: compute with weights levels * scale, and x of
    so many steps per unit, without rounding either; the weight's gradient is theirs.
    """
    flat = x.reshape(-1, x.shape[-1])
    return _Linear.apply(flat, weight, bias, levels, scale, steps).view(*x.shape[:-1], -1)
