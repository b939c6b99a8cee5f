"""Updates of weights on the emulated board with lasting flash: over its serial line, and with the
power cut at random moments. It must start with old or new weights that pass their self-test."""

import contextlib
import dataclasses
import random
import re
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kit import cli, process
from kit.build import build
from kit.codegen.blob import render_blob
from kit.codegen.weights import find_packing
from kit.device import Device, load_device, save_device
from kit.device.map import MAP_SETTING
from kit.errors import DeviceError
from kit.model.architecture import Architecture
from kit.model.export import write_tflite
from kit.model.import_ import load_model
from kit.model.quantise import quantise
from kit.model.random_model import random_weights
from kit.paths import BUILD
from kit.runner import Started, make_runner
from kit.target import load_target
from kit.update import Status, Transfer, ask, protocol, send_weights, update_weights
from kit.update import transfer as transfer_module

BOARD = "virt_a15"
ERASED = b"\xff"
COMMIT_SHARE = 0.06  # of the time of an update, about
FOLDER = "power_loss"
# Small, so that what is between the packets (erasing, checking, trying out) is hit often.
WIDTHS = Architecture(fc=16, conv1=32, conv2=32, gru=32, gru_strength=16)


class Bench:
    """The board, its flash in a file of ours, and two models that it is switched between."""

    def __init__(self, folder: Path) -> None:
        target = load_target(BOARD)
        self._paths = [folder / f"{seed}.tflite" for seed in (1, 2)]
        for seed, path in enumerate(self._paths, 1):
            path.write_bytes(write_tflite(random_weights(WIDTHS, seed), WIDTHS, {"name": "toy"}))
        packing = find_packing(target.layout)
        self.blobs = [render_blob(quantise(load_model(path)), packing) for path in self._paths]
        build(BOARD, str(self._paths[0]), below=FOLDER)
        self._program = BUILD / FOLDER / BOARD / "device.elf"
        flash = folder / "flash.bin"
        flash.write_bytes(ERASED * target.memory[target.emulator.flash].size)
        emulator = dataclasses.replace(target.emulator, flash_file=str(flash))
        self._target = dataclasses.replace(target, emulator=emulator)

    @contextmanager
    def behind(self, serial: str) -> Iterator[subprocess.Popen[bytes]]:
        """The board switched on, with QEMU's `-serial` leading somewhere; stdout is QEMU's."""
        emulator = self._target.emulator
        flash = [word.format(file=emulator.flash_file) for word in emulator.flash_args]
        command = [emulator.program, *emulator.args, *flash, "-serial", serial]
        semihosting = ["-semihosting-config", "enable=on,target=native"]
        board = process.start([*command, *semihosting, "-kernel", self._program])
        try:
            yield board
        finally:
            board.kill()
            board.wait()

    def file(self, index: int) -> str:
        """A .tflite with the weights."""
        return str(self._paths[index])

    @contextmanager
    def running(self) -> Iterator[Started]:
        """The board from switching it on until the power is cut."""
        started = make_runner(self._target).start(self._program, [], {})
        try:
            yield started
        finally:
            started.kill()

    def weights(self) -> int:
        """Which of the two models a freshly started board runs, its self-test passed."""
        with self.running() as board:
            answer = ask(board.channel, protocol.TEST)
            assert answer.status is Status.OK
            running = ask(board.channel, protocol.QUERY).running
        assert running.sequence
        return [protocol.blob_crc(blob) for blob in self.blobs].index(running.crc)

    def update(self, index: int, power: "Power | None" = None) -> Transfer:
        """Switch the board on and send weights; power: when it is cut."""
        transfer = Transfer(self.blobs[index])
        with self.running() as board:
            cut = power or Power()
            try:
                cut.begin(board)
                send_weights(board.channel, transfer, cut.watch)
            except DeviceError:
                if power is None:
                    raise
            finally:
                cut.end()
        return transfer


class Power:
    """Cuts a board's power some seconds after it was switched on, or after all data has arrived:
    while the weights are checked, committed and tried out."""

    def __init__(self, after_s: float | None = None, after_data_s: float | None = None) -> None:
        self._after_s, self._after_data_s = after_s, after_data_s
        self._timer: threading.Timer | None = None

    def begin(self, board: Started) -> None:
        """The board was just switched on."""
        self._board = board
        self._arm(self._after_s)

    def watch(self, done: int, total: int) -> None:
        """Told of progress."""
        if done == total and self._timer is None:
            self._arm(self._after_data_s)

    def end(self) -> None:
        """The power stays on."""
        if self._timer:
            self._timer.cancel()
            self._timer.join()

    def _arm(self, seconds: float | None) -> None:
        if seconds is not None:
            self._timer = threading.Timer(seconds, self._board.kill)
            self._timer.start()


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("board"))


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A device map of this test's own."""
    monkeypatch.setenv(MAP_SETTING, str(tmp_path / "devices.toml"))


