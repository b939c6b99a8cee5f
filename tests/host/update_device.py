"""A device for tests of updates: the firmware's own C on a flash that is a piece of memory."""

import functools
import struct
import zlib
from collections.abc import Callable

from kit import host
from kit.codegen.blob import render_blob
from kit.codegen.weights import PACKINGS
from kit.host import HOST_TARGET
from kit.model.architecture import Architecture
from kit.model.import_ import Model, load_model
from kit.model.quantise import QuantisedModel, quantise
from kit.model.random_model import random_weights
from kit.paths import MODELS
from kit.target import load_target
from kit.update import Status, Transfer

HEADERS = ("pn_update.h", "pn_link.h", "pn_trial.h", "pn_model.h")
SECTOR_BYTES = 4096
ERASED = 0xFF


class PowerFailure(Exception):
    """The flash lost power; the device does nothing any more."""


class Flash:
    """Memory that is erased by sectors and programmed once; may fail at an operation.

    on_operation: called with "erase" or "program" and the count of bytes; raises PowerFailure to
    end the device's life there.
    """

    def __init__(self, size: int = 1 << 20, sector_bytes: int = SECTOR_BYTES) -> None:
        self.ffi, _ = host.load(*HEADERS)
        self._raw = self.ffi.new("uint8_t[]", size + 64)
        start = int(self.ffi.cast("uintptr_t", self._raw))
        self.pointer = self._raw + -start % 64
        self.memory = self.ffi.buffer(self.pointer, size)
        self.memory[:] = bytes([ERASED]) * size
        self.size, self.sector_bytes = size, sector_bytes
        self.on_operation: Callable[[str, int], None] = lambda kind, count: None
        self.alive = True
        self.worn_out = False  # nothing can be programmed any more
        self._erase = self.ffi.callback("int(void *, size_t)", self._erase_sector)
        self._program = self.ffi.callback(
            "int(void *, size_t, uint8_t *, size_t)", self._program_bytes
        )

    def driver(self):
        """A pn_flash_t of this memory. Keep it, and this flash, as long as the device."""
        return self.ffi.new(
            "pn_flash_t *",
            {
                "memory": self.pointer,
                "bytes": self.size,
                "sector_bytes": self.sector_bytes,
                "erase": self._erase,
                "program": self._program,
            },
        )

    def _survives(self, kind: str, count: int) -> bool:
        if self.alive:
            try:
                self.on_operation(kind, count)
            except PowerFailure:
                self.alive = False
        return self.alive

    def _erase_sector(self, _context, offset: int) -> int:
        assert offset % self.sector_bytes == 0
        count = self.sector_bytes if self._survives("erase", self.sector_bytes) else 0
        self.memory[offset : offset + count] = bytes([ERASED]) * count
        return 0 if self.alive else -1

    def _program_bytes(self, _context, offset: int, data, count: int) -> int:
        before = self.memory[offset : offset + count]
        if self.alive:
            assert before == bytes([ERASED]) * count, f"{offset} is programmed twice"
        if self.worn_out:
            return -1
        if self._survives("program", count):
            self.memory[offset : offset + count] = self.ffi.buffer(data, count)[:]
        return 0 if self.alive else -1


