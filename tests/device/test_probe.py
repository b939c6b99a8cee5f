"""Debug probes: there is none here. pyOCD works a stand-in with an emulated core; OpenOCD is taken
as far as its command lines go, and to what it says without a probe.
"""

import dataclasses
import logging
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kit import process
from kit.build import build, program_path
from kit.device import Device, save_device
from kit.device.map import MAP_SETTING
from kit.devtest.protocol import read_report
from kit.elf import Segment, read_image
from kit.errors import DeviceError, KitError, TargetError
from kit.paths import ROOT
from kit.probe.tools import OpenOcd, PyOcd, tool_for
from kit.runner import make_runner, open_session
from kit.runner.probe import _compare
from kit.target import Probe, Target, load_target
from tests.device.stand_ins.machine import wait_until
from tests.device.stand_ins.swd_probe import GdbServer, answers, plugged_in
from tests.device.test_gdb import board

PROBE = Probe(pyocd="stm32h743xx", openocd="board/st_nucleo_h743zi.cfg")
ABSENT = "0000000000000000ABSENT"
PRESENT = "0000000000000STANDIN"
EMULATED = "mps2_an500"
TOOLS = [PyOcd, OpenOcd]


@pytest.fixture
def target() -> Target:
    return dataclasses.replace(load_target(EMULATED), probe=PROBE)


@pytest.fixture
def served(tmp_path: Path, monkeypatch) -> Iterator[Device]:
    """An emulated board that hangs on a probe; its gdb server is how a test gets at its memory."""
    with board(EMULATED) as device:
        wait_until(lambda: answers(device.gdb), "QEMU listens")
        plug_in(tmp_path, monkeypatch, device.gdb)
        yield device


def plug_in(folder: Path, monkeypatch, server: str, state: str = "ready") -> None:
    for name, value in plugged_in(folder / "plugin", PRESENT, server, state).items():
        monkeypatch.setenv(name, value)


def test_pyocd_flashes_a_board_that_then_passes_its_self_test(
    served: Device, tmp_path: Path
) -> None:
    """Between flash and start the chip stands still; a byte that changed is found."""
    build(EMULATED)
    target = dataclasses.replace(load_target(EMULATED), probe=Probe(pyocd="cortex_m"))
    runner = make_runner(target, dataclasses.replace(served, gdb="", probe=PRESENT))
    program = program_path(target, "selftest")
    shares: list[float] = []
    runner.flash(program, shares.append)
    assert shares == sorted(shares)
    assert len(shares) > 3
    assert shares[-1] == 1.0

    weights = max(read_image(program), key=lambda segment: segment.stored)
    change_memory(served.gdb, weights.load_address + 64)
    piece = (weights.load_address, weights.stored, tmp_path / "read")
    tool = tool_for(target, PRESENT)
    tool.run(tool.read([piece]))
    with pytest.raises(DeviceError, match=f"first at {weights.load_address + 64:#x}"):
        _compare(weights, tmp_path / "read")

    with open_session(runner, "selftest", rebuild=False) as session:
        report = read_report(session.lines(), session.run_id)
    assert report.passed
    assert report.tests


def change_memory(server: str, address: int) -> None:
    machine = GdbServer(server)
    machine.write(address, bytes([machine.read(address, 1)[0] ^ 1]))
    machine.close()


@pytest.mark.parametrize(
    ("state", "chip", "words", "next_step"),
    [
        ("busy", "cortex_m", "another program uses it", "a debugger"),
        ("denied", "cortex_m", "not be used by this account", "udev"),
        ("no_ack", "cortex_m", "does not reach the chip", "powered"),
        (
            "locked",
            "cortex_m",
            "locked against debuggers",
            f"erase --mass -u {PRESENT} -t cortex_m",
        ),
        ("ready", "zz9", "does not know the chip", "pyocd pack install zz9"),
    ],
)
def test_pyocd_s_troubles_have_their_own_messages(
    state: str, chip: str, words: str, next_step: str, tmp_path: Path, monkeypatch
) -> None:
    plug_in(tmp_path, monkeypatch, "127.0.0.1:1", state)
    tool = PyOcd(Probe(pyocd=chip), PRESENT)
    with pytest.raises(DeviceError, match=words) as caught:
        tool.run(tool.flash(tmp_path / "any.elf"))
    assert next_step in caught.value.hint


