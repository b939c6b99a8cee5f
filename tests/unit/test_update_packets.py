"""Packets of weight updates: what they are made of, and finding them in a stream of anything."""

import struct
import zlib

import pytest

from kit.errors import DeviceError
from kit.update import protocol
from kit.update.protocol import PacketReader, Status, packet, parse_answer

ANSWER = b"Q" + bytes([Status.OK, protocol.PROTOCOL, 0]) + struct.pack("<I", 77)
RUNNING = struct.pack("<8I", *range(11, 19)) + bytes(range(16))


def test_a_packet_is_mark_kind_number_size_payload_and_checksum() -> None:
    body = b"U" + bytes([200, 3, 0]) + b"abc"
    assert packet(200, b"abc") == b"\xa5\x5a" + body + struct.pack("<I", zlib.crc32(body))
    assert protocol.request(b"Q", b"rest") == b"Q\0\0\0rest"
    assert protocol.data_request(0x1234, b"xy") == b"D\0\0\0\x34\x12\0\0xy"


def test_sizes_are_those_of_the_longest_packet() -> None:
    longest = packet(1, protocol.data_request(0, bytes(1024)))
    assert len(longest) == len(protocol.FLUSH) == 1024 + protocol.DATA_OVERHEAD == 1042
    assert not any(protocol.FLUSH)


def test_an_answer_to_a_query_says_what_runs() -> None:
    answer = parse_answer(5, ANSWER + RUNNING)
    assert (answer.number, answer.letter, answer.status, answer.offset) == (5, b"Q", Status.OK, 77)
    assert answer.running == protocol.Running(False, *range(11, 19), bytes(range(16)))


@pytest.mark.parametrize(("flags", "wants"), [(0, False), (1, True), (2, False), (3, True)])
def test_one_flag_asks_for_signatures(flags: int, wants: bool) -> None:
    answer = parse_answer(0, ANSWER[:3] + bytes([flags]) + ANSWER[4:] + RUNNING)
    assert answer.running.wants_signature == wants


@pytest.mark.parametrize("more", [b"", RUNNING[:-1], RUNNING + b"\0"])
def test_an_answer_of_another_length_says_nothing_of_what_runs(more: bytes) -> None:
    assert parse_answer(0, ANSWER + more).running is None


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (ANSWER[:7], "cut short"),
        (b"", "cut short"),
        (ANSWER[:2] + b"\x02" + ANSWER[3:], "version 2 of the update protocol, status 0"),
        (ANSWER[:2] + b"\x00" + ANSWER[3:], "version 0"),
        (ANSWER[:1] + b"\x11" + ANSWER[2:], "status 17"),
    ],
)
def test_an_answer_that_makes_no_sense_is_an_error(payload: bytes, words: str) -> None:
    with pytest.raises(DeviceError, match=words):
        parse_answer(0, payload)


def numbers(reader: PacketReader, data: bytes) -> list[int]:
    return [answer.number for answer in reader.feed(data)]


def test_answers_are_found_in_any_pieces() -> None:
    stream = b"boot\r\n" + packet(1, ANSWER) + b"\xa5" + packet(2, ANSWER + RUNNING) + b"\xa5\x5a"
    assert numbers(PacketReader(), stream) == [1, 2]
    reader = PacketReader()
    found = [numbers(reader, stream[at : at + 1]) for at in range(len(stream))]
    assert [number for answers in found for number in answers] == [1, 2]
    assert numbers(reader, packet(3, ANSWER)) == [3], "the unended mark is no packet's"


@pytest.mark.parametrize(
    "damaged",
    [
        pytest.param(packet(9, ANSWER)[:-1], id="cut short"),
        pytest.param(packet(9, ANSWER)[:-1] + b"\0", id="wrong checksum"),
        pytest.param(b"\xa5\x5aU\x09\xff\x0f", id="longer than any answer"),
        pytest.param(b"\xa5\x5aU\x09\x39\x00", id="longer by a byte"),
        pytest.param(b"\xa5\x5aN\x09\x08\x00", id="of another kind"),
        pytest.param(b"\xa5\x5aU\x09\x20\x00", id="of which the rest is another packet"),
    ],
)
def test_what_is_damaged_hides_no_answer_after_it(damaged: bytes) -> None:
    following = packet(1, ANSWER) + packet(2, ANSWER) + packet(3, ANSWER + RUNNING)
    assert numbers(PacketReader(), damaged + following) == [1, 2, 3]


def test_another_kind_and_a_longer_packet_are_not_waited_for() -> None:
    """The answer behind their six bytes is known as soon as it is there."""
    for header in (b"\xa5\x5aN\x09\x20\x00", b"\xa5\x5aU\x09\x39\x00"):
        assert numbers(PacketReader(), header + packet(1, ANSWER)) == [1]
    assert numbers(PacketReader(), b"\xa5\x5aU\x09\x38\x00" + packet(1, ANSWER)) == []
    assert numbers(PacketReader(), packet(1, ANSWER + RUNNING)) == [1], "the longest answer"


def test_the_end_of_an_answer_is_not_taken_for_a_beginning() -> None:
    """Its offset reads as a mark, its checksum then as the size of an answer to wait for."""
    for flags in range(1 << 16):
        end = bytes([flags & 255]) + b"\xa5\x5aU\x09"
        answer = packet(flags >> 8, ANSWER[:3] + end)
        if 20 <= int.from_bytes(answer[-4:-2], "little") <= 56:
            break
    reader = PacketReader()
    assert numbers(reader, answer) == [flags >> 8]
    assert numbers(reader, packet(1, ANSWER)) == [1]
