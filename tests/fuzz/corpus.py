"""Seeds of the fuzz targets; big ones are made, not kept."""

import functools
from pathlib import Path

from kit.codegen.blob import render_blob
from kit.codegen.weights import PACKINGS
from kit.files import write_atomically
from kit.model.architecture import Architecture
from kit.model.export import write_tflite
from kit.model.import_ import load_model
from kit.model.quantise import quantise
from kit.model.random_model import random_weights
from kit.model.sparsify import sparsify
from kit.paths import FUZZ_TESTS

SMALL = Architecture(fc=16, conv1=16, conv2=16, gru=16, gru_strength=16)
"""The narrowest widths that no padding widens: a blob of 18 kB."""

CORPUS = FUZZ_TESTS / "corpus"


@functools.cache
def small_tflite(sparse: bool = False) -> bytes:
    """A random model of SMALL; sparse: most of its blocks are zero."""
    weights = random_weights(SMALL, seed=1)
    if sparse:
        weights = sparsify(weights, SMALL, 0.7)
    return write_tflite(weights, SMALL, {"name": "small", "post_filter": True})


def write_model(folder: Path) -> Path:
    """SMALL as a file to build programs with."""
    path = folder / "small.tflite"
    if not path.is_file() or path.read_bytes() != small_tflite():
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(path, small_tflite())
    return path


def write_blobs(folder: Path, layout: str) -> None:
    """dense.pnwb and sparse.pnwb, weights of SMALL for a target's layout."""
    for name, sparse in (("dense", False), ("sparse", True)):
        path = folder / f"{name}.tflite"
        write_atomically(path, small_tflite(sparse))
        model = quantise(load_model(path))
        write_atomically(folder / f"{name}.pnwb", render_blob(model, PACKINGS[layout]))
