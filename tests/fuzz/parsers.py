"""What of the kit reads bytes that others made, each with small seeds to change.

A parser takes bytes and a folder of its own; it returns, or raises a KitError: anything else is a
finding.
"""

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import soundfile

from kit.audio import AudioReader
from kit.codegen.blob import render_blob
from kit.codegen.weights import PACKINGS
from kit.device.map import MAP_SETTING, load_devices
from kit.devtest.figures import figures_of, histograms_of, timelines_of
from kit.devtest.protocol import read_report
from kit.model.import_ import import_tflite
from kit.model.quantise import quantise
from kit.paths import TARGETS
from kit.serialboot.loader import Loader, Timeouts
from kit.target import load_target
from kit.update.protocol import MARK, UPDATE, PacketReader, packet
from kit.update.weights import read_weights
from tests.fuzz.corpus import CORPUS, small_tflite

Parser = Callable[[bytes, Path], object]


def tflite(data: bytes, folder: Path) -> None:
    """A model from elsewhere, as far as the weights that a device gets."""
    render_blob(quantise(import_tflite(data)), PACKINGS["nr32c4"])


def sound(data: bytes, folder: Path) -> None:
    """A WAV or FLAC file, to its last sample."""
    path = folder / "sound.wav"
    path.write_bytes(data)
    with AudioReader(path) as reader:
        for _ in reader.blocks():
            pass


def target(data: bytes, folder: Path) -> None:
    """A target's description."""
    for part in ("cpus", "toolchains"):
        if not (folder / part).exists():
            (folder / part).symlink_to(TARGETS / part)
    (folder / "boards").mkdir(exist_ok=True)
    (folder / "boards" / "mine.toml").write_bytes(data)
    load_target("mine", folder)


def devices(data: bytes, folder: Path) -> None:
    """The map of the devices on the desk."""
    path = folder / "devices.toml"
    path.write_bytes(data)
    os.environ[MAP_SETTING] = str(path)
    load_devices()


def report(data: bytes, folder: Path) -> None:
    """What a device says of its tests, and the figures drawn of it."""
    found = read_report(data.decode(errors="replace").split("\n"), "1")
    for emulated in (False, True):
        figures_of(found, emulated)
        histograms_of(found, emulated)
        timelines_of(found, emulated)


def update_answers(data: bytes, folder: Path) -> None:
    """What a device answers to an update, in two pieces."""
    reader = PacketReader()
    for piece in (data[: len(data) // 2], data[len(data) // 2 :]):
        reader.feed(piece)


def weights(data: bytes, folder: Path) -> None:
    """A file of weights to send."""
    path = folder / "weights.pnwb"
    path.write_bytes(data)
    read_weights(str(path), "nr32c4")


class _Said:
    """A line on which all answers are there already."""

    def __init__(self, answers: bytes) -> None:
        self._answers = io.BytesIO(answers)

    def write(self, data: bytes) -> None:
        """Nobody listens."""

    def read(self, count: int, timeout_s: float) -> bytes:
        """What is left, a piece at a time."""
        return self._answers.read(min(count, 16))


def boot_loader(data: bytes, folder: Path) -> None:
    """Answers of a chip's boot loader."""
    loader = Loader(_Said(data), timeouts=Timeouts(0, 0, 0, 0, 0))
    loader.connect()
    loader.retried(loader.chip_id)
    loader.retried(lambda: loader.read(0x08000000, 16))


def _sounds() -> Iterator[bytes]:
    wave = (3000 * np.sin(np.arange(96))).astype(np.int16).reshape(48, 2)
    for container, subtype in (("WAV", "PCM_16"), ("WAV", "FLOAT"), ("FLAC", "PCM_16")):
        file = io.BytesIO()
        soundfile.write(file, wave, 16000, subtype, format=container)
        yield file.getvalue()


def _kept(name: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted((CORPUS / name).iterdir())]


def _answers() -> list[bytes]:
    whole = packet(3, b"Q\0\1\0" + bytes(4) + bytes(48))
    return [whole + packet(4, b"D\0\1\0\0\1\0\0"), MARK + UPDATE + b"\1\xff\xff" + whole]


def _blobs() -> list[bytes]:
    return [render_blob(quantise(import_tflite(small_tflite())), PACKINGS["nr32c4"])]


PARSERS: dict[str, tuple[Parser, Callable[[], list[bytes]]]] = {
    "tflite": (tflite, lambda: [small_tflite(), small_tflite(sparse=True)]),
    "sound": (sound, lambda: list(_sounds())),
    "target": (target, lambda: _kept("target")),
    "devices": (devices, lambda: _kept("devices")),
    "report": (report, lambda: _kept("report")),
    "update_answers": (update_answers, _answers),
    "weights": (weights, _blobs),
    "boot_loader": (boot_loader, lambda: _kept("boot_loader")),
}
