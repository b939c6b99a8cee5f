"""Random models of any widths: something to build and test with before one is trained."""

import numpy as np

from kit.model.architecture import Architecture


def random_weights(arch: Architecture, seed: int = 0) -> dict[str, np.ndarray]:
    """Evenly spread weights, scaled by the number of inputs: layers neither die nor saturate.

    Returns float32 arrays by the names and shapes of `Architecture.weight_shapes`.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    weights = {}
    for name, shape in arch.weight_shapes().items():
        limit = min(0.5, 2.5 / np.sqrt(shape[1])) if len(shape) == 2 else 0.1
        weights[name] = rng.uniform(-limit, limit, shape).astype(np.float32)
    return weights
