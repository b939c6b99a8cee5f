"""Block sparse models: matrices without the blocks of weights that matter least.

Kernels leave out blocks of 8 rows by 4 columns that are zero (firmware_src/kernels/pn_kernels.h).
"""

import itertools

import numpy as np

from kit.errors import ModelError
from kit.model.architecture import Architecture, parameter_name
from kit.model.quantise import matrix_names

BLOCK_ROWS, BLOCK_COLS = 8, 4


def can_be_sparse(matrix: str) -> bool:
    """Whether there are kernels: the first layer reads int16, for which there are none."""
    return matrix != "fc"


def masks(
    weights: dict[str, np.ndarray], arch: Architecture, share: float
) -> dict[str, np.ndarray]:
    """Which weights to keep for `share` of the blocks of every matrix to be zero.

    A block counts by its sum of squares: what it adds to its rows' sums when all inputs are alike.
    Units that training hardly used have small rows, and those go first. The smallest go; among
    equals, those that come first.

    weights: float arrays by the names and shapes of `arch.weight_shapes()`.
    Returns bool arrays for the parameters that may be sparse. A fine-tuning that multiplies these
    by their masks after every step keeps the zeros.
    Raises ModelError for a share that is not in [0, 1).
    """
    if not 0 <= share < 1:
        raise ModelError(
            f"the share of zero blocks is {share:g}, not in [0, 1)", hint="0.6 is a good start"
        )
    kept = {}
    for matrix in filter(can_be_sparse, matrix_names(arch)):
        name = parameter_name("weight", matrix)
        rows = _block_of_each(arch.row_segments(matrix), BLOCK_ROWS)
        cols = _block_of_each(arch.col_segments(matrix), BLOCK_COLS)
        kept[name] = _largest_blocks(weights[name], rows, cols, share)
    return kept


def sparsify(
    weights: dict[str, np.ndarray], arch: Architecture, share: float
) -> dict[str, np.ndarray]:
    """The weights with `share` of the blocks of every matrix zero; see `masks`."""
    kept = masks(weights, arch, share)
    return {
        name: np.where(kept[name], value, np.float32(0)) if name in kept else value
        for name, value in weights.items()
    }


def _largest_blocks(
    weight: np.ndarray, rows: np.ndarray, cols: np.ndarray, share: float
) -> np.ndarray:
    """Mask of all but `share` of the blocks; rows and cols: number of the block of each."""
    squares = np.square(weight, dtype=np.float64)
    sums = np.zeros((rows[-1] + 1, cols[-1] + 1))
    np.add.at(sums, (rows[:, None], cols[None, :]), squares)
    kept = np.ones(sums.size, bool)
    kept[np.argsort(sums, axis=None, kind="stable")[: round(share * sums.size)]] = False
    return kept.reshape(sums.shape)[rows[:, None], cols[None, :]]


def _block_of_each(segments: list[int], size: int) -> np.ndarray:
    """Number of the block that each row or column is in; each segment begins a new block."""
    counts = [-(-width // size) for width in segments]
    starts = itertools.accumulate(counts[:-1], initial=0)
    return np.concatenate(
        [start + np.arange(width) // size for start, width in zip(starts, segments, strict=True)]
    )
