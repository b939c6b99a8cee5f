"""The footprint: exact where it says so, and every limit told with what would have to change."""

import dataclasses
import json

import pytest

from kit import cli, host
from kit.codegen.weights import pad_model, padded_shapes
from kit.model.architecture import ARCHITECTURES, Architecture
from kit.model.export import write_tflite
from kit.model.footprint import (
    footprint,
    macs_per_frame,
    shortfalls,
    state_bytes,
    weight_bytes,
)
from kit.model.import_ import load_model
from kit.model.quantise import quantise
from kit.model.random_model import random_weights
from kit.target import Budgets, Memory, load_target

TINY, FULL = ARCHITECTURES["tiny"], ARCHITECTURES["full"]
BOARD = dataclasses.replace(
    load_target("mps2_an500"),
    emulator=None,
    clock_hz=200_000_000,
    bandwidth_mb_s=50,
    memory={
        "flash": Memory(0, 512 * 1024, ("vectors", "text", "rodata", "weights")),
        "ram": Memory(0x20000000, 96 * 1024, ("data", "bss", "stack")),
    },
    budgets=Budgets(flash_bytes=480_000, ram_bytes=96_000, core_percent=80),
)


def test_weights_are_those_of_the_packed_model(tmp_path):
    arch = Architecture(fc=20, conv1=33, conv2=48, gru=17, gru_strength=9)
    path = tmp_path / "odd.tflite"
    path.write_bytes(write_tflite(random_weights(arch, 3), arch, {"name": "odd"}))
    matrices = pad_model(quantise(load_model(path)))
    assert {name: m.weight.shape for name, m in matrices.items()} == padded_shapes(arch)
    stored = sum(m.weight.nbytes + m.bias.nbytes + m.multiplier.nbytes for m in matrices.values())
    assert weight_bytes(arch) == stored + 513 * 2
    assert macs_per_frame(arch) == sum(m.weight.size for m in matrices.values())


def test_the_state_is_the_librarys_to_half_a_kilobyte():
    _, lib = host.load()
    assert lib.pn_state_size() == pytest.approx(state_bytes(TINY), abs=512)


def test_the_share_of_a_core_is_the_larger_of_instructions_and_weights_read():
    slow_memory = footprint(FULL, BOARD)
    slow_clock = footprint(TINY, dataclasses.replace(BOARD, bandwidth_mb_s=10_000))
    assert slow_memory.bound == "weights read"
    assert slow_memory.share == pytest.approx(weight_bytes(FULL) * 100 / 50e6)
    assert slow_clock.bound == "instructions"
    assert slow_clock.share == pytest.approx(slow_clock.instructions * 100 / 200e6)
    unknown = footprint(TINY, dataclasses.replace(BOARD, clock_hz=0, bandwidth_mb_s=0))
    assert unknown.share is None
    assert footprint(TINY, load_target("mps2_an500")).share is None


def test_what_fits_has_no_shortfall():
    assert shortfalls(footprint(TINY, BOARD), BOARD) == []


def test_every_limit_that_is_exceeded_is_told():
    short = {s.name: s for s in shortfalls(footprint(FULL, BOARD), BOARD)}
    assert set(short) == {"region flash", "flash_bytes", "core_percent"}
    assert "memory bandwidth" in short["core_percent"].change
    assert "KiB less" in short["region flash"].change


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"budgets": Budgets(ram_bytes=50_000)}, "ram_bytes"),
        ({"budgets": Budgets(state_bytes=40_000)}, "state_bytes"),
        ({"budgets": Budgets(stack_bytes=4_000)}, "stack_bytes"),
        ({"budgets": Budgets(frame_instructions=1_000_000)}, "frame_instructions"),
        ({"clock_hz": 100_000_000, "budgets": Budgets()}, "core_percent"),
    ],
)
def test_each_budget_counts(change, name):
    board = dataclasses.replace(BOARD, **change)
    assert [s.name for s in shortfalls(footprint(TINY, board), board)] == [name]


def test_fit_says_what_fits_and_ends_with_1_where_the_model_does_not(capsys, tmp_path):
    path = tmp_path / "fit.json"
    code = cli.main(["fit", "nucleo_h743zi", "--model", "full", "--json", str(path)])
    out, err = capsys.readouterr()
    assert code == 1
    assert "model `full` does not fit `nucleo_h743zi`" in err
    assert "these fit: tiny" in err
    assert "a model's estimate" in err
    assert "times the clock" in out
    (row,) = json.loads(path.read_text())
    assert row["model"] == "full" and row["found"]["weights"] == weight_bytes(FULL)


def test_fit_all_surveys_every_target(capsys):
    assert cli.main(["fit", "all"]) == 0
    out = capsys.readouterr().out
    assert "mps3_an547" in out and "full (not trained)" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["mps3_an546"], "unknown target `mps3_an546`"),
        (["mps3_an547", "--model", "tinny"], "there is no model `tinny`"),
    ],
)
def test_mistakes_are_one_clear_message(capsys, words, said):
    assert cli.main(["fit", *words]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("name", ["mps2_an500", "mps3_an547"])
def test_emulated_cortex_m_have_the_budgets_of_tiny(name):
    budgets = load_target(name).budgets
    assert budgets.flash_bytes <= 480_000 and budgets.ram_bytes <= 96_000
