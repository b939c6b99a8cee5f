"""The footprint: exact where it says so, and every limit told with what would have to change."""

import dataclasses
import json

import pytest

from kit import cli, host
from kit.codegen.blob import render_blob
from kit.codegen.weights import PACKINGS, pad_model, padded_shapes
from kit.errors import TargetError
from kit.model.architecture import ARCHITECTURES, Architecture
from kit.model.export import write_tflite
from kit.model.footprint import costs_of_target, find_network, footprint, shortfalls, state_bytes
from kit.model.import_ import Model, load_model
from kit.model.quantise import QuantisedModel, quantise
from kit.model.random_model import random_weights
from kit.model.sparsify import sparsify
from kit.target import Budgets, Memory, load_target, target_names

TINY, FULL = ARCHITECTURES["tiny"], ARCHITECTURES["full"]
TINY_NETWORK, FULL_NETWORK = find_network(TINY, "rm16"), find_network(FULL, "rm16")
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


def sparse_tiny() -> QuantisedModel:
    """A model of tiny's widths of which 0.6 of the blocks are zero."""
    weights = sparsify(random_weights(TINY), TINY, 0.6)
    return quantise(Model(weights, TINY, {}, bytes(32)))


def test_weights_are_those_of_the_packed_model(tmp_path):
    arch = Architecture(fc=20, conv1=33, conv2=48, gru=17, gru_strength=9)
    path = tmp_path / "odd.tflite"
    path.write_bytes(write_tflite(random_weights(arch, 3), arch, {"name": "odd"}))
    model = quantise(load_model(path))
    matrices = pad_model(model)
    assert {name: m.weight.shape for name, m in matrices.items()} == padded_shapes(arch)
    stored = sum(m.weight.nbytes + m.bias.nbytes + m.multiplier.nbytes for m in matrices.values())
    planned, packed = find_network(arch, "rm16"), find_network(model, "rm16")
    assert planned.weight_bytes == stored + 513 * 2
    assert planned.macs == sum(m.weight.size for m in matrices.values())
    assert planned.rows == packed.rows
    # What odd widths are padded with makes blocks of zeros.
    assert 0 < packed.sparse_macs < packed.macs < planned.macs


@pytest.mark.parametrize("layout", ["nr32c4", "rm16"])
def test_a_sparse_model_takes_the_bytes_of_its_blob(layout):
    model = sparse_tiny()
    network, blob = find_network(model, layout), render_blob(model, PACKINGS[layout])
    # Beside the weights a blob has a header, a table and padding; the table of tanh is code's.
    assert len(blob) - 3072 < network.weight_bytes - 513 * 2 < len(blob)
    first = model.arch.fc * 80
    assert network.dense_macs == first
    assert network.sparse_macs == pytest.approx(0.4 * (TINY_NETWORK.macs - first), rel=0.01)


def test_a_sparse_model_is_estimated_to_cost_less():
    dense, sparse = (
        footprint(n, BOARD) for n in (TINY_NETWORK, find_network(sparse_tiny(), "rm16"))
    )
    assert sparse.weights < 0.6 * dense.weights
    # Counted with random weights: `profile --target mps2_an500 --model` one of `sparsify`.
    assert dense.instructions == pytest.approx(1_331_699, rel=0.02)
    assert sparse.instructions == pytest.approx(996_882, rel=0.02)


@pytest.mark.parametrize(
    ("target", "counted_on", "instructions"),
    [
        ("raspberry_pi_5", "an emulated AArch64 with the dot product", 233_113),
        ("raspberry_pi_4", "an emulated AArch64 without the dot product", 301_361),
        ("raspberry_pi_zero2w", "an emulated AArch64 without the dot product", 301_361),
        ("beaglebone_black", "an emulated 32-bit Arm", 592_414),
    ],
)
def test_each_processor_has_costs_of_its_own(target: str, counted_on: str, instructions: int):
    found = footprint(find_network(TINY, "nr32c4"), load_target(target))
    assert found.counted_on == counted_on
    assert found.instructions == pytest.approx(instructions, rel=0.02)


@pytest.mark.parametrize("name", target_names())
def test_every_target_has_costs(name: str):
    assert costs_of_target(load_target(name)).per_kmac > 0


def test_a_target_without_costs_is_told():
    with pytest.raises(TargetError, match="says nothing of what a frame costs"):
        footprint(TINY_NETWORK, dataclasses.replace(BOARD, costs={}))


def test_the_state_is_the_librarys_to_half_a_kilobyte():
    _, lib = host.load()
    assert lib.pn_state_size() == pytest.approx(state_bytes(TINY), abs=512)


def test_the_share_of_a_core_is_the_larger_of_instructions_and_weights_read():
    slow_memory = footprint(FULL_NETWORK, BOARD)
    slow_clock = footprint(TINY_NETWORK, dataclasses.replace(BOARD, bandwidth_mb_s=10_000))
    assert slow_memory.bound == "weights read"
    assert slow_memory.share == pytest.approx(FULL_NETWORK.weight_bytes * 100 / 50e6)
    assert slow_clock.bound == "instructions"
    assert slow_clock.share == pytest.approx(slow_clock.instructions * 100 / 200e6)
    unknown = footprint(TINY_NETWORK, dataclasses.replace(BOARD, clock_hz=0, bandwidth_mb_s=0))
    assert unknown.share is None
    assert footprint(TINY_NETWORK, load_target("mps2_an500")).share is None


def test_what_fits_has_no_shortfall():
    assert shortfalls(footprint(TINY_NETWORK, BOARD), BOARD) == []


def test_every_limit_that_is_exceeded_is_told():
    short = {s.name: s for s in shortfalls(footprint(FULL_NETWORK, BOARD), BOARD)}
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
    assert [s.name for s in shortfalls(footprint(TINY_NETWORK, board), board)] == [name]


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
    assert row["model"] == "full" and row["found"]["weights"] == FULL_NETWORK.weight_bytes


def test_fit_all_surveys_every_target(capsys):
    assert cli.main(["fit", "all"]) == 0
    out = capsys.readouterr().out
    assert "mps3_an547" in out and all(name in out for name in ARCHITECTURES)


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
