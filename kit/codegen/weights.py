"""Weight packing: padded widths, columns in the order of the C code, tiles of a layout."""

import dataclasses

import numpy as np

from kit.errors import ModelError
from kit.model.architecture import Architecture
from kit.model.quantise import Matrix, QuantisedModel, matrix_names
from kit.model.sparsify import BLOCK_COLS, BLOCK_ROWS, can_be_sparse

WIDTH_MULTIPLE = 16
BANDS_MULTIPLE = 8
_HEADS = ("gains", "strengths")
_JOINED_ORDER = (1, 2, 4, 3, 0)
"""pn_nn.c keeps [c2, g1, g2, g3, g4] as g1 g2 g4 g3 c2, so that [g3, c2] is in one piece too."""

SPARSE_SHARE = 0.75
"""A matrix is stored without its zero blocks where that takes at most this share of its bytes:
instructions are fewer, too, from about there on with every instruction set."""


@dataclasses.dataclass(frozen=True)
class Packing:
    """Tile order of a weight matrix: `nr` outputs by `kr` inputs, `tail_nr` for the last rows.

    `number` is the layout's in firmware_src/kernels/pn_dispatch.h. row_after_row: matrices
    without their zero blocks have the rows of a strip one after the other, not its blocks.
    """

    name: str
    nr: int
    tail_nr: int
    kr: int
    number: int
    row_after_row: bool


@dataclasses.dataclass(frozen=True)
class Packed:
    """Weights as kernels read them, and the list of blocks (uint16) where they are block sparse."""

    weights: bytes
    blocks: np.ndarray | None

    @property
    def size(self) -> int:
        """Bytes of both."""
        return len(self.weights) + (0 if self.blocks is None else 2 * self.blocks.size)


PACKINGS = {
    packing.name: packing
    for packing in (
        Packing("nr32c4", nr=32, tail_nr=8, kr=4, number=1, row_after_row=False),
        Packing("rm16", nr=1, tail_nr=1, kr=WIDTH_MULTIPLE, number=2, row_after_row=True),
    )
}


def find_packing(name: str) -> Packing:
    """The packing of a layout's name. Raises ModelError for an unknown one."""
    if name not in PACKINGS:
        raise ModelError(f"unknown weight layout `{name}`", hint=f"layouts: {', '.join(PACKINGS)}")
    return PACKINGS[name]


def pack(weight: np.ndarray, packing: Packing) -> bytes:
    """Reorder a matrix for one kernel family.

    weight: int8 [rows, cols], range [-127, 127], rows a multiple of tail_nr, cols of kr.
    Returns tiles [rows/nr][cols/kr][nr][kr]; the rows that fill no such tile come last, with
    tail_nr in the place of nr.
    """
    assert weight.dtype == np.int8 and weight.min(initial=0) >= -127
    split = len(weight) // packing.nr * packing.nr
    return b"".join(
        part.reshape(len(part) // nr, nr, weight.shape[1] // packing.kr, packing.kr)
        .transpose(0, 2, 1, 3)
        .tobytes()
        for part, nr in ((weight[:split], packing.nr), (weight[split:], packing.tail_nr))
    )


def pack_blocks(weight: np.ndarray, packing: Packing) -> Packed:
    """Leave out the blocks of 8 rows by 4 columns that are zero.

    weight: int8 [rows, cols], rows a multiple of 8, cols of 4. Of each strip of 8 rows the list has
    the number of blocks left, then their places in units of 4 columns. Its weights are the
    blocks, [n][8][4], or their rows, [8][n][4].
    """
    rows, cols = weight.shape
    tiles = weight.reshape(rows // BLOCK_ROWS, BLOCK_ROWS, cols // BLOCK_COLS, BLOCK_COLS)
    tiles = tiles.transpose(0, 2, 1, 3)
    kept = tiles.any(axis=(2, 3))
    places = [np.flatnonzero(strip) for strip in kept]
    blocks = np.concatenate([np.concatenate([[len(strip)], strip]) for strip in places])
    order = (1, 0, 2) if packing.row_after_row else (0, 1, 2)
    strips = [strip[mask].transpose(order) for strip, mask in zip(tiles, kept, strict=True)]
    return Packed(b"".join(strip.tobytes() for strip in strips), blocks.astype(np.uint16))


def pack_matrix(name: str, weight: np.ndarray, packing: Packing) -> Packed:
    """Pack a padded matrix, block sparse where there are kernels for that and it pays."""
    dense = Packed(pack(weight, packing), None)
    if not can_be_sparse(name):
        return dense
    sparse = pack_blocks(weight, packing)
    return sparse if sparse.size <= SPARSE_SHARE * dense.size else dense


def padded(width: int, multiple: int = WIDTH_MULTIPLE) -> int:
    """The next multiple."""
    return -(-width // multiple) * multiple


def padded_shapes(arch: Architecture) -> dict[str, tuple[int, int]]:
    """(rows, columns) of every matrix, by name in order of evaluation, as it lies in memory."""
    shapes = {}
    for name in matrix_names(arch):
        multiple = BANDS_MULTIPLE if name in _HEADS else WIDTH_MULTIPLE
        rows = sum(padded(width, multiple) for width in arch.row_segments(name))
        shapes[name] = (rows, sum(map(padded, arch.col_segments(name))))
    return shapes


def pad_model(model: QuantisedModel) -> dict[str, Matrix]:
    """The matrices with every width padded by zeros, columns in the order of the C code.

    Padded units stay silent: no weight and no bias gives tanh 0, and a GRU state h' = h / 2 that
    starts at 0. So the outputs keep every bit.
    """
    return {name: _pad(matrix, model.arch, name) for name, matrix in model.matrices.items()}


def _pad(matrix: Matrix, arch: Architecture, name: str) -> Matrix:
    row_segments = arch.row_segments(name)
    bands = name in _HEADS
    rows = _positions(row_segments, BANDS_MULTIPLE if bands else WIDTH_MULTIPLE)
    col_segments = arch.col_segments(name)
    order = _JOINED_ORDER if name == "gains" else range(len(col_segments))
    cols = _positions(col_segments, WIDTH_MULTIPLE, order)
    height = sum(padded(n, BANDS_MULTIPLE if bands else WIDTH_MULTIPLE) for n in row_segments)
    weight = np.zeros((height, sum(map(padded, col_segments))), np.int8)
    weight[np.ix_(rows, cols)] = matrix.weight
    bias, multiplier = np.zeros(height, np.int32), np.zeros(height, np.int32)
    bias[rows], multiplier[rows] = matrix.bias, matrix.multiplier
    return dataclasses.replace(matrix, weight=weight, bias=bias, multiplier=multiplier)


def _positions(
    segments: list[int], multiple: int, order: tuple[int, ...] | range | None = None
) -> np.ndarray:
    """Where the elements of segments go when each is padded and they are stored in `order`."""
    starts, end = {}, 0
    for segment in order if order is not None else range(len(segments)):
        starts[segment] = end
        end += padded(segments[segment], multiple)
    return np.concatenate([starts[i] + np.arange(width) for i, width in enumerate(segments)])