@pytest.mark.parametrize("kind", TOOLS)
def test_a_probe_that_is_not_connected_is_told_of(kind, tmp_path: Path) -> None:
    tool = kind(PROBE, ABSENT)
    words = tmp_path / "words"
    words.write_bytes(bytes(16))
    for command in (
        tool.flash(words),
        tool.read([(0x08000000, 256, tmp_path / "read")]),
        tool.start(0x20000000, words),
    ):
        with pytest.raises(DeviceError, match="is not connected") as caught:
            tool.run(command)
        assert ABSENT in caught.value.message
        assert "devices detect" in caught.value.hint


def test_a_start_that_fails_gives_the_serial_line_back(target: Target) -> None:
    build(EMULATED)
    with socket.create_server(("127.0.0.1", 0)) as line:
        serial = f"socket://127.0.0.1:{line.getsockname()[1]}"
        runner = make_runner(target, Device("board", EMULATED, probe=ABSENT, serial=serial))
        with pytest.raises(DeviceError, match="is not connected"):
            runner.start(program_path(target, "selftest"), [], {})
        connection, _ = line.accept()
        with connection:
            connection.settimeout(10)
            assert connection.recv(1) == b"", "it was closed"


def test_a_board_that_openocd_does_not_know_is_told_of(tmp_path: Path) -> None:
    tool = OpenOcd(Probe(openocd="board/zz9.cfg"), ABSENT)
    with pytest.raises(DeviceError, match="has no configuration of the board"):
        tool.run(tool.flash(tmp_path))


def test_the_commands_for_pyocd_are_commands_that_it_has(tmp_path: Path) -> None:
    """pyOCD reads commands only once it has a probe; its table of commands says what it reads."""
    import pyocd.commands.commands  # noqa: F401 - fills the table
    from pyocd.commands.base import ALL_COMMANDS

    known = {
        name: c.INFO["nargs"]
        for group in ALL_COMMANDS.values()
        for c in group
        for name in c.INFO["names"]
    }
    tool = PyOcd(PROBE, ABSENT)
    read = tool.read([(0x08000000, 256, tmp_path / "read")])
    for text in (word for word in [*read, *tool.start(0, tmp_path)] if " " in word or word == "go"):
        name, *arguments = text.split()
        nargs = known[name]
        assert len(arguments) in (nargs if isinstance(nargs, list) else [nargs]), text


def test_the_commands_for_openocd_parse_and_name_commands_that_it_has(tmp_path: Path) -> None:
    """OpenOCD with its dummy adapter and no chip: it knows every command that we give it."""
    tool = OpenOcd(PROBE, ABSENT)
    commands = [*tool.flash(tmp_path), *tool.read([(0, 4, tmp_path)]), *tool.start(0, tmp_path)]
    names = {word.split()[0] for word in commands[3:] if word[0].isalpha() and word != "openocd"}
    names -= {"board/st_nucleo_h743zi.cfg", "adapter", "shutdown", "init"}
    assert {"program", "reset", "dump_image", "load_image", "resume"} <= names
    look = [w for n in sorted(names) for w in ("-c", f'echo "{n}: [llength [info commands {n}]]"')]
    board = (
        "adapter driver dummy",
        "jtag newtap a tap -irlen 4",
        "dap create a.dap -chain-position a.tap",
        "target create a.cpu cortex_m -dap a.dap",
        "adapter speed 100",
        "catch init",
    )
    setup = [word for text in board for word in ("-c", text)]
    done = process.run(["openocd", *setup, *look, "-c", "shutdown"], timeout_s=20, check=False)
    said = done.stderr.decode()
    for name in names:
        assert f"{name}: 1" in said, said


