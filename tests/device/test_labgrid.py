"""`--labgrid PLACE`: labgrid's own coordinator and exporter on loopback, emulated boards."""

import contextlib
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kit import cli
from kit.build import build
from kit.device import Device
from kit.device.map import MAP_SETTING
from kit.errors import DeviceError, KitError
from kit.fleet import borrowed
from kit.fleet.place import CLIENT, _device
from kit.paths import ROOT
from tests.device.stand_ins.machine import wait_until
from tests.device.test_gdb import board, free_port

EMULATED = "mps2_an500"
PROGRAMS = Path(sys.executable).parent


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Places: `first` and `second` with a board each, `silent`, whose server does not answer,
    `gone`, whose exporter is not there."""
    folder = tmp_path_factory.mktemp("farm")
    address = f"127.0.0.1:{free_port()}"
    build(EMULATED)
    with contextlib.ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("LG_COORDINATOR", address)
        patch.setenv(MAP_SETTING, str(folder / "devices.toml"))
        silent = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        servers = {
            "silent": Device("x", EMULATED, gdb=f"127.0.0.1:{silent.getsockname()[1]}"),
            "first": stack.enter_context(board(EMULATED)),
            "second": stack.enter_context(board(EMULATED)),
        }
        exported = "".join(resources(name, device) for name, device in servers.items())
        (folder / "resources.yaml").write_text(exported)
        stack.enter_context(daemon(folder, "coordinator", "-l", address))
        wait_until(lambda: "places" not in refused("places"), "the coordinator answers")
        stack.enter_context(daemon(folder, "exporter", "-n", "here", "resources.yaml"))
        wait_until(lambda: "here/second" in client("silent", "resources"), "the exporter is ready")
        for name in (*servers, "gone"):
            client(name, "create")
            client(name, "add-match", f"here/{name}/*")
        yield


def resources(name: str, device: Device) -> str:
    """A board as an exporter's configuration says it: its gdb server, its serial line."""
    port = device.serial.rpartition(":")[2] or "1"
    return f"""
{name}:
  NetworkSerialPort: {{host: 127.0.0.1, port: {port}, protocol: raw, speed: 115200}}
  PercepnetDevice: {{target: {EMULATED}, gdb: "{device.gdb}", emulated: true}}
"""


@contextlib.contextmanager
def daemon(folder: Path, name: str, *words: str) -> Iterator[None]:
    with (folder / f"{name}.log").open("wb") as log:
        command = [PROGRAMS / f"labgrid-{name}", *words]
        child = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        try:
            yield
        finally:
            child.terminate()
            child.wait(10)


def client(place: str, *words: str) -> str:
    command = [PROGRAMS / CLIENT, "-p", place, *words]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def refused(*words: str) -> str:
    """What the client says against a command; nothing if it does it."""
    command = [PROGRAMS / CLIENT, *words]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    return f"{words}: {done.stderr}" if done.returncode else ""


def lent_out() -> str:
    return client("first", "who")


def run(capfd: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = cli.main(words)
    out, err = capfd.readouterr()
    return code, out + err


def test_a_board_of_a_farm_is_flashed_tested_and_given_back(farm: None, capfd) -> None:
    code, said = run(capfd, "run", "selftest", "--labgrid", "first")
    assert code == 0, said
    assert "first" in said
    assert "first" not in lent_out()


def test_a_board_of_a_farm_is_measured(farm: None, capfd) -> None:
    code, said = run(capfd, "bench", "--labgrid", "second")
    assert code == 0, said
    assert "frame, burst: median" in said
    assert "second" not in lent_out()


def test_a_place_is_given_back_after_an_error(farm: None, capfd) -> None:
    code, said = run(capfd, "flash", "nothing", "--labgrid", "silent")
    assert code == 2
    assert "has no program `nothing`" in said
    assert "silent" not in lent_out()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 130)])
def test_a_place_is_given_back_when_the_run_is_ended(farm: None, number: int, code: int) -> None:
    """While it waits for a server that says nothing."""
    command = [sys.executable, "-m", "kit", "-v", "flash", "--labgrid", "silent"]
    child = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    try:
        while "-target-select" not in (line := child.stderr.readline()):
            assert line, "it ended by itself"
        child.send_signal(number)
        said = child.communicate(timeout=60)[1]
    finally:
        child.kill()
    assert child.returncode == code, said
    assert "interrupted" in said
    assert "silent" not in lent_out()


