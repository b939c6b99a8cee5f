"""Chips with the boot loader: the pages that their flash is erased by (chips.toml)."""

import dataclasses
import itertools
import tomllib
from pathlib import Path

from kit.errors import DeviceError

_CHIPS = Path(__file__).parent / "chips.toml"


@dataclasses.dataclass(frozen=True)
class Page:
    """The smallest piece of flash that can be erased: its number, address, and size in bytes."""

    number: int
    address: int
    size: int


@dataclasses.dataclass(frozen=True)
class Chip:
    """A chip that Get ID knows by `id`, and all pages of its flash by address."""

    id: int
    name: str
    pages: tuple[Page, ...]

    @property
    def flash_start(self) -> int:
        """The first address of flash."""
        return self.pages[0].address

    @property
    def flash_end(self) -> int:
        """The address behind flash."""
        return self.pages[-1].address + self.pages[-1].size


def known_chips() -> dict[int, Chip]:
    """All chips by id."""
    entries = tomllib.loads(_CHIPS.read_text(encoding="utf-8"))
    chips = {}
    for key, entry in entries.items():
        sizes = [size for count, size in entry["pages"] for _ in range(count)]
        starts = itertools.accumulate(sizes, initial=entry["origin"])
        pages = tuple(Page(n, *place) for n, place in enumerate(zip(starts, sizes, strict=False)))
        chips[int(key, 16)] = Chip(int(key, 16), entry["name"], pages)
    return chips


def load_chip(chip_id: int) -> Chip:
    """The chip of an id. Raises DeviceError for one that is not in chips.toml."""
    chips = known_chips()
    if chip_id not in chips:
        raise DeviceError(
            f"the boot loader says that it is chip {chip_id:#x}, which is not known here",
            hint=f"known: {', '.join(chip.name for chip in chips.values())}\n"
            "add its pages of flash, from its reference manual: kit/serialboot/chips.toml",
        )
    return chips[chip_id]
