"""Generated model sources: packing, padding that keeps every bit, blob, determinism, real C."""

import json
import struct
import subprocess
import zlib
from pathlib import Path

import numpy as np
import pytest

from kit.codegen.blob import graph_id, render_blob, settings
from kit.codegen.golden import golden_outputs
from kit.codegen.model import generate, golden_features
from kit.codegen.weights import PACKINGS, pack, pack_blocks, pack_matrix, pad_model
from kit.errors import ModelError
from kit.model.architecture import Architecture
from kit.model.export import write_tflite
from kit.model.import_ import Model, load_model
from kit.model.integer_reference import IntegerReference
from kit.model.quantise import QuantisedModel, quantise
from kit.model.random_model import random_weights
from kit.model.sparsify import sparsify
from kit.paths import C_TESTS, FIRMWARE

ODD = Architecture(fc=5, conv1=17, conv2=9, gru=21, gru_strength=3)
BLOB_CRCS = {"nr32c4": [2386558962, 3226068189], "rm16": [3667606444, 3009011605]}
"""Of a dense and of a block sparse model."""


def quantised(arch: Architecture = ODD) -> QuantisedModel:
    return quantise(Model(random_weights(arch), arch, {"post_filter": True}, bytes(range(32))))


@pytest.fixture
def model_path(tmp_path: Path) -> Path:
    path = tmp_path / "odd.tflite"
    path.write_bytes(
        write_tflite(random_weights(ODD), ODD, {"name": 'odd "\\\n', "post_filter": False})
    )
    return path


def test_pack_orders_tiles_of_32_rows_then_of_8() -> None:
    weight = (np.arange(40 * 16) % 251 - 125).astype(np.int8).reshape(40, 16)
    data = np.frombuffer(pack(weight, PACKINGS["nr32c4"]), np.int8)
    for row, col in [(0, 0), (31, 3), (5, 4), (31, 15), (32, 0), (39, 15), (33, 6)]:
        tile = 32 if row < 32 else 8
        at = row // tile * tile * 16 + col // 4 * tile * 4 + row % tile * 4 + col % 4
        assert data[at] == weight[row, col], (row, col)


def test_pack_row_major_changes_nothing() -> None:
    weight = np.arange(-64, 64).astype(np.int8).reshape(8, 16)
    assert pack(weight, PACKINGS["rm16"]) == weight.tobytes()


def sparse_weight(density: float) -> np.ndarray:
    """int8 [64, 96] of which blocks of 8 rows by 4 columns are zero."""
    rng = np.random.default_rng(3)
    kept = np.kron(rng.random((8, 24)) < density, np.ones((8, 4), np.int8))
    return (rng.integers(1, 127, (64, 96)) * kept).astype(np.int8)


def test_blocks_say_where_they_were() -> None:
    weight = sparse_weight(0.4)
    packed = pack_blocks(weight, PACKINGS["nr32c4"])
    blocks = np.frombuffer(packed.weights, np.int8).reshape(-1, 8, 4)
    words, again, used = packed.blocks.tolist(), np.zeros_like(weight), 0
    for row in range(0, 64, 8):
        for _ in range(words.pop(0)):
            col = 4 * words.pop(0)
            again[row : row + 8, col : col + 4] = blocks[used]
            used += 1
    assert not words
    assert used == len(blocks)
    np.testing.assert_array_equal(again, weight)


def test_rows_of_blocks_follow_each_other_where_kernels_read_rows() -> None:
    weight = np.zeros((16, 32), np.int8)
    weight[:8, [0, 21, 27]] = np.arange(1, 25).reshape(8, 3)
    weight[8:, 4:12] = np.arange(64).reshape(8, 8)
    packed = pack_blocks(weight, PACKINGS["rm16"])
    assert packed.blocks.tolist() == [3, 0, 5, 6, 2, 1, 2]
    upper = weight[:8, [0, 1, 2, 3, 20, 21, 22, 23, 24, 25, 26, 27]]
    assert packed.weights == upper.tobytes() + weight[8:, 4:12].tobytes()


@pytest.mark.parametrize("layout", ["nr32c4", "rm16"])
def test_a_matrix_is_block_sparse_where_that_pays_and_kernels_can_read_it(layout: str) -> None:
    half, most = sparse_weight(0.5), sparse_weight(0.9)
    packing = PACKINGS[layout]
    assert pack_matrix("gru1.hh", half, packing).blocks is not None
    assert pack_matrix("gru1.hh", most, packing).blocks is None
    assert pack_matrix("fc", half, packing).blocks is None


