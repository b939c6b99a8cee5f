"""ELF files: the sections and segments of a program."""

import dataclasses
import struct
from pathlib import Path

from kit.errors import DeviceError

_SHT_NOBITS, _SHF_WRITE, _SHF_ALLOC, _PT_LOAD = 8, 1, 2, 1


@dataclasses.dataclass(frozen=True)
class Section:
    """One section that takes memory at run time; sizes in bytes."""

    name: str
    kind: str  # text, data or bss
    size: int
    address: int


@dataclasses.dataclass(frozen=True)
class Segment:
    """One loaded piece: the addresses where it runs and is stored, its size there, its bytes."""

    address: int
    load_address: int
    size: int
    data: bytes

    @property
    def stored(self) -> int:
        """Bytes that are stored; the rest of its size starts as zeros."""
        return len(self.data)


def read_elf(content: bytes) -> tuple[list[Section], list[Segment]]:
    """Sections and segments of a little-endian ELF file, 32 or 64 bit.

    Raises ValueError, struct.error or IndexError for a file that is cut short.
    """
    wide = content[4] == 2
    header = struct.unpack_from("<QQQIHHHHHH" if wide else "<IIIIHHHHHH", content, 24)
    _, ph_offset, sh_offset, _, _, ph_size, ph_count, sh_size, sh_count, names_index = header
    rows = [
        struct.unpack_from("<IIQQQQ" if wide else "<IIIIII", content, sh_offset + i * sh_size)
        for i in range(sh_count)
    ]
    names = content[rows[names_index][4] :]
    sections = [
        Section(names[name : names.index(b"\0", name)].decode(), _kind(kind, flags), size, at)
        for name, kind, flags, at, _, size in rows
        if flags & _SHF_ALLOC and size
    ]
    segments = []
    for i in range(ph_count):
        row = struct.unpack_from(
            "<IIQQQQQ" if wide else "<IIIIIII", content, ph_offset + i * ph_size
        )
        offset, address, load_address, stored, size = row[2:7] if wide else row[1:6]
        if row[0] == _PT_LOAD:
            data = content[offset : offset + stored]
            if len(data) != stored:
                raise ValueError("a segment is cut short")
            segments.append(Segment(address, load_address, size, data))
    return sections, segments


def _kind(section_type: int, flags: int) -> str:
    if section_type == _SHT_NOBITS:
        return "bss"
    return "data" if flags & _SHF_WRITE else "text"


def load_elf(program: Path) -> tuple[list[Section], list[Segment]]:
    """As read_elf, of a file. Raises DeviceError for what is no whole little-endian ELF file."""
    try:
        content = program.read_bytes()
        if not content.startswith(b"\x7fELF") or content[5] != 1:
            raise ValueError
        return read_elf(content)
    except (struct.error, IndexError, ValueError) as broken:
        raise DeviceError(
            f"{program}: not a program (a little-endian ELF file)", hint="build it again"
        ) from broken


def read_image(program: Path) -> list[Segment]:
    """What a loader writes: the segments that have stored bytes, by load address.

    Raises DeviceError as load_elf.
    """
    segments = [segment for segment in load_elf(program)[1] if segment.data]
    return sorted(segments, key=lambda segment: segment.load_address)