class Device:
    """A device that was just started: bytes in, bytes out.

    self_test: whether a model passes, given its pn_nn_model_t *; None for the real one.
    check_signature: whether a signature is right for a blob; None asks for none.
    """

    def __init__(
        self,
        flash: Flash | None,
        window: int = 16384,
        self_test: Callable[[object], bool] | None = None,
        check_signature: Callable[[bytes, bytes], bool] | None = None,
    ) -> None:
        self.ffi, self.lib = host.load(*HEADERS)
        self.flash = flash
        size = self.lib.pn_nn_state_size(self.ffi.addressof(self.lib.pn_model))
        self._state = self.ffi.new("long double[]", size // 16 + 1)
        self._self_test = self.ffi.callback(
            "int(void *, const pn_nn_model_t *)",
            lambda _context, model: 0 if (self_test or self.passes)(model) else -1,
        )
        self._check_signature = self.ffi.NULL
        if check_signature:
            buffer = self.ffi.buffer
            self._check_signature = self.ffi.callback(
                "int(uint8_t *, uint8_t *, size_t)",
                lambda signature, blob, size: (
                    0 if check_signature(buffer(signature, 64)[:], buffer(blob, size)[:]) else -1
                ),
            )
        self._driver = flash.driver() if flash else self.ffi.NULL
        self._setup = self.ffi.new(
            "pn_update_setup_t *",
            {
                "flash": self._driver,
                "built_in": self.ffi.addressof(self.lib.pn_model),
                "window_bytes": window,
                "self_test": self._self_test,
                "check_signature": self._check_signature,
            },
        )
        self._update = self.ffi.new("pn_update_t *")
        self._link = self.ffi.new("pn_link_t *")
        self._used = self.ffi.new("size_t *")
        self._answer = self.ffi.new("uint8_t[]", 64)
        self._packet = self.ffi.new("uint8_t[]", 2048)
        self.lib.pn_link_init(self._link, 960)
        self.lib.pn_update_start(self._update, self._setup)

    def passes(self, model) -> bool:
        """The real self-test."""
        return self.lib.pn_trial_crc(model, self._state, self.ffi.NULL) == model.golden_crc

    @property
    def weights(self) -> bytes | None:
        """The blob in use, None for the built-in weights."""
        size = self.ffi.new("size_t *")
        pointer = self.lib.pn_update_weights(self._update, size)
        return self.ffi.buffer(pointer, size[0])[:] if pointer else None

    @property
    def sequence(self) -> int:
        return self.lib.pn_update_sequence(self._update)

    @property
    def runs_well(self) -> bool:
        """Whether the weights in use pass their self-test."""
        return self.passes(self.ffi.addressof(self._update, "model"))

    def answer(self, request: bytes) -> Status:
        """What a request is answered, whatever its packet would be."""
        size = self.lib.pn_update_answer(self._update, request, len(request), self._answer)
        answer = self.ffi.buffer(self._answer, size)[:]
        assert answer[:1] == (request[:1] or b"\0")
        return Status(answer[1])

    def trial(self, isa: bytes) -> int:
        """The checksum of what the weights in use give with the kernels of an instruction set."""
        model = self.ffi.addressof(self._update, "model")
        return self.lib.pn_trial_crc(model, self._state, self.ffi.new("char[]", isa))

    @property
    def golden(self) -> int:
        """The checksum that it should be."""
        return self._update.model.golden_crc

    def feed(self, data: bytes) -> bytes:
        """Take in bytes of the line; return all answers."""
        answers = bytearray()
        rest = self.ffi.from_buffer("uint8_t[]", data)
        done = 0
        while done < len(data):
            event = self.lib.pn_link_take(self._link, rest + done, len(data) - done, self._used)
            done += self._used[0]
            if event == self.lib.PN_LINK_BAD:
                answers += self._pack(ord("N"), 0, 0)
            elif event == self.lib.PN_LINK_PACKET and self._link.type == ord("U"):
                count = self.lib.pn_update_answer(
                    self._update, self._link.payload, self._link.count, self._answer
                )
                answers += self._pack(ord("U"), self._link.number, count)
        return bytes(answers) if self.flash is None or self.flash.alive else b""

    def _pack(self, kind: int, number: int, count: int) -> bytes:
        size = self.lib.pn_link_pack(self._packet, kind, number, self._answer, count)
        return self.ffi.buffer(self._packet, size)[:]


def host_packing():
    return PACKINGS[load_target(HOST_TARGET).layout]


def built_in_architecture() -> Architecture:
    return load_model(MODELS / f"{load_target(HOST_TARGET).model}.tflite").arch


def quantised(arch: Architecture, seed: int) -> QuantisedModel:
    """A random model of an architecture."""
    sha = bytes([seed]) * 32
    return quantise(Model(random_weights(arch, seed), arch, {"post_filter": True}, sha))


@functools.cache
def make_blob(seed: int, arch: Architecture | None = None, layout: str | None = None) -> bytes:
    """Weights that fit the host library's model where nothing else is asked for."""
    packing = PACKINGS[layout] if layout else host_packing()
    return render_blob(quantised(arch or built_in_architecture(), seed), packing)


def store_directly(flash: Flash, blob: bytes) -> None:
    """Leave confirmed weights behind as the program before this one may have: of any network."""
    ffi, lib = host.load(*HEADERS)
    store = ffi.new("pn_store_t *")
    assert lib.pn_store_init(store, flash.driver()) == 0
    in_use = lib.pn_store_newest(store, 0)
    assert lib.pn_store_begin(store, in_use, len(blob), blob[8:48]) == 0
    assert lib.pn_store_write(store, blob, len(blob)) == lib.pn_store_finish(store) == 0
    slot = lib.pn_store_commit(store)
    for state in (lib.PN_STORE_TRIED, lib.PN_STORE_CONFIRMED):
        assert lib.pn_store_mark(store, slot, state) == 0


def send(device: Device, transfer: Transfer) -> None:
    """Carry a transfer to its end, over a line without faults."""
    while not transfer.done:
        transfer.take(device.feed(transfer.give()))


def sealed(blob: bytes) -> bytes:
    """The blob with a checksum that fits what it holds."""
    return blob[:12] + struct.pack("<I", zlib.crc32(blob[16:])) + blob[16:]
