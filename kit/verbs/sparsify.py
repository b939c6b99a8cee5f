"""`sparsify`: a model with fewer weights to read, out of a trained one."""

from pathlib import Path

import click

from kit import console
from kit.files import write_atomically, write_json


@click.command(
    epilog="Example: ./tools/percepnet sparsify full.tflite compact.tflite --share 0.63; then "
    "./tools/percepnet build raspberry_pi_4 --model compact.tflite"
)
@click.argument(
    "model", metavar="MODEL", type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@click.argument("out", metavar="OUT", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--share",
    type=float,
    default=0.6,
    show_default=True,
    help="Of the blocks of 8 by 4 weights of each matrix, how many become zero. Below 0.3 little "
    "is saved: zeros are left out where that makes a matrix a quarter smaller.",
)
@click.option(
    "--json", "json_path", type=click.Path(path_type=Path), help="Write the bytes of matrices here."
)
def command(model: Path, out: Path, share: float, json_path: Path | None) -> None:
    """Leave the least weights of MODEL, a trained .tflite, out and write OUT.

    Every target then stores and reads fewer bytes for each frame, and most take fewer instructions.
    The sound suffers unless the model is trained further with its zeros kept: compare both with
    `evaluate`.
    """
    from kit.model.export import write_tflite
    from kit.model.import_ import load_model
    from kit.model.sparsify import sparsify

    dense = load_model(model)
    weights = sparsify(dense.weights, dense.arch, share)
    metadata = {**dense.metadata, "zero_blocks": share}
    data = write_tflite(weights, dense.arch, metadata)
    sizes = _sizes(data)
    write_atomically(out, data)
    rows = [[name, f"{before:,}", f"{after:,}"] for name, (before, after) in sizes.items()]
    totals = [sum(column) for column in zip(*sizes.values(), strict=True)]
    rows.append(["all", *(f"{total:,}" for total in totals)])
    console.table(["matrix", "weights", "bytes with lists of blocks"], rows)
    if json_path:
        facts = {name: {"weights": n, "bytes": size} for name, (n, size) in sizes.items()}
        write_json(json_path, facts)


def _sizes(data: bytes) -> dict[str, tuple[int, int]]:
    """Weights of each matrix, and the bytes in which kernels read them."""
    from kit.codegen.weights import PACKINGS, pack_matrix, pad_model
    from kit.model.import_ import import_tflite
    from kit.model.quantise import quantise

    matrices = pad_model(quantise(import_tflite(data)))
    packing = PACKINGS["nr32c4"]  # all layouts take the same bytes
    return {
        name: (matrix.weight.size, pack_matrix(name, matrix.weight, packing).size)
        for name, matrix in matrices.items()
    }
