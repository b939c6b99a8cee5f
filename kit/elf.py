"""ELF files: the sections, segments and symbols of a program."""

import dataclasses
import struct
from pathlib import Path

from kit.errors import DeviceError

_SHT_SYMTAB, _SHT_NOBITS, _SHF_WRITE, _SHF_ALLOC, _PT_LOAD = 2, 8, 1, 2, 1
_STT_OBJECT, _STT_FUNC = 1, 2


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


@dataclasses.dataclass(frozen=True)
class Symbol:
    """A name for an address; `is_function` where it is code, `size` in bytes (0: not said)."""

    name: str
    address: int
    size: int
    is_function: bool


def read_symbols(content: bytes) -> list[Symbol]:
    """Functions and objects of a little-endian ELF file, by address; none if it was stripped."""
    wide = content[4] == 2
    sh_offset = struct.unpack_from("<Q" if wide else "<I", content, 40 if wide else 32)[0]
    sh_size, sh_count = struct.unpack_from("<HH", content, 58 if wide else 46)
    rows = [
        struct.unpack_from("<IIQQQQI" if wide else "<IIIIIII", content, sh_offset + i * sh_size)
        for i in range(sh_count)
    ]
    symbols = []
    for _, kind, _, _, offset, size, link in rows:
        if kind == _SHT_SYMTAB:
            names = content[rows[link][4] :]
            table = content[offset : offset + size]
            for entry in struct.iter_unpack("<IBBHQQ" if wide else "<IIIBBH", table):
                if wide:
                    name, info, _, _, address, length = entry
                else:
                    name, address, length, info, _, _ = entry
                if info & 15 in (_STT_OBJECT, _STT_FUNC):
                    text = names[name : names.index(b"\0", name)].decode()
                    is_function = info & 15 == _STT_FUNC
                    # Bit 0 of a function's address says Thumb.
                    thumb = not wide and is_function
                    symbols.append(Symbol(text, address & ~int(thumb), length, is_function))
    return sorted(symbols, key=lambda symbol: symbol.address)


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
