"""`profile`: instructions by region are exact; times are those of this computer."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from kit import cli
from kit.bench import counts as counts_module
from kit.bench.counts import FRAME, Counts, count
from kit.bench.model import find_subject
from kit.bench.program import build_program
from kit.build import build
from kit.devtest.protocol import read_report
from kit.elf import read_symbols
from kit.errors import DeviceError, KitError
from kit.measure import measure_costs
from kit.model.architecture import ARCHITECTURES
from kit.model.export import write_tflite
from kit.model.random_model import random_weights
from kit.paths import ROOT
from kit.target import load_target

ARM64, BOARD = "qemu_aarch64", "mps3_an547"
LIVE_TIMEOUT_S = 120.0


def counted(name: str, isa: str | None = None) -> Counts:
    target = load_target(name)
    return count(target, find_subject(target, None), isa)


@pytest.fixture(scope="module")
def on_board() -> Counts:
    return counted(BOARD)


@pytest.fixture(scope="module")
def on_arm64() -> Counts:
    return counted(ARM64)


def test_the_plugin_counts_what_the_boards_own_clock_counts(on_board: Counts) -> None:
    build(BOARD)
    frame = measure_costs(load_target(BOARD))[1].frame
    assert on_board.frame == pytest.approx(frame, rel=0.005)


def test_counts_are_the_same_at_every_run(on_arm64: Counts) -> None:
    assert counted(ARM64).functions == on_arm64.functions


def test_every_region_has_its_own_functions(on_arm64: Counts) -> None:
    assert all(instructions > 0 for instructions in on_arm64.regions.values())
    largest = {region: next(iter(found)) for region, found in on_arm64.functions.items()}
    assert largest["network.gru1"] == "pn_s8_gemv_ukernel_32c4__neondot"
    assert largest["pitch"] == "pn_pitch_push"
    assert "pn_probe_enter" not in {f for found in on_arm64.functions.values() for f in found}
    stages = on_arm64.stages()
    assert stages["network"] == pytest.approx(
        sum(cost for region, cost in on_arm64.regions.items() if region.startswith("network."))
    )
    assert sum(stages.values()) == pytest.approx(2 * stages[FRAME])


def test_an_instruction_set_changes_the_counts_and_no_bit(on_board: Counts, on_arm64: Counts):
    scalar = counted(ARM64, "scalar")
    assert scalar.stages()["network"] > 5 * on_arm64.stages()["network"]
    assert scalar.out_crc == on_arm64.out_crc == on_board.out_crc


def test_an_emulator_that_loads_no_plugin_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts_module, "_arguments", lambda *_: str(ROOT / "README.md"))
    with pytest.raises(DeviceError, match="without its plugin|ended without"):
        counted(ARM64)


def test_an_emulator_that_counts_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = counts_module._arguments
    monkeypatch.setattr(
        counts_module, "_arguments", lambda symbols, out: elsewhere(symbols, out.with_name("else"))
    )
    with pytest.raises(DeviceError, match="`qemu-aarch64` ran without its plugin") as caught:
        counted(ARM64)
    assert "QEMU 7.2 is needed" in caught.value.hint


def test_what_is_not_emulated_is_not_counted() -> None:
    with pytest.raises(KitError, match="`host_x86_64` is not emulated"):
        counted("host_x86_64")


def test_counts_need_to_know_of_how_many_frames_they_are() -> None:
    words = ["PN_BOOT run=1 fw=f model=m isa=scalar", "hello", "PN_OTHER frames=1"]
    for told in (["PN_PROFILE frames=3"], []):
        report = read_report([*words, *told, "PN_DONE bad=0"], "1")
        if told:
            assert counts_module._frames(report) == 3
        else:
            with pytest.raises(DeviceError, match="did not say how many frames it ran"):
                counts_module._frames(report)


@pytest.mark.parametrize("name", [ARM64, BOARD])
def test_symbols_are_those_that_pyelftools_reads(name: str) -> None:
    target = load_target(name)
    program = build_program(target, find_subject(target, None))
    with program.open("rb") as file:
        wanted = {
            (symbol.name, symbol["st_value"] & ~int(is_thumb), symbol["st_size"])
            for symbol in ELFFile(file).get_section_by_name(".symtab").iter_symbols()
            if (kind := symbol["st_info"]["type"]) in ("STT_FUNC", "STT_OBJECT")
            for is_thumb in [name == BOARD and kind == "STT_FUNC"]
        }
    found = read_symbols(program.read_bytes())
    assert {(symbol.name, symbol.address, symbol.size) for symbol in found} == wanted


def test_the_verb_shows_and_writes_instructions(capsys, tmp_path: Path) -> None:
    path = tmp_path / "profile.json"
    code = cli.main(["profile", "--target", ARM64, "--functions", "--json", str(path)])
    out, err = capsys.readouterr()
    assert code == 0, err
    assert re.search(r"^network +\d{5} +\d\d\.\d +━{20}", out, re.MULTILINE)
    assert "instructions under emulation" in out
    assert re.search(r"^pitch +pn_pitch_push +\d{5}", out, re.MULTILINE)
    facts = json.loads(path.read_text())
    assert (facts["unit"], facts["target"], facts["isa"]) == ("instructions", ARM64, "neondot")
    assert sum(facts["layers"].values()) == pytest.approx(facts["stages"][FRAME])


def test_the_verb_measures_time_on_this_computer(capsys, tmp_path: Path) -> None:
    path = tmp_path / "profile.json"
    code = cli.main(["profile", "--mode", "cold", "--isa", "scalar", "--json", str(path)])
    out, err = capsys.readouterr()
    assert code == 0, err
    assert "measured time on this machine: tiny, scalar, cold" in out
    facts = json.loads(path.read_text())
    assert (facts["model"], facts["unit"], facts["mode"]) == ("tiny", "us", "cold")
    assert all(0 < cost["q1"] <= cost["p50"] <= cost["q3"] for cost in facts["spread"].values())


def test_a_file_is_another_model_with_builds_of_its_own(tmp_path: Path) -> None:
    shape = ARCHITECTURES["tiny"]
    model = tmp_path / "own.tflite"
    model.write_bytes(write_tflite(random_weights(shape), shape, {"name": "own"}))
    target = load_target(ARM64)
    own, shipped = find_subject(target, str(model)), find_subject(target, None)
    assert (own.name, own.path, own.is_random) == ("own", model, False)
    assert own.below and not shipped.below


def test_live_goes_on_until_it_is_interrupted() -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "kit", "profile", "--live", "--mode", "warm"]
    size = {**os.environ, "LINES": "40", "COLUMNS": "100"}
    with subprocess.Popen(command, cwd=ROOT, stdout=theirs, stderr=theirs, env=size) as child:
        os.close(theirs)
        try:
            shown = read_until(ours, rb"all .*all .*all ")
            assert child.poll() is None
            child.send_signal(signal.SIGINT)
            read_until(ours, b"")
            assert child.wait(LIVE_TIMEOUT_S) == 0
        finally:
            child.kill()
    assert b"% of this core; Ctrl-C ends" in shown


def read_until(terminal: int, pattern: bytes) -> bytes:
    """What a terminal shows until a pattern is there, or, without one, until its program ends."""
    shown, end = b"", time.monotonic() + LIVE_TIMEOUT_S
    while not (pattern and re.search(pattern, shown, re.DOTALL)):
        assert time.monotonic() < end, shown[-2000:]
        if select.select([terminal], [], [], 1.0)[0]:
            try:
                shown += os.read(terminal, 65536)
            except OSError:  # how Linux tells the end
                assert not pattern, shown[-2000:]
                break
    return shown


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--target", "pixel_9z"], "unknown target `pixel_9z`"),
        (["--target", "pixel_6a"], "runs on a device only"),
        (["--device", "nobody"], "`nobody`"),
        (["--model", "huge"], "unknown model `huge`"),
        (["--model", str(ROOT / "README.md")], "not a .tflite file"),
        (["--model", "gone.tflite"], "cannot read model `gone.tflite`"),
        (["--target", ARM64, "--isa", "mve"], "instruction set `mve`"),
        (["--target", ARM64, "--mode", "cold"], "are for host_x86_64"),
        (["--cluster", "big"], "--cluster is for devices"),
        (["--functions"], "--functions is for emulated targets"),
        (["--live", "--json", "x.json"], "--live writes no figures"),
        (["--live"], "--live needs a terminal"),
    ],
)
def test_mistakes_end_with_one_clear_error(capsys, words: list[str], said: str) -> None:
    assert cli.main(["profile", *words]) == 2
    assert said in capsys.readouterr().err
