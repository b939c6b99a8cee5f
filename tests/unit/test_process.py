"""The subprocess wrapper: failures are told, nothing hangs, a dry run runs nothing."""

import logging
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kit import packages, process
from kit.build import build
from kit.errors import KitError
from kit.paths import ROOT


def test_run_returns_exit_code_and_output() -> None:
    done = process.run(
        ["sh", "-c", "cat; echo more >&2; exit 3"], stdin=b"in", timeout_s=5, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (3, b"in", b"more\n")


def test_a_failure_shows_what_the_program_said() -> None:
    with pytest.raises(KitError) as caught:
        process.run(["sh", "-c", "echo reason >&2; exit 3"], timeout_s=5)
    assert "exit code 3" in caught.value.message
    assert caught.value.hint == "reason"


def test_a_missing_program_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(KitError) as caught:
        process.run(["arm-none-eabi-gcc", "--version"], timeout_s=5)
    assert "`arm-none-eabi-gcc` is not installed" in caught.value.message
    assert "apt-get install -y gcc-arm-none-eabi" in caught.value.hint


def test_a_missing_program_of_no_known_package_is_to_be_found_by_the_user() -> None:
    with pytest.raises(KitError) as caught:
        process.run(["no-such-program"], timeout_s=5)
    assert caught.value.hint == "install `no-such-program` and put it on PATH"


def test_a_program_that_takes_too_long_is_ended() -> None:
    began = time.monotonic()
    with pytest.raises(KitError, match="did not end within 0.2 s"):
        process.run(["sleep", "30"], timeout_s=0.2)
    assert time.monotonic() - began < 10


def test_commands_are_logged_as_a_person_would_type_them(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="kit.process"):
        process.run(["echo", "two words"], timeout_s=5)
    assert "echo 'two words'" in caplog.messages


def test_a_dry_run_runs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "dry_run", True)
    made = tmp_path / "made"
    assert process.run(["touch", made], timeout_s=5).returncode == 0
    with pytest.raises(KitError, match="dry run"):
        process.start(["touch", made])
    assert not made.exists()


def test_a_dry_run_feeds_and_follows_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "dry_run", True)
    made = tmp_path / "made"
    told: list[object] = []
    fed = process.feed(["tee", made], b"data", stall_timeout_s=5, told=told.append)
    followed = process.follow(["touch", made], timeout_s=5, told=told.append)
    assert fed.returncode == followed.returncode == 0
    assert not told and not made.exists()


def test_ctrl_c_ends_what_runs_and_then_us() -> None:
    program = """
from kit import process
process.run(["sh", "-c", "echo $$ >&2; exec sleep 60"], timeout_s=60, capture=False)
"""
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE) as child:
        started = int(child.stderr.readline())
        child.send_signal(signal.SIGINT)
        child.stderr.read()
    assert child.returncode
    assert not Path(f"/proc/{started}").exists()


