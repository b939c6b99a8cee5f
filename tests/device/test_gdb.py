"""Flash and run through a gdb server: a real gdb, and QEMU's server as the board's."""

import contextlib
import dataclasses
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from kit import process
from kit.build import HOST_TARGET, build, program_path
from kit.device import Device, save_device
from kit.device.map import MAP_SETTING
from kit.devtest.protocol import Report, read_report
from kit.errors import DeviceError
from kit.gdb import GdbSession
from kit.paths import ROOT
from kit.runner import gdb as gdb_runner
from kit.runner import make_runner, open_session
from kit.target import load_target

BOARD = "mps3_an547"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def served(machine: Sequence[str], target_name: str, *options: str) -> Iterator[Device]:
    """A machine of QEMU that waits, stopped and empty, behind its gdb server."""
    gdb, uart = free_port(), free_port()
    child = process.start(
        [
            *machine,
            *("-serial", f"tcp:127.0.0.1:{uart},server=on,wait=off"),
            *("-S", "-gdb", f"tcp:127.0.0.1:{gdb}"),
            *options,
        ]
    )
    try:
        line = f"socket://127.0.0.1:{uart}"
        yield Device("board", target_name, gdb=f"127.0.0.1:{gdb}", serial=line, emulated=True)
    finally:
        child.kill()
        child.wait()


def machine_of(name: str) -> list[str]:
    target = load_target(name)
    return [target.emulator.program, *target.emulator.args]


def board(name: str) -> contextlib.AbstractContextManager[Device]:
    return served(machine_of(name), name, "-semihosting-config", "enable=on,target=native")


@pytest.fixture(scope="module")
def program() -> Path:
    """The self-test of BOARD."""
    build(BOARD)
    return program_path(load_target(BOARD), "selftest")


def flash(device: Device, program: Path) -> list[float]:
    shares: list[float] = []
    runner = make_runner(load_target(device.target), device)
    runner.check()
    runner.flash(program, shares.append)
    return shares


def self_test(device: Device) -> Report:
    with open_session(device.target, "selftest", rebuild=False, device=device) as session:
        return read_report(session.lines(), session.run_id)


@pytest.mark.parametrize("name", ["mps2_an500", "mps3_an547"])
def test_a_board_is_flashed_and_passes_its_self_test(name: str) -> None:
    build(name)
    with board(name) as device:
        shares = flash(device, program_path(load_target(name), "selftest"))
        assert shares == sorted(shares)
        assert shares[-1] == 1.0
        assert len(shares) > 3
        report = self_test(device)
        assert report.passed
        assert len(report.tests) == 7


def test_a_run_that_was_broken_off_is_followed_by_a_whole_one(program: Path) -> None:
    with board(BOARD) as device:
        session = open_session(BOARD, "selftest", rebuild=False, device=device)
        assert next(session.lines()).startswith("PN_BOOT")
        session.kill()
        assert self_test(device).passed


def test_a_board_that_holds_the_program_is_not_written(program: Path) -> None:
    with board(BOARD) as device:
        assert len(flash(device, program)) > 1
        assert flash(device, program) == [1.0]


def test_corrupted_memory_is_found_by_section_and_written_again(program: Path) -> None:
    with board(BOARD) as device:
        flash(device, program)
        with GdbSession(program, device.gdb) as gdb:
            assert gdb.differing_sections() == []
            gdb.write_memory(0x70000100, b"\x55\xaa\x55\xaa")
            assert gdb.differing_sections() == [".weights"]
        assert len(flash(device, program)) > 1
        assert flash(device, program) == [1.0]


def test_memory_that_does_not_take_the_program_is_named(program: Path) -> None:
    """A board of the right kind with nothing where this program's weights go."""
    with served(machine_of("mps2_an500"), BOARD) as device:
        with pytest.raises(DeviceError, match="read back differently|annot") as caught:
            flash(device, program)
        assert ".weights" in caught.value.message


def test_a_server_that_goes_away_in_the_middle_is_told_of(program: Path) -> None:
    with board(BOARD) as device:
        gdb = GdbSession(program, device.gdb)
        gdb.command("monitor quit")
        with pytest.raises(DeviceError, match=f"server at {device.gdb} is gone") as caught:
            gdb.load(lambda sent: None)
        assert "start it again" in caught.value.hint
        gdb.close()


def test_a_gdb_that_ends_is_told_of(program: Path) -> None:
    with (
        board(BOARD) as device,
        GdbSession(program, device.gdb) as gdb,
        pytest.raises(DeviceError, match="gdb has ended"),
    ):
        gdb.command("shell kill -9 $PPID")


