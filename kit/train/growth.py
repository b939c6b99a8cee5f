"""A larger network that begins by doing exactly what a trained smaller one does.

The small network's units keep their weights. The new units listen to everything, and nobody listens
to them yet: their outgoing weights are zero and grow in training, which thus begins at the small
network's loss instead of at nothing.
"""

import numpy as np

from kit.model.architecture import CONV1_FRAMES, CONV2_FRAMES, FEATURES, GRU_LAYERS, Architecture

_GATES = 3
Weights = dict[str, np.ndarray]


def can_grow(small: Architecture, large: Architecture) -> bool:
    """Whether no layer of `large` is narrower than the same layer of `small`."""
    return all(
        new[i] >= old[i]
        for name, old in small.weight_shapes().items()
        for new in (large.weight_shapes()[name],)
        for i in range(len(old))
    )


def grown(weights: Weights, small: Architecture, large: Architecture, fresh: Weights) -> Weights:
    """Embed the weights of `small` in those of `large`; the outputs stay what they were.

    fresh: freshly drawn weights of `large`, for the new units' inputs. All by their names in
    `Architecture.weight_shapes`.
    """
    result = {}
    for name, start in fresh.items():
        old_rows = _kept(_outputs(name, small), _outputs(name, large))
        value = start.copy()
        if value.ndim == 1:
            value[old_rows] = weights[name]
        else:
            old_columns = _kept(_inputs(name, small), _inputs(name, large))
            value[old_rows] = 0.0
            value[np.ix_(old_rows, old_columns)] = weights[name]
        result[name] = value
    return result


def _kept(old: list[int], new: list[int]) -> np.ndarray:
    """Where the old units are when each group of units has grown from its old to its new size."""
    starts = np.cumsum([0, *new[:-1]])
    return np.concatenate([start + np.arange(n) for start, n in zip(starts, old, strict=True)])


def _outputs(name: str, arch: Architecture) -> list[int]:
    """Sizes of the groups of units that a parameter's rows belong to."""
    layer = name.split(".")[0]
    if layer in arch.gru_shapes():
        return [arch.gru_shapes()[layer][1]] * _GATES
    return [arch.weight_shapes()[name][0]]


def _inputs(name: str, arch: Architecture) -> list[int]:
    """Sizes of the groups of units that a weight's columns listen to."""
    layer, parameter = name.split(".")
    if parameter == "weight_hh":
        return [arch.gru_shapes()[layer][1]]
    groups = {
        "fc": [FEATURES],
        "conv1": [arch.fc] * CONV1_FRAMES,
        "conv2": [arch.conv1] * CONV2_FRAMES,
        "gains": [arch.conv2, *[arch.gru] * GRU_LAYERS],
        "gru_strength": [arch.gru, arch.conv2],
        "strengths": [arch.gru_strength],
    }
    return groups.get(layer) or [arch.gru_shapes()[layer][0]]
