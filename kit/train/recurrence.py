"""A GRU layer over whole sequences: on the processor the loop over time in C, large matrix products
in PyTorch; on a GPU cuDNN's.
"""

import functools
import hashlib
import pathlib
from typing import Any

import cffi
import torch

from kit import process
from kit.files import scratch_folder
from kit.paths import BUILD

_SOURCE = pathlib.Path(__file__).with_name("recurrence.c")
_FLAGS = ("-O3", "-march=native", "-ffast-math", "-std=gnu11", "-fPIC", "-c")
_COMPILE_TIMEOUT_S = 120.0
_DECLARATIONS = """
int gru_forward(size_t, size_t, size_t, const float *, const float *, const float *, const float *,
float, float *, float *, float *); int gru_backward(size_t, size_t, size_t, const float *, const
float *, const float *, const float *, float *, float *);
"""


@functools.cache
def _library() -> tuple[cffi.FFI, Any]:
    """Compile recurrence.c for this processor, once, and open it."""
    digest = hashlib.sha256(_SOURCE.read_bytes() + " ".join(_FLAGS).encode()).hexdigest()[:16]
    library = BUILD / "train" / f"recurrence-{digest}.so"
    if not library.exists():
        with scratch_folder(library.parent) as folder:
            compiled, linked = folder / "a.o", folder / "a.so"
            # Linked without -ffast-math: with it, loading would flush denormals everywhere.
            for command in (
                ["gcc", *_FLAGS, str(_SOURCE), "-o", str(compiled)],
                ["gcc", "-shared", str(compiled), "-o", str(linked), "-lm"],
            ):
                process.run(command, timeout_s=_COMPILE_TIMEOUT_S)
            linked.replace(library)
    ffi = cffi.FFI()
    ffi.cdef(_DECLARATIONS)
    return ffi, ffi.dlopen(str(library))


def _pointer(ffi: cffi.FFI, tensor: torch.Tensor) -> Any:
    assert tensor.dtype == torch.float32 and tensor.is_contiguous()
    return ffi.cast("float *", tensor.data_ptr())


class _Recurrence(torch.autograd.Function):
    """x (T, B, 3H), weight (3H, H), bias (3H,), first state (B, H) to outputs (T, B, H)."""

    @staticmethod
    def forward(
        context: Any,
        x: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor,
        first: torch.Tensor,
        steps_per_unit: float,
    ) -> torch.Tensor:
        ffi, library = _library()
        steps, batch, triple = x.shape
        units = triple // 3
        x, weight = x.contiguous(), weight.contiguous()
        transposed = weight.t().contiguous()
        states = x.new_empty(steps + 1, batch, units)
        seen = x.new_empty(steps, batch, units)
        saved = x.new_empty(steps, batch, 4 * units)
        pointers = [_pointer(ffi, t) for t in (x, transposed, bias, first)]
        outputs = [_pointer(ffi, t) for t in (states, seen, saved)]
        if library.gru_forward(steps, batch, units, *pointers, steps_per_unit, *outputs):
            raise MemoryError
        context.save_for_backward(weight, states, seen, saved)
        return states[1:]

    @staticmethod
    def backward(context: Any, grad_out: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        ffi, library = _library()
        weight, states, seen, saved = context.saved_tensors
        steps, batch, units = seen.shape
        grad_x, grad_g = (states.new_empty(steps, batch, 3 * units) for _ in range(2))
        tensors = (weight, states, saved, grad_out.contiguous(), grad_x, grad_g)
        if library.gru_backward(steps, batch, units, *(_pointer(ffi, t) for t in tensors)):
            raise MemoryError
        flat = grad_g.view(-1, 3 * units)
        return grad_x, flat.t() @ seen.view(-1, units), flat.sum(dim=0), None, None


def gru(
    x: torch.Tensor,
    weight_ih: torch.Tensor,
    weight_hh: torch.Tensor,
    bias_ih: torch.Tensor,
    bias_hh: torch.Tensor,
    first: torch.Tensor,
    steps_per_unit: float = 0.0,
) -> torch.Tensor:
    """Run a GRU layer from the state `first` (B, units): x (T, B, inputs) to outputs (T, B, units).

    No gradient flows into `first`: what came before belongs to an earlier window.

    Parameters as torch.nn.GRU's, gates stacked r, z, n; units must be a multiple of 8.
    steps_per_unit: if not 0, the state is rounded to that many steps per unit before it meets
    `weight_hh`.
    """
    if x.device.type != "cpu":
        with torch.autocast(x.device.type, enabled=False):
            weights = (weight_ih, weight_hh, bias_ih, bias_hh)
            return in_torch(x.float(), weights, first, steps_per_unit)
    products = torch.nn.functional.linear(x, weight_ih, bias_ih).float()
    return _Recurrence.apply(products, weight_hh, bias_hh, first, steps_per_unit)


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
