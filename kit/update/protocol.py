"""Packets, requests and answers of weight updates, as pn_link.h and pn_update.h describe them."""

import dataclasses
import enum
import struct
import zlib

from kit.errors import DeviceError

MARK = b"\xa5\x5a"
UPDATE = b"U"
QUERY, BEGIN, DATA, COMMIT, ABORT, TEST = b"Q", b"B", b"D", b"C", b"A", b"T"
HEADER_BYTES = 64
SIGNATURE_BYTES = 64
MAX_PAYLOAD = 1032
DATA_OVERHEAD = 18  # of a packet with data: mark, type, number, length, letter, offset, CRC
FLUSH = bytes(2 + 4 + MAX_PAYLOAD + 4)
"""Ends whatever packet the device believes to be in."""

PROTOCOL = 1
FLAG_SIGNATURES = 1
_ANSWER = struct.Struct("<cBBBI")
_RUNNING = struct.Struct("<8I16s")
_CRC = struct.Struct("<I")
_MAX_ANSWER = _ANSWER.size + _RUNNING.size
_CRC_AT = 12  # of a blob's own checksum in its header


class Status(enum.IntEnum):
    """What a device answers; pn_update_status_t."""

    OK = 0
    REQUEST = 1
    NO_STORE = 2
    NOT_BEGUN = 3
    OFFSET = 4
    INCOMPLETE = 5
    SIZE = 6
    FLASH = 7
    MAGIC = 8
    VERSION = 9
    TRUNCATED = 10
    CHECKSUM = 11
    GRAPH = 12
    LAYOUT = 13
    MATRIX = 14
    SIGNATURE = 15
    SELF_TEST = 16


_BUILD_ANEW = "make the blob again with this version of the kit"
_REFUSALS = {
    Status.REQUEST: ("it does not understand a request", "flash its program anew"),
    Status.NO_STORE: ("it has no flash for weights", "flash a whole program with the new model"),
    Status.SIZE: ("the weights are larger than a slot of its store", "choose a smaller model"),
    Status.FLASH: (
        "its flash could not be erased or programmed",
        "try again; if that stays so, the chip is worn out or write-protected",
    ),
    Status.MAGIC: ("this is no weight blob", "give it a .tflite, or a .pnwb of this kit"),
    Status.VERSION: ("the blob is of another format version", _BUILD_ANEW),
    Status.TRUNCATED: ("the blob is cut short", _BUILD_ANEW),
    Status.CHECKSUM: ("the blob is damaged", _BUILD_ANEW),
    Status.GRAPH: (
        "the weights are of another network than its program",
        "flash the program of that model first",
    ),
    Status.LAYOUT: (
        "the weights are packed for other kernels than its program's",
        "name the target that its program was built for",
    ),
    Status.MATRIX: (
        "a matrix of the blob is damaged, of the wrong shape, or so large that sums overflow",
        _BUILD_ANEW,
    ),
    Status.SIGNATURE: (
        "the weights are not signed by the key that its program holds",
        "sign the .pnwb: openssl pkeyutl -sign -rawin -inkey KEY.pem -in FILE -out SIGNATURE\n"
        "and send both: --weights FILE --signature SIGNATURE",
    ),
    Status.SELF_TEST: (
        "its self-test failed with the new weights; it went back to the old ones",
        "the blob, the program or the device is at fault: ./tools/percepnet run --help",
    ),
}


class UpdateRefused(DeviceError):
    """The device refuses new weights and goes on with what it has; `status` says why."""

    def __init__(self, status: Status) -> None:
        message, hint = _REFUSALS[status]
        super().__init__(f"the device refuses the weights: {message}", hint=hint)
        self.status = status


@dataclasses.dataclass(frozen=True)
class Running:
    """What a device says of itself and of the weights in use.

    window: bytes of packets that may be on their way to it. sequence, crc: 0 for built-in weights.
    source_sha: first 16 bytes of the SHA-256 of their .tflite.
    """

    wants_signature: bool
    window: int
    data_bytes: int
    capacity: int
    blob_version: int
    graph: int
    layout: int
    sequence: int
    crc: int
    source_sha: bytes


@dataclasses.dataclass(frozen=True)
class Answer:
    """An answer to the request of a number. offset: of the byte that is expected next."""

    number: int
    letter: bytes
    status: Status
    offset: int
    running: Running | None


def packet(number: int, payload: bytes) -> bytes:
    """The bytes of one packet with a request."""
    body = UPDATE + struct.pack("<BH", number, len(payload)) + payload
    return MARK + body + _CRC.pack(zlib.crc32(body))


def request(letter: bytes, rest: bytes = b"") -> bytes:
    """Payload of a request."""
    return letter + bytes(3) + rest


def data_request(offset: int, data: bytes) -> bytes:
    """Payload of a request with data."""
    return request(DATA, struct.pack("<I", offset) + data)


def blob_crc(blob: bytes) -> int:
    """The checksum that a blob's header states: tells which weights a device uses."""
    return struct.unpack_from("<I", blob, _CRC_AT)[0]


def parse_answer(number: int, payload: bytes) -> Answer:
    """An answer out of a packet. Raises DeviceError for another protocol or a broken one."""
    if len(payload) < _ANSWER.size:
        raise DeviceError(f"the device's answer is cut short: {payload!r}")
    letter, status, version, flags, offset = _ANSWER.unpack_from(payload)
    if version != PROTOCOL or status not in Status.__members__.values():
        raise DeviceError(
            f"the device speaks version {version} of the update protocol, status {status}",
            hint="flash its program anew with this version of the kit",
        )
    running = None
    if len(payload) == _ANSWER.size + _RUNNING.size:
        fields = _RUNNING.unpack_from(payload, _ANSWER.size)
        running = Running(bool(flags & FLAG_SIGNATURES), *fields)
    return Answer(number, letter, Status(status), offset, running)


class PacketReader:
    """Finds answers in a stream that may hold anything else, damaged ones too."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Answer]:
        """Take in bytes; return the answers that they complete."""
        self._buffer += data
        answers = []
        while (start := self._buffer.find(MARK)) >= 0:
            del self._buffer[:start]
            if len(self._buffer) < 6:
                return answers
            kind, number, count = struct.unpack_from("<cBH", self._buffer, 2)
            end = 6 + count
            if kind != UPDATE or count > _MAX_ANSWER:
                del self._buffer[:1]
                continue
            if len(self._buffer) < end + _CRC.size:
                return answers
            body = bytes(self._buffer[2:end])
            if _CRC.unpack_from(self._buffer, end)[0] != zlib.crc32(body):
                del self._buffer[:1]
                continue
            del self._buffer[: end + _CRC.size]
            answers.append(parse_answer(number, body[4:]))
        del self._buffer[: max(0, len(self._buffer) - 1)]
        return answers