def test_a_program_without_sections_is_told_of(program: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.elf"
    words = ["arm-none-eabi-objcopy", "-j", ".comment", program, empty]
    process.run(words, timeout_s=60)
    with (
        board(BOARD) as device,
        GdbSession(empty, device.gdb) as gdb,
        pytest.raises(DeviceError, match="gdb compared no sections of the program"),
    ):
        gdb.differing_sections()


@pytest.mark.parametrize("answers", [True, False])
def test_a_start_that_fails_gives_server_and_serial_line_back(
    answers: bool, program: Path, monkeypatch
) -> None:
    """No server, or one that does not take the words for the program."""
    monkeypatch.setattr(gdb_runner, "lent_words", lambda *_: (0x20000000, b""))
    with board(BOARD) as device, socket.create_server(("127.0.0.1", 0)) as line:
        address = device.gdb if answers else f"127.0.0.1:{free_port()}"
        serial = f"socket://127.0.0.1:{line.getsockname()[1]}"
        runner = make_runner(load_target(BOARD), Device("x", BOARD, gdb=address, serial=serial))
        said = "Usage: ADDR DATA" if answers else "no gdb server answers"
        with pytest.raises(DeviceError, match=said):
            runner.start(program, [], {})
        connection, _ = line.accept()
        with connection:
            connection.settimeout(10)
            assert connection.recv(1) == b"", "it was closed"
        with GdbSession(program, device.gdb) as gdb:
            assert gdb.value("2") == "2"


def test_no_server_is_told_of_with_how_to_start_one(program: Path) -> None:
    device = Device("board", BOARD, gdb=f"127.0.0.1:{free_port()}")
    with pytest.raises(DeviceError, match="no gdb server answers at 127.0.0.1") as caught:
        flash(device, program)
    assert "openocd" in caught.value.hint


def test_what_is_no_gdb_server_is_told_of(program: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=lambda: chatter(server), daemon=True).start()
        device = Device("board", BOARD, gdb=f"127.0.0.1:{server.getsockname()[1]}")
        with pytest.raises(DeviceError, match="no gdb server answers"):
            flash(device, program)


def chatter(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection, contextlib.suppress(OSError):
        while connection.recv(100):
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


@pytest.mark.parametrize(
    ("machine", "words"),
    [
        (["qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a53"], "another kind"),
        (["qemu-system-arm", "-M", "virt", "-cpu", "cortex-a15"], "is no Cortex-M"),
    ],
)
def test_another_architecture_is_told_of(program: Path, machine: list[str], words: str) -> None:
    quiet = ("-nodefaults", "-nic", "none", "-display", "none", "-monitor", "none")
    with served(machine, BOARD, *quiet) as device, pytest.raises(DeviceError, match=words):
        flash(device, program)


def test_a_program_of_another_family_is_told_of_in_gdbs_words() -> None:
    build(HOST_TARGET)
    program = program_path(load_target(HOST_TARGET), "selftest")
    quiet = ("-nodefaults", "-nic", "none", "-display", "none", "-monitor", "none")
    machine = ["qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a53"]
    with (
        served(machine, BOARD, *quiet) as device,
        pytest.raises(DeviceError, match="another kind .*: .*x86-64 is not compatible"),
    ):
        GdbSession(program, device.gdb)


def test_a_board_without_a_serial_line_cannot_be_heard(program: Path) -> None:
    with board(BOARD) as device:
        mute = dataclasses.replace(device, serial="")
        with pytest.raises(DeviceError, match="has no serial line"):
            self_test(mute)


def test_what_is_no_address_is_told_of_before_anything_is_built() -> None:
    device = Device("board", BOARD, gdb="localhost")
    with pytest.raises(DeviceError, match="`localhost` is no address"):
        make_runner(load_target(BOARD), device).check()


def test_a_dry_run_shows_every_command_and_connects_nowhere(
    program: Path, tmp_path: Path, monkeypatch, capfd
) -> None:
    monkeypatch.setenv(MAP_SETTING, str(tmp_path / "devices.toml"))
    save_device(Device("board", BOARD, gdb="127.0.0.1:1", serial="socket://127.0.0.1:1"))
    done = subprocess.run(
        [sys.executable, "-m", "kit", "flash", "--device", "board", "--dry-run"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for words in (f"gdb-multiarch -nx -q -i=mi3 {program}", "127.0.0.1:1", "-target-download"):
        assert words in done.stderr