def test_sparse_weights_pay_up_to_three_quarters_of_the_bytes() -> None:
    """Of 8 by 40 weights 7 blocks take 240 bytes, with their list."""
    weight = np.zeros((8, 40), np.int8)
    weight[0, : 7 * 4] = 1
    assert pack_matrix("gru1.hh", weight, PACKINGS["nr32c4"]).size == 240
    weight[0, 7 * 4] = 1
    assert pack_matrix("gru1.hh", weight, PACKINGS["nr32c4"]).size == weight.size


def test_padding_keeps_every_output_bit() -> None:
    """The padded network, run with padded widths, has the same gains and strengths."""
    model = quantised()
    wide = Architecture(fc=16, conv1=32, conv2=16, gru=32, gru_strength=16)
    matrices = dict(pad_model(model))
    undo = np.concatenate([np.arange(128, 144), *(np.arange(32) + 32 * i for i in (0, 1, 3, 2))])
    gains = matrices["gains"]
    matrices["gains"] = type(gains)(
        gains.weight[:, undo], gains.bias, gains.multiplier, gains.left, gains.right
    )
    fc = matrices["fc"]
    matrices["fc"] = type(fc)(fc.weight[:, :70], fc.bias, fc.multiplier, fc.left, fc.right)
    padded = IntegerReference(QuantisedModel(wide, matrices, {}, bytes(32)))
    features = golden_features(12)
    for ours, theirs in zip(
        IntegerReference(model).run(features), padded.run(features), strict=True
    ):
        np.testing.assert_array_equal(theirs[:, :34], ours)


def test_blob_says_what_its_header_promises() -> None:
    model = quantised()
    blob = render_blob(model, PACKINGS["rm16"])
    magic, version, size, crc, graph, layout, count, settings = struct.unpack_from("<4s7I", blob)
    assert (magic, version, size, layout, count) == (b"PNWB", 2, len(blob), 2, 15)
    assert crc == zlib.crc32(blob[16:])
    assert graph == graph_id(ODD)
    assert settings == 2 | 1 << 8
    assert blob[32:48] == bytes(range(16))
    golden = np.hstack(golden_outputs(model)).astype("<i2")
    assert struct.unpack_from("<4I", blob, 48) == (zlib.crc32(golden.tobytes()), 0, 0, 0)
    for i, (name, matrix) in enumerate(pad_model(model).items()):
        offset, crc, shape, left, right, words = struct.unpack_from("<6I", blob, 64 + 24 * i)
        rows, cols = matrix.weight.shape
        packed = pack_matrix(name, matrix.weight, PACKINGS["rm16"])
        data = blob[offset : offset + packed.size + 8 * rows]
        assert offset % 64 == 0
        assert (shape, left, right) == (rows | cols << 16, matrix.left, matrix.right)
        assert zlib.crc32(data) == crc
        assert data[: len(packed.weights)] == packed.weights
        assert data[len(packed.weights) :][: 4 * rows] == matrix.bias.astype("<i4").tobytes()
        blocks = b"" if packed.blocks is None else packed.blocks.astype("<u2").tobytes()
        assert (2 * words, data[len(packed.weights) + 8 * rows :]) == (len(blocks), blocks)


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({}, (2, 1)),
        ({"lookahead_frames": 0, "post_filter": False}, (0, 0)),
        ({"lookahead_frames": 7, "post_filter": True}, (7, 1)),
    ],
)
def test_settings_are_the_model_s_or_the_usual_ones(
    metadata: dict[str, object], expected: tuple[int, int]
) -> None:
    model = QuantisedModel(ODD, {}, metadata, bytes(32))
    assert settings(model) == expected


def test_graph_id_changes_with_any_width() -> None:
    widths = [5, 17, 9, 21, 3]
    ids = {graph_id(Architecture(*(w + (i == j) for j, w in enumerate(widths)))) for i in range(6)}
    assert len(ids) == 6


