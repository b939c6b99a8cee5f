"""`bench --estimates`: loops that are modelled, bytes that are read, and words for both."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from kit import cli
from kit.bench.estimates import (
    KERNEL_KIND,
    TRAFFIC_KIND,
    Loop,
    find_loops,
    loop_cycles,
    weight_traffic,
)
from kit.bench.model import find_subject
from kit.build import HOST_LIBRARY, HOST_TARGET, build
from kit.codegen.weights import padded_shapes
from kit.model.quantise import QuantisedModel, quantise
from kit.paths import BUILD
from kit.target import load_target

LISTING = """
0000000000000000 <outer>:
   0:\tmov\tw3, #0x0
   4:\tldp\tq0, q1, [x1], #32
   8:\tsdot\tv2.4s, v0.16b, v1.4b[0]
   c:\tsdot\tv3.4s, v0.16b, v1.4b[1]\t// second
  10:\tsubs\tx0, x0, #0x1
  14:\tb.ne\t4 <outer+0x4>  // b.any
  18:\tadd\tw3, w3, #0x1
  1c:\tcbnz\tw3, 4 <outer+0x4>
  20:\tret

0000000000000024 <wide>:
  24:\tsmull\tv0.8h, v1.8b, v2.8b
  28:\tsmlal2\tv0.8h, v1.16b, v2.16b
  2c:\tsmlal\tv4.4s, v5.4h, v6.h[0]
  30:\tcmp\tx0, x1
  34:\tb.hi\t24 <wide>  // b.pmore

0000000000000038 <branches>:
  38:\tcbz\tx2, 40 <branches+0x8>
  3c:\tadd\tx0, x0, #0x1
  40:\tsubs\tx1, x1, #0x1
  44:\tb.ne\t38 <branches>  // b.any
  48:\tret
"""


@pytest.fixture(scope="module")
def tiny() -> QuantisedModel:
    return quantise(find_subject(load_target(HOST_TARGET), None).load())


def test_a_loop_is_what_lies_between_a_branch_and_its_aim() -> None:
    # As objdump writes them, with the bytes of an instruction before it.
    loops = find_loops(LISTING.replace(":\t", ":\td503201f \t"))
    assert set(loops) == {"outer", "wide"}
    assert loops["outer"].instructions[0] == "ldp q0, q1, [x1], #32"
    assert loops["outer"].instructions[-1] == "subs x0, x0, #0x1"
    assert (loops["outer"].macs, loops["wide"].macs) == (32, 20)


@pytest.mark.parametrize("processor", ["cortex-a53", "neoverse-n1"])
def test_a_chain_takes_as_long_as_its_links(processor: str) -> None:
    chain = Loop(("add x0, x0, x1",) * 10, 0)
    free = Loop(tuple(f"add x{i}, x20, x21" for i in range(10)), 0)
    assert loop_cycles(chain, processor) > 1.9 * loop_cycles(free, processor)


def test_the_traffic_is_the_weights_of_a_build(tiny: QuantisedModel) -> None:
    build(HOST_LIBRARY)
    manifest = json.loads((BUILD / HOST_TARGET / "gen" / "model.json").read_text())
    frame, packet = weight_traffic(tiny, load_target(HOST_TARGET).layout)
    assert frame == manifest["weight_bytes"]
    shapes = padded_shapes(tiny.arch)
    recurrent = sum(r * (c + 8) for name, (r, c) in shapes.items() if name.endswith(".hh"))
    assert packet == recurrent + (frame - recurrent) // 2


def test_blocks_that_are_zero_are_not_read(tiny: QuantisedModel) -> None:
    matrix = tiny.matrices["gru1.hh"]
    emptied = dataclasses.replace(matrix, weight=np.zeros_like(matrix.weight))
    sparse = dataclasses.replace(tiny, matrices={**tiny.matrices, "gru1.hh": emptied})
    strips = len(matrix.weight) // 8
    traffic = np.array([weight_traffic(model, "nr32c4") for model in (tiny, sparse)])
    saved = list(traffic[0] - traffic[1])
    assert saved == [matrix.weight.size - 2 * strips] * 2


def test_the_verb_prints_each_figure_with_its_kind(capsys, tmp_path: Path) -> None:
    path = tmp_path / "estimates.json"
    assert cli.main(["bench", "--estimates", "--json", str(path)]) == 0
    out = capsys.readouterr().out
    assert KERNEL_KIND in out
    assert TRAFFIC_KIND in out
    facts = json.loads(path.read_text())
    kernels = {row["kernel"]: row for row in facts["kernels"]["rows"]}
    dot = kernels["pn_s8_gemv_ukernel_32c4__neondot"]
    assert dot["macs"] == 512
    assert set(dot["cycles"]) == {"cortex-a55", "neoverse-n1"}
    plain = kernels["pn_s8_gemv_ukernel_32c4__neon"]["cycles_per_kmac"]
    assert plain["cortex-a53"] > plain["neoverse-n1"] > dot["cycles_per_kmac"]["neoverse-n1"]
    board = next(row for row in facts["traffic"]["rows"] if row["target"] == "raspberry_pi_4")
    us = board["frame_bytes"] / load_target("raspberry_pi_4").bandwidth_mb_s
    assert board["frame_us"] == pytest.approx(us, abs=0.1)
    assert board["frame_core_percent"] == pytest.approx(us / 100, abs=0.01)
    assert board["packet_core_percent"] < board["frame_core_percent"]


def test_estimates_of_another_model_are_of_its_weights(capsys) -> None:
    assert cli.main(["bench", "--estimates", "--model", "lite"]) == 0
    assert "`lite`, a frame each 10 ms" in capsys.readouterr().out
