"""The optimiser: matrices move by their momentum made orthogonal (Muon, K. Jordan 2024), biases as
in Adam.

An orthogonal step moves all directions of a matrix equally far, also those of small gradients: what
a network learns late, and the units that a grown one gained.
"""

import concurrent.futures
from collections.abc import Callable, Iterable

import torch

from kit.train.products import multiply

MOMENTUM = 0.95
BETAS = (0.9, 0.98)
# The step's mean square is then that of Adam's usual steps, so that both share a learning rate.
ADAM_STEP = 0.2
# Newton and Schulz's iteration, of fifth order: five rounds take singular values to 0.7..1.2.
_QUINTIC = (3.4445, -4.7750, 2.0315)
_ROUNDS = 5
_GATES = 3
_TINY = 1e-8
# Of a matrix whose products are worth packing for bfloat16.
_LEAST_SIDE = 64
Product = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


class Muon:
    """Updates parameters in place from their `.grad`. A GRU's matrices hold three gates, each made
    orthogonal by itself.

    halves: take the products of large matrices in bfloat16, on the processor.
    """

    def __init__(
        self, parameters: Iterable[tuple[str, torch.nn.Parameter]], halves: bool = False
    ) -> None:
        self._parameters = dict(parameters)
        self._halves = halves
        self._means = {n: torch.zeros_like(p) for n, p in self._parameters.items()}
        self._squares = {n: torch.zeros_like(p) for n, p in self._parameters.items() if p.ndim == 1}
        self._steps = 0

    def step(self, rate: float, pool: concurrent.futures.Executor) -> None:
        """Take one step; matrices are shared out among the threads of the pool."""
        self._steps += 1
        jobs = [pool.submit(self._move, name, rate) for name in self._parameters]
        for job in jobs:
            job.result()

    def state_dict(self) -> dict:
        """Return all that a checkpoint must hold."""
        return {"means": self._means, "squares": self._squares, "steps": self._steps}

    def load_state_dict(self, state: dict) -> None:
        """Go on from what `state_dict` returned."""
        self._steps = state["steps"]
        for own, saved in ((self._means, state["means"]), (self._squares, state["squares"])):
            for name, value in own.items():
                value.copy_(saved[name])

    @torch.no_grad()
    def _move(self, name: str, rate: float) -> None:
        parameter = self._parameters[name]
        step = self._matrix_step if parameter.ndim == 2 else self._bias_step
        parameter.sub_(step(name, parameter.grad), alpha=rate)

    def _matrix_step(self, name: str, gradient: torch.Tensor) -> torch.Tensor:
        mean = self._means[name].lerp_(gradient, 1.0 - MOMENTUM)
        ahead = torch.lerp(gradient, mean, MOMENTUM)
        rows, columns = ahead.shape
        gates = _GATES if "weight_" in name else 1
        scale = ADAM_STEP * max(rows // gates, columns) ** 0.5
        return self._orthogonal(ahead.view(gates, -1, columns)).view(rows, columns) * scale

    def _orthogonal(self, matrices: torch.Tensor) -> torch.Tensor:
        if not self._halves or min(matrices.shape[1:]) < _LEAST_SIDE:
            return orthogonal(matrices)
        return torch.stack([orthogonal(matrix, multiply) for matrix in matrices])

    def _bias_step(self, name: str, gradient: torch.Tensor) -> torch.Tensor:
        mean = self._means[name].lerp_(gradient, 1.0 - BETAS[0])
        square = self._squares[name].lerp_(gradient.square(), 1.0 - BETAS[1])
        unbiased = square / (1.0 - BETAS[1] ** self._steps)
        return mean / (1.0 - BETAS[0] ** self._steps) / (unbiased.sqrt() + _TINY)


def orthogonal(matrices: torch.Tensor, multiply: Product = torch.matmul) -> torch.Tensor:
    """Bring all singular values of each matrix (..., rows, columns) near 1; its singular vectors
    stay. multiply: how to take products.
    """
    is_tall = matrices.shape[-2] > matrices.shape[-1]
    x = matrices.mT if is_tall else matrices
    x = x / (torch.linalg.matrix_norm(x, keepdim=True) + _TINY)
    linear, cubic, quintic = _QUINTIC
    for _ in range(_ROUNDS):
        gram = multiply(x, x.mT)
        x = linear * x + multiply(cubic * gram + quintic * multiply(gram, gram), x)
    return x.mT if is_tall else x
