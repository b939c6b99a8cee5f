"""The firmware's library as contestants: network, frame and packet, with any model."""

import dataclasses
import functools
import json
import zlib
from pathlib import Path
from typing import Any

import cffi
import numpy as np
import soundfile

from kit import host
from kit.bench.calls import Stream, timed
from kit.bench.contestant import Contestant
from kit.bench.model import Subject
from kit.build import HOST_LIBRARY, HOST_TARGET, build
from kit.denoiser import HOP_SAMPLES, SAMPLE_RATE_HZ, STATE_ALIGNMENT
from kit.errors import KitError
from kit.model.architecture import BANDS, FEATURES
from kit.paths import BUILD, ROOT

FRAMES = 400
CRC_FRAMES = 100
FEATURE_ONE = 4096
STREAM = "a pass over as many bytes as the weights"
NETWORK, NETWORK_PACKET = "network", "network, packets of 20 ms"
FRAME, PACKET = "whole frame", "whole frame, packets of 20 ms"
NAMES = (STREAM, NETWORK, NETWORK_PACKET, FRAME, PACKET)
_NOISY = ROOT / "kit" / "demo" / "noisy.flac"
_HEADERS = ("percepnet.h", "pn_frame.h", "pn_nn.h", "pn_model.h")


@functools.cache
def sound() -> np.ndarray:
    """Speech in rain, int16 [FRAMES, 480]: what every contestant hears."""
    samples, rate = soundfile.read(_NOISY, frames=FRAMES * HOP_SAMPLES, dtype="int16")
    assert rate == SAMPLE_RATE_HZ
    return samples.reshape(FRAMES, HOP_SAMPLES)


@dataclasses.dataclass(frozen=True)
class Library:
    """A build of the host library for a model: folder of the build, and the library through cffi.

    manifest: model.json of the build.
    """

    folder: Path
    ffi: cffi.FFI
    lib: Any
    manifest: dict[str, Any]

    def address(self, function: str) -> Any:
        """A function's address, for calls through `timed`."""
        return self.ffi.cast("void *", self.ffi.addressof(self.lib, function))

    def memory(self, size: int) -> Any:
        """Zeroed bytes, aligned as states need them, as a `void *` that keeps them alive."""
        room = self.ffi.new("unsigned char[]", size + STATE_ALIGNMENT)
        address = int(self.ffi.cast("uintptr_t", room))
        start = room + -address % STATE_ALIGNMENT
        return self.ffi.gc(self.ffi.cast("void *", start), lambda _, kept=room: None)

    def require(self, status: int, isa: str | None) -> None:
        """Raise KitError for a status that is none of success."""
        if status:
            reason = self.ffi.string(self.lib.pn_strerror(status)).decode()
            known = ", ".join(self.isas())
            raise KitError(f"cannot run with instruction set `{isa}`: {reason}", f"here: {known}")

    def isas(self) -> list[str]:
        """Instruction sets that this build and processor have."""
        names = []
        while name := self.lib.pn_dispatch_isa(len(names)):
            names.append(self.ffi.string(name).decode())
        return names


def open_library(subject: Subject, profile: bool = False) -> Library:
    """Build the library of a model for this computer, with probes or as it ships, and open it."""
    folder = BUILD / subject.below / HOST_TARGET
    goal = f"profile-{HOST_TARGET}" if profile else HOST_LIBRARY
    build(goal, model=str(subject.path), below=subject.below)
    library = folder / "profile" / "libpercepnet.so" if profile else folder / "libpercepnet.so"
    headers = (*_HEADERS, "pn_profile.h") if profile else _HEADERS
    ffi, lib = host.open_library(library, folder / "gen", *headers)
    manifest = json.loads((folder / "gen" / "model.json").read_text(encoding="utf-8"))
    return Library(folder, ffi, lib, manifest)


class Denoising:
    """A state of the whole denoiser at 48 kHz; hears `sound` over and over."""

    def __init__(self, library: Library, isa: str | None) -> None:
        self._library, self._isa = library, isa
        ffi, lib = library.ffi, library.lib
        self._memory = library.memory(lib.pn_state_size())
        self.state = ffi.cast("pn_state_t *", self._memory)
        self._in = ffi.cast("int16_t *", ffi.from_buffer(sound()))
        self._out = ffi.new(f"int16_t[{2 * HOP_SAMPLES}]")
        self._place = self._in
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        name = self._library.ffi.NULL if self._isa is None else self._isa.encode()
        status = self._library.lib.pn_init(self.state, SAMPLE_RATE_HZ, name)
        self._library.require(status, self._isa)

    @property
    def isa(self) -> str:
        """Name of the instruction set in use."""
        return self._library.ffi.string(self._library.lib.pn_isa(self.state)).decode()

    def crc(self) -> str:
        """CRC-32 of the answer to the first CRC_FRAMES frames, as 8 hex digits."""
        self.reset()
        crc = 0
        for index in range(CRC_FRAMES):
            self.prepare(index)
            self.frame()
            crc = zlib.crc32(self._library.ffi.buffer(self._out, 2 * HOP_SAMPLES), crc)
        return f"{crc:08x}"

    def prepare(self, index: int) -> None:
        """Frame `index` comes next."""
        self._place = self._in + index % FRAMES * HOP_SAMPLES

    def prepare_packet(self, index: int) -> None:
        """Packet `index` comes next."""
        self.prepare(2 * index % FRAMES)

    def frame(self) -> int:
        """10 ms; nanoseconds."""
        return self._process("pn_process")

    def packet(self) -> int:
        """20 ms; nanoseconds."""
        return self._process("pn_process_packet")

    def _process(self, function: str) -> int:
        address = self._library.address(function)
        return timed()[1].timed_process(address, self.state, self._place, self._out)


