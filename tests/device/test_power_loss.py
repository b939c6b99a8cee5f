"""Power losses in updates of weights: the emulated board with lasting flash is killed at random
moments, and must start with old or new weights that pass their self-test, each time."""

import dataclasses
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kit.build import build
from kit.codegen.blob import render_blob
from kit.codegen.weights import find_packing
from kit.errors import DeviceError
from kit.model.architecture import Architecture
from kit.model.export import write_tflite
from kit.model.import_ import load_model
from kit.model.quantise import quantise
from kit.model.random_model import random_weights
from kit.paths import BUILD
from kit.runner import Started, make_runner
from kit.target import Target, load_target
from kit.update import Status, Transfer, ask, protocol, send_weights

BOARD = "virt_a15"
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
        self._target = _with_flash(target, folder / "flash.bin")

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

    def update(self, index: int, power_s: float | None = None) -> Transfer:
        """Switch the board on and send weights; power_s: cut its power then."""
        transfer = Transfer(self.blobs[index])
        with self.running() as board:
            cut = threading.Timer(power_s or 0, board.kill)
            if power_s is not None:
                cut.start()
            try:
                send_weights(board.channel, transfer)
            except DeviceError:
                if power_s is None:
                    raise
            finally:
                cut.cancel()
                if power_s is not None:
                    cut.join()
        return transfer


def _with_flash(target: Target, path: Path) -> Target:
    emulator = dataclasses.replace(target.emulator, flash_file=str(path))
    return dataclasses.replace(target, emulator=emulator)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("board"))


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
        transfer = bench.update(1 - weights, draw.uniform(0, 1.1 * whole_s))
        if not transfer.done:
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
    assert phases["COMMIT"] > 0, phases
    print(f"survived 200 of 200 power losses, in these phases: {dict(phases)}")  # noqa: T201