def test_a_started_program_does_not_outlive_a_kit_that_is_killed() -> None:
    starter = (
        "from kit import process\nprint(process.start(['sleep', '60']).pid, flush=True)\ninput()"
    )
    kit = subprocess.Popen(
        [sys.executable, "-c", starter], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    program = int(kit.stdout.readline())
    deadline = time.monotonic() + 10
    # Before that it is the program that asks the kernel to be ended with the kit.
    while not Path(f"/proc/{program}/cmdline").read_bytes().split(b"\0")[0].endswith(b"sleep"):
        assert time.monotonic() < deadline
        time.sleep(0.001)
    kit.kill()
    kit.communicate()
    while _runs(program) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not _runs(program)


def _runs(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_much_input_arrives_whole_and_its_share_is_told() -> None:
    data = bytes(range(256)) * 4096
    told: list[float] = []
    done = process.feed(["cat"], data, stall_timeout_s=10, told=told.append)
    assert (done.returncode, done.stdout) == (0, data)
    assert told[0] == 0.0
    assert told == sorted(told)
    assert told[-1] < 1.0


def test_a_program_that_takes_no_input_says_why_itself() -> None:
    script = ["sh", "-c", "echo full >&2; exit 4"]
    done = process.feed(script, bytes(1 << 20), stall_timeout_s=10, told=lambda _share: None)
    assert (done.returncode, done.stderr) == (4, b"full\n")


def test_a_program_that_stops_taking_input_is_ended() -> None:
    began = time.monotonic()
    with pytest.raises(process.Silent, match="took no more for 0.3 s"):
        process.feed(["sleep", "30"], bytes(1 << 20), stall_timeout_s=0.3, told=lambda _share: None)
    assert time.monotonic() - began < 10


def test_output_is_told_as_it_comes() -> None:
    script = ["sh", "-c", "printf a; sleep 0.5; printf b; echo c >&2; exit 3"]
    told: list[bytes] = []
    done = process.follow(script, timeout_s=10, told=told.append)
    assert (done.returncode, done.stdout, done.stderr) == (3, b"ab", b"c\n")
    assert told == [b"a", b"b"]


@pytest.mark.parametrize("script", ["sleep 30", "exec >&-; sleep 30"])
def test_a_program_that_is_followed_too_long_is_ended(script: str) -> None:
    began = time.monotonic()
    with pytest.raises(process.Silent, match="did not end within 0.5 s"):
        process.follow(["sh", "-c", script], timeout_s=0.5, told=lambda _piece: None)
    assert time.monotonic() - began < 10


def test_missing_packages_are_listed_with_one_line_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    from kit.target import load_target, load_toolchain

    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.delenv(packages.MAY_INSTALL, raising=False)
    target = load_target("mps3_an547")
    with pytest.raises(KitError) as caught:
        packages.ensure(target, load_toolchain(target.toolchain))
    assert "gcc-arm-none-eabi" in caught.value.message
    assert "sudo apt-get install -y gcc-arm-none-eabi" in caught.value.hint
    assert "qemu-system-arm: emulating mps3_an547" in caught.value.hint


def stand_in_for_apt(folder: Path, monkeypatch: pytest.MonkeyPatch, exit_code: int) -> Path:
    """Have nothing on PATH but an apt-get that notes what it is asked for; returns its notes."""
    notes = folder / "notes"
    apt = folder / "apt-get"
    apt.write_text(f'#!/bin/sh\necho "$@" >>{notes}\necho no route >&2\nexit {exit_code}\n')
    apt.chmod(0o755)
    for name in ("sudo", "setpriv"):  # only an account that is not root asks sudo
        (folder / name).symlink_to(shutil.which("env" if name == "sudo" else name))
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv(packages.MAY_INSTALL, "1")
    return notes


def test_missing_packages_are_installed_where_that_was_agreed_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    notes = stand_in_for_apt(tmp_path, monkeypatch, exit_code=0)
    packages.ensure_package("adb", "talking to phones")
    assert notes.read_text().splitlines() == [
        "update -qq",
        "install -y -qq --no-install-recommends adb",
    ]
    assert "installing adb: talking to phones" in capsys.readouterr().err


def test_an_installation_that_fails_is_told_with_the_line_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = stand_in_for_apt(tmp_path, monkeypatch, exit_code=100)
    with pytest.raises(KitError, match="the packages could not be installed") as caught:
        packages.ensure_test_tools()
    assert caught.value.hint.startswith("no route\nby hand: sudo apt-get install -y gdb-multiarch")
    assert notes.read_text() == "update -qq\n", "it ended there"


@pytest.mark.parametrize("goal", ["qemu_aarch64", "test-qemu_aarch64"])
def test_a_build_asks_for_missing_packages_before_it_starts(
    goal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.delenv(packages.MAY_INSTALL, raising=False)
    with pytest.raises(KitError, match="missing packages: .*gcc-aarch64-linux-gnu.*qemu-user"):
        build(goal)


def test_workers_do_not_outlive_a_process_that_is_killed() -> None:
    program = """
import multiprocessing, time
from kit import process
with process.pool(2) as pool:
    print(*(child.pid for child in multiprocessing.active_children()), flush=True)
    time.sleep(60)
"""
    child = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE)
    workers = [int(word) for word in child.stdout.readline().split()]
    child.send_signal(signal.SIGKILL)
    child.communicate()
    end = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() and not _is_dead(pid) for pid in workers):
        assert time.monotonic() < end, workers
        time.sleep(0.02)
    assert len(workers) == 2


def _is_dead(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