class Network:
    """A state of the network alone, fed the features of `sound`."""

    def __init__(self, library: Library, isa: str | None) -> None:
        self._library, self._isa = library, isa
        ffi, lib = library.ffi, library.lib
        self._model = ffi.addressof(lib, "pn_model")
        self._state = library.memory(lib.pn_nn_state_size(self._model))
        self._features = ffi.new(f"int16_t[{2 * FEATURES}]")
        self._gains = ffi.new(f"int16_t[{2 * BANDS}]")
        self._strengths = ffi.new(f"int16_t[{2 * BANDS}]")
        self._heard = (features() * FEATURE_ONE).astype(np.int16)
        self._operands = (
            ffi.cast("void *", self._model),
            self._state,
            self._features,
            self._gains,
            self._strengths,
        )
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        lib, isa = self._library.lib, self._isa
        lib.pn_nn_reset(self._model, self._state)
        if isa is not None:
            status = lib.pn_nn_use_isa(self._model, self._state, isa.encode())
            self._library.require(status, isa)

    def prepare(self, index: int) -> None:
        """Features of frame `index` come next."""
        self._put(self._heard[index % FRAMES])

    def prepare_packet(self, index: int) -> None:
        """Features of both frames of packet `index` come next."""
        self._put(self._heard[2 * index % FRAMES : 2 * index % FRAMES + 2])

    def step(self) -> int:
        """10 ms; nanoseconds."""
        return timed()[1].timed_network(self._library.address("pn_nn_step"), *self._operands)

    def packet(self) -> int:
        """20 ms; nanoseconds."""
        return timed()[1].timed_packet(self._library.address("pn_nn_packet"), *self._operands)

    def run(self, features: np.ndarray) -> np.ndarray:
        """Gains 0..1, [steps, 34], for features in real units, [steps, 70], afresh."""
        self.reset()
        gains = []
        for row in np.round(features * FEATURE_ONE).astype(np.int16):
            self._put(row)
            self.step()
            gains.append(np.array(list(self._gains[0:BANDS])) / 32768)
        return np.array(gains)

    def _put(self, rows: np.ndarray) -> None:
        self._library.ffi.memmove(self._features, np.ascontiguousarray(rows), rows.nbytes)


@functools.cache
def features() -> np.ndarray:
    """What the signal path makes of `sound` for the network: float32 [FRAMES, 70], exact."""
    ffi, lib = host.load("pn_frame.h")
    frame = ffi.new("pn_frame_t *")
    lib.pn_frame_init(frame, lib.pn_rate_find(SAMPLE_RATE_HZ))
    gains, out = ffi.new(f"int16_t[{BANDS}]"), ffi.new(f"int32_t[{HOP_SAMPLES}]")
    found = np.empty((FRAMES, FEATURES), np.int16)
    pcm, row = ffi.from_buffer("int16_t[]", sound()), ffi.from_buffer("int16_t[]", found)
    for index in range(FRAMES):
        lib.pn_frame_analyse(frame, pcm + index * HOP_SAMPLES, row + index * FEATURES)
        lib.pn_frame_synthesise(frame, gains, gains, 0, out)
    return (found / FEATURE_ONE).astype(np.float32)


def contestants(library: Library, isa: str | None) -> tuple[list[Contestant], Denoising]:
    """The streaming limit of the model's weights, then ours; and the denoiser among them."""
    networks = [Network(library, isa) for _ in range(2)]
    denoisers = [Denoising(library, isa) for _ in range(2)]
    stream = Stream(int(library.manifest["weight_bytes"]))
    net, two = networks
    frames, packets = denoisers
    return [
        Contestant(STREAM, "stream", stream.run),
        Contestant(NETWORK, "network", net.step, net.prepare, run=net.run),
        Contestant(NETWORK_PACKET, "network", two.packet, two.prepare_packet, frames=2),
        Contestant(FRAME, "frame", frames.frame, frames.prepare),
        Contestant(PACKET, "frame", packets.packet, packets.prepare_packet, frames=2),
    ], frames