def test_the_same_model_gives_the_same_bytes_wherever_it_lies(
    model_path: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    copy = tmp_path / "elsewhere" / "copy.tflite"
    copy.write_bytes(model_path.read_bytes())
    assert generate(model_path, "nr32c4") == generate(copy, "nr32c4")


def test_manifest_describes_the_build(model_path: Path) -> None:
    manifest = json.loads(generate(model_path, "rm16")["model.json"])
    assert manifest["layout"] == "rm16"
    assert manifest["sha256"].startswith(manifest["hash"])
    assert manifest["parameters"] == ODD.weights_count()
    assert manifest["matrices"]["gains"] == {"rows": 40, "cols": 4 * 32 + 16}


def test_an_unknown_layout_is_refused(model_path: Path) -> None:
    with pytest.raises(ModelError, match="layout `diagonal`"):
        generate(model_path, "diagonal")


def test_golden_vectors_do_not_move() -> None:
    """They define what devices are compared with: a change here is a change of every report."""
    assert zlib.crc32(golden_features().tobytes()) == GOLDEN_CRC


@pytest.mark.parametrize("layout", BLOB_CRCS)
def test_the_same_model_gives_the_weights_of_every_release_before(layout: str) -> None:
    """Devices are told apart by their weights' checksums: who changes them does so on purpose."""
    dense, sparse = (
        quantise(Model(weights, ODD, {"post_filter": True}, bytes(range(32))))
        for weights in (random_weights(ODD), sparsify(random_weights(ODD), ODD, 0.6))
    )
    blobs = [render_blob(model, PACKINGS[layout]) for model in (dense, sparse)]
    assert [zlib.crc32(blob) for blob in blobs] == BLOB_CRCS[layout]


def compile_c(folder: Path, model_path: Path, layout: str, *main: Path) -> Path:
    """A program of the scalar C network with a model in it."""
    for name, content in generate(model_path, layout).items():
        (folder / name).write_bytes(content)
    kernels = sorted((FIRMWARE / "kernels").glob("pn_s*__scalar.c"))
    lines = [f"PN_KERNEL({path.stem.removesuffix('__scalar')}, scalar)" for path in kernels]
    (folder / "pn_kernel_list.h").write_text("\n".join(lines) + "\n")
    sources = [p for p in (FIRMWARE / "kernels").glob("*.c") if "__" not in p.stem or p in kernels]
    sources += [*(FIRMWARE / "nn").glob("*.c"), folder / "pn_model.c", *main]
    names = ("include", "dsp", "nn", "kernels", "profile", "port")
    includes = [folder, *(FIRMWARE / name for name in names)]
    program = folder / "program"
    flags = ["-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", *(f"-I{path}" for path in includes)]
    subprocess.run(["gcc", *flags, *map(str, sources), "-o", str(program)], check=True, timeout=120)
    return program


@pytest.mark.parametrize("layout", ["nr32c4", "rm16"])
def test_c_equals_the_integer_reference_for_odd_widths(
    model_path: Path, tmp_path: Path, layout: str
) -> None:
    """Over far more steps than the golden vectors."""
    (tmp_path / "main.c").write_text(_STEPPER)
    program = compile_c(tmp_path, model_path, layout, tmp_path / "main.c")
    # What odd widths are padded with makes blocks of zeros.
    assert "conv2_blocks" in (tmp_path / "pn_model.c").read_text()
    features = (
        np.random.Generator(np.random.PCG64(9)).integers(-32768, 32768, (300, 70)).astype("<i2")
    )
    answer = subprocess.run(
        [program], input=features.tobytes(), capture_output=True, check=True, timeout=60
    )
    got = np.frombuffer(answer.stdout, "<i2").reshape(300, 2, 34)
    gains, strengths = IntegerReference(quantise(load_model(model_path))).run(features)
    np.testing.assert_array_equal(got[:, 0], gains)
    np.testing.assert_array_equal(got[:, 1], strengths)


@pytest.mark.parametrize("layout", ["nr32c4", "rm16"])
def test_a_block_sparse_model_passes_the_tests_of_the_network(tmp_path: Path, layout: str) -> None:
    """Golden vectors, packets, and its blob."""
    arch = Architecture(fc=32, conv1=48, conv2=48, gru=80, gru_strength=32)
    path = tmp_path / "sparse.tflite"
    path.write_bytes(write_tflite(sparsify(random_weights(arch), arch, 0.6), arch, {}))
    port = FIRMWARE / "port"
    mains = [C_TESTS / "test_nn.c", port / "pn_port_line.c", port / "linux" / "pn_port_linux.c"]
    program = compile_c(tmp_path, path, layout, *mains)
    assert (tmp_path / "pn_model.c").read_text().count("_blocks[") == 14
    done = subprocess.run([program], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout


GOLDEN_CRC = 1119199962

_STEPPER = """
#include <stdio.h>
#include "pn_model.h"
static _Alignas(64) unsigned char state[65536];
int main(void) {
    int16_t x[70], y[2][34];
    if (pn_nn_state_size(&pn_model) > sizeof state)
        return 1;
    pn_nn_reset(&pn_model, state);
    while (fread(x, sizeof x, 1, stdin) == 1) {
        pn_nn_step(&pn_model, state, x, y[0], y[1]);
        fwrite(y, sizeof y, 1, stdout);
    }
    return 0;
}
"""
