"""Changes to a seed, for hypothesis: of bits, bytes, numbers and whole pieces."""

import struct

from hypothesis import strategies as st

_EDGES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_MOST_CHANGES = 8
_LONGEST_PIECE = 64

_WORDS = st.sampled_from(_EDGES).flatmap(
    lambda value: st.sampled_from(("<I", ">I")).map(lambda order: struct.pack(order, value))
)
_PIECES = st.one_of(
    _WORDS, st.binary(max_size=_LONGEST_PIECE), st.sampled_from((b"[" * 3000, b"9" * 5000, b"\0"))
)


@st.composite
def mutated(draw: st.DrawFn, seeds: list[bytes]) -> bytes:
    """One of the seeds, with some changes; now and then anything at all."""
    if not draw(st.integers(0, 50)):
        return draw(st.binary(max_size=256))
    data = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(1, _MOST_CHANGES))):
        place = draw(st.integers(0, len(data)))
        count = draw(st.one_of(st.just(0), st.integers(0, _LONGEST_PIECE)))
        match draw(st.sampled_from(("write", "write", "replace", "repeat", "cut", "flip"))):
            case "write":
                piece = draw(_PIECES)
                data[place : place + len(piece)] = piece
            case "replace":
                data[place : place + count] = draw(_PIECES)
            case "repeat":
                start = draw(st.integers(0, len(data)))
                data[place:place] = data[start : start + count]
            case "cut" if draw(st.integers(0, 3)) == 0:
                del data[place:]
            case _ if place < len(data):
                data[place] ^= 1 << draw(st.integers(0, 7))
    return bytes(data)
