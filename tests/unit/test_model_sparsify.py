"""Block sparse models: which blocks go, whatever the widths, and what the kernels then read."""

import json
from pathlib import Path

import numpy as np
import pytest

from kit import cli
from kit.codegen.weights import PACKINGS, pack_matrix, pad_model
from kit.errors import ModelError
from kit.model.architecture import Architecture
from kit.model.export import write_tflite
from kit.model.import_ import Model, load_model
from kit.model.quantise import quantise
from kit.model.random_model import random_weights
from kit.model.sparsify import masks, sparsify

EVEN = Architecture(fc=16, conv1=32, conv2=32, gru=48, gru_strength=16)
ODD = Architecture(fc=5, conv1=17, conv2=9, gru=21, gru_strength=3)


def test_the_smallest_blocks_go_and_the_others_keep_every_bit():
    weights = random_weights(EVEN)
    matrix = weights["conv2.weight"]
    matrix[:8, 4:8] *= 0.01
    matrix[24:, 92:] *= 0.02
    out = sparsify(weights, EVEN, 2 / (4 * 24))["conv2.weight"]
    gone = np.zeros(matrix.shape, bool)
    gone[:8, 4:8] = gone[24:, 92:] = True
    np.testing.assert_array_equal(out, np.where(gone, 0, matrix))


def test_rows_of_units_that_training_hardly_used_go_first():
    weights = random_weights(EVEN)
    weights["gru2.weight_hh"][8:16] *= 0.01
    kept = masks(weights, EVEN, 0.5)["gru2.weight_hh"]
    assert not kept[8:16].any()
    assert np.mean(kept) == 0.5


def test_the_first_layer_and_biases_stay():
    weights = random_weights(EVEN)
    out = sparsify(weights, EVEN, 0.9)
    same = {name for name, value in weights.items() if np.array_equal(out[name], value)}
    assert same == {name for name in weights if "bias" in name} | {"fc.weight"}


@pytest.mark.parametrize("arch", [EVEN, ODD], ids=["even", "odd"])
@pytest.mark.parametrize("share", [0.5, 0.75])
def test_kernels_leave_that_share_of_blocks_out(arch: Architecture, share: float):
    """Blocks are those of the padded matrix in the firmware's order of columns."""
    model = quantise(Model(sparsify(random_weights(arch), arch, share), arch, {}, bytes(32)))
    for name, matrix in pad_model(model).items():
        packed = pack_matrix(name, matrix.weight, PACKINGS["nr32c4"])
        if name == "fc":
            assert packed.blocks is None
        else:
            assert len(packed.weights) <= (1 - share) * matrix.weight.size + 32, name


@pytest.mark.parametrize("share", [-0.1, 1.0, float("nan")])
def test_a_share_that_is_none_is_refused(share: float):
    with pytest.raises(ModelError, match="not in"):
        masks(random_weights(ODD), ODD, share)


def test_the_command_writes_a_model_and_says_what_it_takes(tmp_path: Path, capsys):
    dense, out, report = (tmp_path / name for name in ("in.tflite", "out.tflite", "sizes.json"))
    dense.write_bytes(write_tflite(random_weights(EVEN), EVEN, {"lookahead_frames": 1}))
    words = ["sparsify", str(dense), str(out), "--share", "0.5", "--json", str(report)]
    assert cli.main(words) == 0
    model = load_model(out)
    assert model.metadata["lookahead_frames"] == 1
    assert model.metadata["zero_blocks"] == 0.5
    sizes = json.loads(report.read_text())
    assert sizes["gru1.hh"] == {"weights": 144 * 48, "bytes": 144 * 48 // 2 + 2 * (18 + 108)}
    assert "gru1.hh" in capsys.readouterr().out
    assert cli.main(["sparsify", str(dense), str(tmp_path / "again"), "--share", "0.5"]) == 0
    assert (tmp_path / "again").read_bytes() == out.read_bytes()


def test_the_command_leaves_nothing_behind_for_a_bad_share(tmp_path: Path, capsys):
    dense, out = tmp_path / "in.tflite", tmp_path / "out.tflite"
    dense.write_bytes(write_tflite(random_weights(ODD), ODD, {}))
    assert cli.main(["sparsify", str(dense), str(out), "--share", "1.5"]) == 2
    assert "1.5, not in [0, 1)" in capsys.readouterr().err
    assert not out.exists()
