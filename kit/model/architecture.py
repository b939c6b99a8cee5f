"""The network's shape: widths of layers, names and shapes of parameters, streaming states."""

import dataclasses
import math

from kit.errors import ModelError

FEATURES = 70
BANDS = 34
CONV1_FRAMES = 5
CONV2_FRAMES = 3
GRU_LAYERS = 4
GATES = 3
GRU_NAMES = tuple(f"gru{i + 1}" for i in range(GRU_LAYERS))
MAX_WIDTH = 1024
"""Largest width of any layer: five of them side by side keep every int32 accumulator in range."""


@dataclasses.dataclass(frozen=True)
class Architecture:
    """Widths of the layers: `fc` (first dense), `conv1`, `conv2`, `gru` (1..4), `gru_strength`.

    Raises ModelError for a width that is not an integer in [1, MAX_WIDTH].
    """

    fc: int
    conv1: int
    conv2: int
    gru: int
    gru_strength: int

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            width = getattr(self, field.name)
            if not isinstance(width, int) or not 1 <= width <= MAX_WIDTH:
                raise ModelError(
                    f"width of `{field.name}` is {width!r}, not in 1..{MAX_WIDTH}",
                    hint="choose smaller layers; see kit/model/architecture.py",
                )

    def gru_shapes(self) -> dict[str, tuple[int, int]]:
        """(inputs, units) of every GRU, in order of evaluation."""
        shapes = dict.fromkeys(GRU_NAMES, (self.gru, self.gru))
        shapes[GRU_NAMES[0]] = (self.conv2, self.gru)
        shapes["gru_strength"] = (self.gru + self.conv2, self.gru_strength)
        return shapes

    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every parameter, by its PyTorch-style name, in the canonical order.

        Convolutions see their frames side by side, oldest first; GRU gates are stacked r, z, n.
        `gains` sees [c2, g1, g2, g3, g4], `gru_strength` sees [g3, c2].
        """
        shapes: dict[str, tuple[int, ...]] = {}
        dense = {
            "fc": (self.fc, FEATURES),
            "conv1": (self.conv1, CONV1_FRAMES * self.fc),
            "conv2": (self.conv2, CONV2_FRAMES * self.conv1),
        }
        for name, shape in dense.items():
            shapes |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
        for name, (inputs, units) in self.gru_shapes().items():
            shapes |= {
                f"{name}.weight_ih": (GATES * units, inputs),
                f"{name}.weight_hh": (GATES * units, units),
                f"{name}.bias_ih": (GATES * units,),
                f"{name}.bias_hh": (GATES * units,),
            }
        heads = {
            "gains": (BANDS, self.conv2 + GRU_LAYERS * self.gru),
            "strengths": (BANDS, self.gru_strength),
        }
        for name, shape in heads.items():
            shapes |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
        return shapes

    def row_segments(self, matrix: str) -> list[int]:
        """Heights of what a matrix stacks: `gru1.ih` and `gru1.hh` the three gates of `gru1`."""
        layer, _, part = matrix.partition(".")
        if part:
            return [self.gru_shapes()[layer][1]] * GATES
        return [BANDS if layer in ("gains", "strengths") else getattr(self, layer)]

    def col_segments(self, matrix: str) -> list[int]:
        """Widths of what a matrix sees side by side: frames, outputs of layers."""
        special = {
            "fc": [FEATURES],
            "conv1": [self.fc] * CONV1_FRAMES,
            "conv2": [self.conv1] * CONV2_FRAMES,
            "gru_strength.ih": [self.gru, self.conv2],
            "gains": [self.conv2] + [self.gru] * GRU_LAYERS,
            "strengths": [self.gru_strength],
        }
        if matrix in special:
            return special[matrix]
        layer, _, part = matrix.partition(".")
        inputs, units = self.gru_shapes()[layer]
        return [inputs if part == "ih" else units]

    def state_shapes(self) -> dict[str, tuple[int, int]]:
        """Shape [1, n] of every streaming state, in the order of the .tflite inputs and outputs."""
        return {
            "conv1": (1, (CONV1_FRAMES - 1) * self.fc),
            "conv2": (1, (CONV2_FRAMES - 1) * self.conv1),
            **dict.fromkeys(GRU_NAMES, (1, self.gru)),
            "gru_strength": (1, self.gru_strength),
        }

    def weights_count(self) -> int:
        """Number of parameters, biases included."""
        return sum(math.prod(shape) for shape in self.weight_shapes().values())


def parameter_name(what: str, matrix: str) -> str:
    """Name of the `weight` or `bias` of a matrix: `gru1.weight_ih` of `gru1.ih`."""
    layer, _, part = matrix.partition(".")
    return f"{layer}.{what}_{part}" if part else f"{layer}.{what}"


ARCHITECTURES = {
    "tiny": Architecture(fc=64, conv1=96, conv2=96, gru=96, gru_strength=48),
    "lite": Architecture(fc=96, conv1=256, conv2=256, gru=256, gru_strength=96),
    "full": Architecture(fc=128, conv1=512, conv2=512, gru=512, gru_strength=128),
}
