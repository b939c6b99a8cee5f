"""A thousand damaged updates, sent blindly: whatever comes, the old weights stay.

Damage strikes the line, or the weights before they are framed: then every packet is right, and
behind each checksum that is made to agree stands the next check.
"""

import random
import struct
import zlib
from collections import Counter
from collections.abc import Callable

from kit.update import Status, protocol
from tests.host.update_device import Device, Flash, make_blob, sealed

STREAMS = 1000
DATA_BYTES = 1024
ENTRIES_AT, ENTRY_BYTES, MATRICES = 64, 24, 15
ROWS = 8  # of every matrix: none has fewer, and none of these is padding

Draw = random.Random


def packets(weights: bytes) -> list[bytes]:
    """A whole update, as a host sends it that waits for nothing."""
    requests = [protocol.request(protocol.BEGIN, weights[: protocol.HEADER_BYTES])]
    requests += [
        protocol.data_request(start, weights[start : start + DATA_BYTES])
        for start in range(0, len(weights), DATA_BYTES)
    ]
    requests.append(protocol.request(protocol.COMMIT))
    return [protocol.packet(number % 256, request) for number, request in enumerate(requests)]


def place_within(parts: list[bytes], draw: Draw) -> tuple[int, int]:
    """A packet, and a byte of it that is not its first."""
    index = draw.randrange(len(parts))
    return index, draw.randrange(1, len(parts[index]))


def flipped(draw: Draw) -> list[bytes]:
    """Some bits of one packet are wrong."""
    parts = packets(make_blob(2))
    index, _ = place_within(parts, draw)
    damaged = bytearray(parts[index])
    for place in draw.sample(range(len(damaged)), draw.choice((1, 2, 7))):
        damaged[place] ^= 1 << draw.randrange(8)
    parts[index] = bytes(damaged)
    return parts


def lost(draw: Draw) -> list[bytes]:
    """Bytes are missing from a packet, or all of it."""
    parts = packets(make_blob(2))
    index, place = place_within(parts, draw)
    count = draw.choice((1, 2, 16, 5000))
    parts[index] = parts[index][:place] + parts[index][place + count :]
    if draw.random() < 0.2:
        parts[index] = b""
    return parts


def inserted(draw: Draw) -> list[bytes]:
    """Noise in the middle of a packet."""
    parts = packets(make_blob(2))
    index, place = place_within(parts, draw)
    noise = draw.randbytes(draw.choice((1, 3, 200)))
    parts[index] = parts[index][:place] + noise + parts[index][place:]
    return parts


def cut(draw: Draw) -> list[bytes]:
    """The line ends too early."""
    parts = packets(make_blob(2))
    index, place = place_within(parts, draw)
    return [*parts[:index], parts[index][:place]]


def swapped(draw: Draw) -> list[bytes]:
    """Two packets come in the wrong order."""
    parts = packets(make_blob(2))
    i, j = draw.sample(range(len(parts)), 2)
    parts[i], parts[j] = parts[j], parts[i]
    return parts


def mixed(draw: Draw) -> list[bytes]:
    """One packet is of other weights."""
    parts = packets(make_blob(2))
    index = draw.randrange(1, len(parts) - 1)
    parts[index] = packets(make_blob(3))[index]
    return parts


def damaged_blob(draw: Draw) -> list[bytes]:
    """The weights were damaged before they were sent."""
    weights = bytearray(make_blob(2))
    weights[draw.randrange(len(weights))] ^= 1 << draw.randrange(8)
    return packets(bytes(weights))


def entry(weights: bytes, draw: Draw) -> tuple[int, int, int, int]:
    """Where a matrix' entry is; its offset, rows and columns."""
    at = ENTRIES_AT + ENTRY_BYTES * draw.randrange(MATRICES)
    offset, _, shape = struct.unpack_from("<3I", weights, at)
    return at, offset, shape & 0xFFFF, shape >> 16


def damaged_matrix(draw: Draw) -> list[bytes]:
    """The checksum of the whole agrees, that of a matrix does not."""
    weights = bytearray(make_blob(2))
    at, offset, rows, cols = entry(weights, draw)
    place = draw.choice((at + draw.randrange(12), offset + draw.randrange(rows * cols)))
    weights[place] ^= 1 << draw.randrange(8)
    return packets(sealed(bytes(weights)))


def forged_matrix(draw: Draw) -> list[bytes]:
    """All checksums agree; the bias of an output is another."""
    weights = bytearray(make_blob(2))
    at, offset, rows, cols = entry(weights, draw)
    place = offset + rows * cols + 4 * draw.randrange(ROWS)
    bias = struct.unpack_from("<i", weights, place)[0]
    struct.pack_into("<i", weights, place, bias + draw.choice((-1, 1)) * (1 << 20))
    end = offset + rows * cols + 8 * rows
    struct.pack_into("<I", weights, at + 4, zlib.crc32(weights[offset:end]))
    return packets(sealed(bytes(weights)))


DAMAGES: list[Callable[[Draw], list[bytes]]] = [
    flipped,
    lost,
    inserted,
    cut,
    swapped,
    mixed,
    damaged_blob,
    damaged_matrix,
    forged_matrix,
]


def test_a_thousand_damaged_updates_are_refused() -> None:
    device = Device(Flash())
    device.feed(b"".join(packets(make_blob(1))))
    assert device.sequence == 1
    draw = random.Random(9)
    verdicts: Counter[Status] = Counter()
    for number in range(STREAMS):
        damage = DAMAGES[number % len(DAMAGES)]
        answers = device.feed(b"".join(damage(draw)))
        assert device.sequence == 1, f"stream {number} was accepted ({damage.__name__})"
        verdicts.update(a.status for a in protocol.PacketReader().feed(answers))
        device.feed(protocol.FLUSH + protocol.packet(0, protocol.request(protocol.ABORT)))
    assert device.weights == make_blob(1)
    assert device.runs_well
    expected = {
        Status.OFFSET,
        Status.INCOMPLETE,
        Status.NOT_BEGUN,
        Status.CHECKSUM,
        Status.MATRIX,
        Status.SELF_TEST,
    }
    assert expected <= set(verdicts), verdicts


def test_the_same_update_undamaged_is_accepted() -> None:
    device = Device(Flash())
    for sequence, seed in enumerate((1, 2), 1):
        device.feed(b"".join(packets(make_blob(seed))))
        assert device.sequence == sequence
        assert device.weights == make_blob(seed)