def test_what_a_coordinator_refuses_is_told(farm: None, monkeypatch) -> None:
    client("silent", "acquire")
    try:
        with pytest.raises(DeviceError, match="place `silent` is acquired by you already"):
            lend("silent")
        monkeypatch.setenv("LG_USERNAME", "somebody")
        with pytest.raises(DeviceError, match=r"place `silent` is in use by \S+/[^.\s]+\s"):
            lend("silent")
    finally:
        monkeypatch.delenv("LG_USERNAME")
        client("silent", "release")
    with pytest.raises(DeviceError, match="what belongs to place `gone` is not there"):
        lend("gone")
    with pytest.raises(DeviceError, match="has no place `nowhere`"):
        lend("nowhere")
    monkeypatch.setenv("LG_COORDINATOR", f"127.0.0.1:{free_port()}")
    with pytest.raises(DeviceError, match="no labgrid coordinator answers") as caught:
        lend("silent")
    assert "LG_COORDINATOR" in caught.value.hint


def lend(place: str) -> None:
    with borrowed(place):
        pytest.fail("it was acquired")


def test_a_dry_run_acquires_nothing(capfd, monkeypatch) -> None:
    monkeypatch.setenv("LG_COORDINATOR", "127.0.0.1:1")
    done = subprocess.run(
        [sys.executable, "-m", "kit", "flash", "--labgrid", "desk", "--dry-run"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    for word in ("acquire", "env", "release"):
        assert f"{CLIENT} -p desk {word}" in done.stderr


def test_without_labgrid_it_is_said_how_to_get_it(monkeypatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(KitError, match="labgrid is not installed") as caught:
        lend("desk")
    assert "pip install labgrid" in caught.value.hint


@pytest.fixture
def forgetful(tmp_path: Path, monkeypatch) -> None:
    """A client that acquires places and cannot release them, unless HOLDS is no."""
    script = tmp_path / CLIENT
    script.write_text(
        '#!/bin/sh\ncase "$*" in\n*env) echo "{targets: {main: {resources: []}}}";;\n'
        '*release) [ "$HOLDS" = no ] || { echo the sky fell >&2; exit 1; };;\nesac\n'
    )
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))


@pytest.mark.usefixtures("forgetful")
def test_a_place_that_cannot_be_released_is_told() -> None:
    with (
        pytest.raises(DeviceError, match="place `desk` could not be released: .*failed") as caught,
        borrowed("desk", EMULATED),
    ):
        pass
    assert "labgrid-client -p desk release" in caught.value.hint
    assert str(caught.value.__cause__).endswith("the sky fell")


@pytest.mark.usefixtures("forgetful")
def test_what_went_wrong_matters_more_than_what_goes_wrong_at_its_end(capfd) -> None:
    with pytest.raises(ZeroDivisionError), borrowed("desk", EMULATED):
        raise ZeroDivisionError
    assert "place `desk` could not be released" in capfd.readouterr().err


@pytest.mark.usefixtures("forgetful")
def test_a_place_can_be_borrowed_in_a_thread_which_gets_no_signals(monkeypatch) -> None:
    monkeypatch.setenv("HOLDS", "no")
    seen: list[object] = []

    def borrow() -> None:
        with borrowed("desk", EMULATED) as device:
            seen.extend([device.target, signal.getsignal(signal.SIGTERM)])
        seen.append("released")

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=borrow)
    thread.start()
    thread.join()
    assert seen == [EMULATED, before, "released"]


def test_a_board_with_ssh_and_a_port_over_rfc2217() -> None:
    service = {"address": "192.0.2.7", "username": "pi", "port": 22}
    port = {"host": "bench", "port": 4001, "protocol": "rfc2217", "speed": 9600}
    device = _device("pi", {"NetworkService": service, "NetworkSerialPort": port}, "raspberry_pi_5")
    assert device.ssh == "ssh://pi@192.0.2.7:22"
    assert device.runner_name == "ssh"
    assert (device.serial, device.baud) == ("rfc2217://bench:4001", 9600)


def test_a_place_that_says_no_target_needs_one() -> None:
    with pytest.raises(DeviceError, match="nobody says which target") as caught:
        _device("pi", {}, "")
    assert "--target" in caught.value.hint


def test_a_device_and_a_place_exclude_each_other(capfd) -> None:
    code, said = run(capfd, "run", "--device", "pixel", "--labgrid", "desk")
    assert code == 2
    assert "leave one out" in said