@pytest.mark.parametrize(
    ("kind", "said", "words"),
    [
        (PyOcd, "SWD/JTAG communication failure (No ACK)", "does not reach the chip"),
        (PyOcd, "USBError: [Errno 13] Access denied (insufficient permissions)", "this account"),
        (PyOcd, "Target type zz9 not recognized. Use 'pyocd list --targets'", "not know the chip"),
        (OpenOcd, "Error: libusb_open() failed with LIBUSB_ERROR_ACCESS", "this account"),
        (OpenOcd, "Error: Error connecting DP: cannot read IDR", "does not reach the chip"),
        (OpenOcd, "** Programming Failed **", "could not be written"),
        (OpenOcd, "Can't find board/zz9.cfg", "no configuration of the board"),
        (OpenOcd, "something new", "failed"),
    ],
)
def test_what_a_tool_says_becomes_a_message_and_a_next_step(kind, said: str, words: str) -> None:
    script = f"import sys; sys.stderr.write({said!r}); sys.exit(1)"
    with pytest.raises(DeviceError, match=words) as caught:
        kind(PROBE, ABSENT).run([sys.executable, "-c", script])
    assert caught.value.hint


def test_pyocd_comes_first_and_openocd_where_pyocd_does_not_know_the_chip(target: Target) -> None:
    assert isinstance(tool_for(target, ABSENT), PyOcd)
    only = dataclasses.replace(target, probe=Probe(openocd=PROBE.openocd))
    assert isinstance(tool_for(only, ABSENT), OpenOcd)


def test_a_target_that_no_tool_knows_says_which_key_it_lacks() -> None:
    with pytest.raises(TargetError, match="does not say how a debug probe") as caught:
        tool_for(load_target("mps2_an500"), ABSENT)
    assert "[probe]" in caught.value.hint


def test_without_any_tool_both_are_named(target: Target, monkeypatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("kit.probe.tools.pyocd_is_installed", lambda: False)
    with pytest.raises(KitError, match="no program for debug probes") as caught:
        tool_for(target, ABSENT)
    assert "pyocd" in caught.value.hint
    assert "openocd" in caught.value.hint


def test_what_reads_back_differently_is_told_with_its_address(tmp_path: Path) -> None:
    segment = Segment(0x08000000, 0x08000000, 4, b"abcd")
    path = tmp_path / "read"
    path.write_bytes(b"abcd")
    _compare(segment, path)
    path.write_bytes(b"abXd")
    with pytest.raises(DeviceError, match="first at 0x8000002"):
        _compare(segment, path)


PYOCD_LINES = [
    "pyocd load -W -u {id} -t stm32h743xx --no-reset -O resume_on_disconnect=false {elf}",
    "pyocd commander -W -u {id} -t stm32h743xx -c 'reset halt'",
]
OPENOCD_LINES = [
    "openocd -f board/st_nucleo_h743zi.cfg -c 'adapter serial {id}' -c 'program {{{elf}}} verify' "
    "-c shutdown",
    "openocd -f board/st_nucleo_h743zi.cfg -c 'adapter serial {id}' -c init -c 'reset halt'",
]


@pytest.mark.parametrize(("has_pyocd", "lines"), [(True, PYOCD_LINES), (False, OPENOCD_LINES)])
def test_a_dry_run_shows_every_command_and_runs_none(
    target: Target, has_pyocd: bool, lines: list[str], monkeypatch, caplog, tmp_path: Path
) -> None:
    monkeypatch.setattr(process, "dry_run", True)
    monkeypatch.setattr("kit.probe.tools.pyocd_is_installed", lambda: has_pyocd)
    monkeypatch.setattr(subprocess, "Popen", lambda *args, **kw: pytest.fail("it ran something"))
    runner = make_runner(target, Device("board", target.name, probe=ABSENT))
    elf = tmp_path / "selftest.elf"
    with caplog.at_level(logging.INFO):
        runner.check()
        runner.flash(elf)
    shown = [record.message for record in caplog.records]
    for line, wanted in zip(shown, lines, strict=True):
        assert wanted.format(id=ABSENT, elf=elf) in line


def test_flash_dry_run_of_a_board_needs_neither_board_nor_probe(
    tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setenv(MAP_SETTING, str(tmp_path / "devices.toml"))
    save_device(Device("nucleo", "nucleo_h743zi", probe=ABSENT))
    done = subprocess.run(
        [sys.executable, "-m", "kit", "flash", "--device", "nucleo", "--dry-run"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"pyocd load -W -u {ABSENT} -t stm32h743xx" in done.stderr