def flash(capsys: pytest.CaptureFixture[str], weights: str) -> tuple[int, str, str]:
    code = cli.main(["flash", "--weights", weights, "--device", "bench"])
    return code, *capsys.readouterr()


@pytest.mark.usefixtures("desk")
def test_a_running_board_takes_weights_over_its_serial_line(capsys, bench: Bench) -> None:
    """QEMU's UART behind a socket; then the board vanishes in the middle, and comes back."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    save_device(Device("bench", BOARD, serial=f"socket://127.0.0.1:{port}", emulated=True))
    line = f"tcp:127.0.0.1:{port},server=on,wait=off"
    with bench.behind(line) as board:
        for index in (0, 1):
            code, out, err = flash(capsys, bench.file(index))
            assert code == 0, err
            assert "self-test passed" in out
        assert "already" in flash(capsys, bench.file(1))[1]
        runner = make_runner(load_target(BOARD), load_device("bench"))

        def vanish(share: float) -> None:
            if share > 0.3:
                board.kill()

        with pytest.raises(DeviceError) as caught:
            update_weights(runner, bench.blobs[0], progress=vanish)
        assert caught.value.message
    with bench.behind(line):
        code, out, err = flash(capsys, bench.file(0))
        assert code == 0, err


@pytest.mark.usefixtures("desk")
def test_a_running_board_takes_weights_over_a_terminal_device(capsys, bench: Bench) -> None:
    with bench.behind("pty") as board:
        said = board.stdout.readline().decode()
        path = re.search(r"/dev/pts/\d+", said)[0]
        save_device(Device("bench", BOARD, serial=path, emulated=True))
        assert flash(capsys, bench.file(0))[0] == 0
        code, out, err = flash(capsys, bench.file(1))
        assert code == 0, err
        assert "self-test passed" in out


def talk_for_ever(server: socket.socket) -> None:
    with server.accept()[0] as line, contextlib.suppress(OSError):
        while True:
            line.sendall(b"temperature=21 " * 100)


@pytest.mark.usefixtures("desk")
def test_a_line_where_nobody_answers_is_told(capsys, bench: Bench, monkeypatch) -> None:
    """Another program runs on the board, one that never stops talking."""
    monkeypatch.setitem(transfer_module._PATIENCE_S, transfer_module.Phase.QUERY, 0.05)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        talker = threading.Thread(target=talk_for_ever, args=[other])
        talker.start()
        save_device(Device("bench", BOARD, serial=f"socket://127.0.0.1:{port}", emulated=True))
        code, out, err = flash(capsys, bench.file(0))
        talker.join()
    assert (code, out) == (2, "")
    assert "does not answer" in err
    assert "program `device`" in err


def survive(bench: Bench, losses: int) -> Counter[str]:
    """Cut the power this often during updates. Returns in which phases it was cut."""
    bench.update(0)
    began = time.monotonic()
    bench.update(1)
    whole_s = time.monotonic() - began
    draw = random.Random(losses)
    phases: Counter[str] = Counter()
    weights = 1
    while phases.total() < losses:
        in_commit = draw.random() < 0.25
        power = (
            Power(after_data_s=draw.uniform(0, COMMIT_SHARE * whole_s))
            if in_commit
            else Power(after_s=draw.uniform(0, 1.1 * whole_s))
        )
        began = time.monotonic()
        transfer = bench.update(1 - weights, power)
        if transfer.done:
            whole_s = time.monotonic() - began  # a computer is not always as busy
        else:
            phases[transfer.phase.name] += 1
        before, weights = weights, bench.weights()
        assert weights != before or not transfer.done, f"lost weights that were in use: {phases}"
    return phases


def test_the_board_survives_power_losses(bench: Bench) -> None:
    assert survive(bench, 8).total() == 8


@pytest.mark.long
def test_the_board_survives_200_power_losses(bench: Bench) -> None:
    phases = survive(bench, 200)
    assert phases["DATA"] > 20, phases
    assert phases["COMMIT"] > 5, phases
    print(f"survived 200 of 200 power losses, in these phases: {dict(phases)}")  # noqa: T201
