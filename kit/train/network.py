"""The network in PyTorch, whole sequences at a time; parameters are named as kit.model's
architecture names them.
"""

import numpy as np
import torch
from torch import nn

from kit.model.architecture import (
    BANDS,
    CONV1_FRAMES,
    CONV2_FRAMES,
    FEATURES,
    GRU_LAYERS,
    GRU_NAMES,
    Architecture,
)
from kit.train.products import linear
from kit.train.quantisation import STEPS, fake_activations, fake_weight, int8_grid
from kit.train.recurrence import gru

WEIGHT_LIMIT = 0.5
# What a network remembers of B streams: the last frames of both convolutions' inputs (frames, B,
# n), then the state of each GRU (B, units).
Memory = tuple[torch.Tensor, ...]


class PercepNet(nn.Module):
    """Gains and strengths of whole sequences, from nothing or going on from an earlier one.

    quantised: compute with weights rounded to 8 bits per output and activations to steps of 1/127,
    as the firmware does; gradients pass through the rounding.
    halves: on the processor, take the large products in bfloat16, of whole numbers if quantised.
    """

    def __init__(self, arch: Architecture) -> None:
        super().__init__()
        self.arch = arch
        self.quantised = False
        self.halves = False
        self.fc = nn.Linear(FEATURES, arch.fc)
        self.conv1 = nn.Linear(CONV1_FRAMES * arch.fc, arch.conv1)
        self.conv2 = nn.Linear(CONV2_FRAMES * arch.conv1, arch.conv2)
        for name, (inputs, units) in arch.gru_shapes().items():
            setattr(self, name, Gru(inputs, units))
        self.gains = nn.Linear(arch.conv2 + GRU_LAYERS * arch.gru, BANDS)
        self.strengths = nn.Linear(arch.gru_strength, BANDS)
        self._initialise()

    def _initialise(self) -> None:
        for name, parameter in self.named_parameters():
            if "weight_hh" in name:
                for gate in parameter.data.chunk(3):
                    nn.init.orthogonal_(gate)
            elif parameter.ndim == 2:
                nn.init.xavier_uniform_(parameter)
            else:
                nn.init.zeros_(parameter)
        self.clip_weights()

    def clip_weights(self) -> None:
        """Keep weights in +-0.5, so that 8 bits resolve them."""
        with torch.no_grad():
            for parameter in self.parameters():
                if parameter.ndim == 2:
                    parameter.clamp_(-WEIGHT_LIMIT, WEIGHT_LIMIT)

    def forward(
        self, features: torch.Tensor, memory: Memory | None = None
    ) -> tuple[torch.Tensor, torch.Tensor, Memory]:
        """Map features in real units (T, B, 70), time first, to gains and strengths (T, B, 34),
        0..1, and the memory at the end.

        memory: of the frames before these; None: there were none.
        """
        conv1, conv2, *states = memory or self.blank(features.shape[1])
        remembered = []

        def recur(name: str, x: torch.Tensor) -> torch.Tensor:
            outputs = getattr(self, name)(x, states[len(remembered)], self.quantised, self.halves)
            remembered.append(outputs[-1].detach())
            return self._act(outputs)

        a0 = _after(conv1, self._act(torch.tanh(self._dense(self.fc, features))))
        c1 = torch.tanh(self._wide(self.conv1, _side_by_side(a0, CONV1_FRAMES)))
        c1 = _after(conv2, self._act(c1))
        c2 = self._act(torch.tanh(self._wide(self.conv2, _side_by_side(c1, CONV2_FRAMES))))
        outputs = [c2]
        for name in GRU_NAMES:
            outputs.append(recur(name, outputs[-1]))
        gains = torch.sigmoid(self._wide(self.gains, torch.cat(outputs, dim=-1)))
        s = recur("gru_strength", torch.cat([outputs[3], c2], dim=-1))
        tails = (a0[1 - CONV1_FRAMES :].detach(), c1[1 - CONV2_FRAMES :].detach())
        return gains, torch.sigmoid(self._dense(self.strengths, s)), (*tails, *remembered)

    def blank(self, streams: int) -> Memory:
        """Return the memory of streams of which nothing was heard yet."""
        arch = self.arch
        return (
            torch.zeros(CONV1_FRAMES - 1, streams, arch.fc),
            torch.zeros(CONV2_FRAMES - 1, streams, arch.conv1),
            *(torch.zeros(streams, units) for _, units in arch.gru_shapes().values()),
        )

    def _dense(self, layer: nn.Linear, x: torch.Tensor) -> torch.Tensor:
        weight = fake_weight(layer.weight) if self.quantised else layer.weight
        return nn.functional.linear(x, weight, layer.bias)

    def _wide(self, layer: nn.Linear, x: torch.Tensor) -> torch.Tensor:
        """Do the same for a layer with many inputs, all of them activations."""
        if not self.halves:
            return self._dense(layer, x)
        rounded = (*int8_grid(layer.weight), STEPS) if self.quantised else (None, None, 0.0)
        return linear(x, layer.weight, layer.bias, *rounded)

    def _act(self, x: torch.Tensor) -> torch.Tensor:
        return fake_activations(x) if self.quantised else x

    def weights(self) -> dict[str, np.ndarray]:
        """Return float32 parameters by the names of `Architecture.weight_shapes`, in its order."""
        values = {name: p.detach().cpu().numpy().copy() for name, p in self.named_parameters()}
        return {name: values[name] for name in self.arch.weight_shapes()}


class Gru(nn.Module):
    """One GRU layer (gates r, z, n; reset after), over whole sequences."""

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.weight_ih = nn.Parameter(torch.empty(3 * units, inputs))
        self.weight_hh = nn.Parameter(torch.empty(3 * units, units))
        self.bias_ih = nn.Parameter(torch.empty(3 * units))
        self.bias_hh = nn.Parameter(torch.empty(3 * units))

    def forward(
        self, x: torch.Tensor, first: torch.Tensor, quantised: bool, halves: bool
    ) -> torch.Tensor:
        """Run from state `first` (B, units): x (T, B, inputs) to outputs (T, B, units)."""
        weights = (self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        return gru(x, *weights, first, quantised, halves)


def _after(tail: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Put the frames that came before (n, B, units) in front of x (T, B, units)."""
    return torch.cat([tail, x])


def _side_by_side(x: torch.Tensor, frames: int) -> torch.Tensor:
    """Lay each frame beside those before it, oldest first: (frames - 1 + T, B, n) to (T, B, frames
    * n).
    """
    steps = x.shape[0] - (frames - 1)
    return torch.cat([x[i : i + steps] for i in range(frames)], dim=-1)
