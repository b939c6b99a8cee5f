"""Writing a program into flash, so that an interruption at any moment does no harm.

The page with the vector table is erased first, and the block with the table is written last of
all, when everything else has been read back: a program that is not whole has no start address. The
loader is in ROM and can always write again. A page that already holds what it should is left as it
is, so that the next attempt goes on where this one ended.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence

from kit.elf import Segment
from kit.errors import DeviceError
from kit.serialboot.chips import Chip, Page
from kit.serialboot.loader import BLOCK_BYTES, ExchangeFailed, Loader, Refused

ERASED = b"\xff"
_ATTEMPTS = 4
# How long a person has to reset a board that hangs.
RESET_PATIENCE_S = 60.0


@dataclasses.dataclass(frozen=True)
class Content:
    """What a page shall hold: blocks of 256 bytes by address; what is between them is free."""

    page: Page
    blocks: dict[int, bytes]


def page_contents(chip: Chip, image: Sequence[Segment]) -> list[Content]:
    """The pages that a program touches, gaps inside a block filled as erased flash reads.

    Raises DeviceError when something of it lies outside of the chip's flash.
    """
    blocks: dict[int, bytearray] = {}
    for segment in image:
        start, end = segment.load_address, segment.load_address + segment.stored
        if start < chip.flash_start or end > chip.flash_end:
            raise DeviceError(
                f"the program has {segment.stored} bytes at {start:#x}, and {chip.name} has flash "
                f"from {chip.flash_start:#x} to {chip.flash_end:#x}",
                hint="was it built for this board? what is in memory outside of the chip takes a "
                "debug probe",
            )
        for block in range(start // BLOCK_BYTES * BLOCK_BYTES, end, BLOCK_BYTES):
            content = blocks.setdefault(block, bytearray(ERASED * BLOCK_BYTES))
            low, high = max(start, block), min(end, block + BLOCK_BYTES)
            content[low - block : high - block] = segment.data[low - start : high - start]
    contents = []
    for page in chip.pages:
        inside = range(page.address, page.address + page.size)
        if own := {at: bytes(data) for at, data in sorted(blocks.items()) if at in inside}:
            contents.append(Content(page, own))
    return contents


class Flasher:
    """Writes programs to one chip. progress: called with 0.0 to 1.0."""

    def __init__(
        self,
        loader: Loader,
        chip: Chip,
        progress: Callable[[float], None],
        patience_s: float = RESET_PATIENCE_S,
    ) -> None:
        self._loader = loader
        self._chip = chip
        self._progress = progress
        self._patience_s = patience_s
        self._done, self._total = 0, 1

    def write(self, image: Sequence[Segment], start_address: int) -> int:
        """Bring a program with its vector table at start_address into flash; verified.

        Returns how many pages were written: 0 when the program was there already. Raises
        DeviceError; the same call goes on from there once its cause is mended.
        """
        contents = page_contents(self._chip, image)
        first = next((c for c in contents if start_address in c.blocks), None)
        if first is None:
            raise DeviceError(f"the program has no vector table at {start_address:#x}")
        self._total = 2 * sum(len(content.blocks) for content in contents)
        stale = [content for content in contents if not self._matches(content)]
        if not stale:
            return 0
        self._loader.retried(lambda: self._loader.erase_page(first.page.number))
        table = {start_address: first.blocks.pop(start_address)}
        stale = [content for content in stale if content is not first] + [first]
        written = len(stale)
        for _ in range(_ATTEMPTS):
            self._write_pages(stale, contents, table)
            self._still_to_do(table)
            if self._write_blocks(table):
                return written
            stale = [first]
        raise self._differs(first.page)

    def _write_pages(
        self, stale: Sequence[Content], contents: Sequence[Content], table: Mapping[int, bytes]
    ) -> None:
        """Write pages until all are right. A line that garbles bytes may also have the wrong page
        erased: after any trouble everything is looked at again."""
        for _ in range(_ATTEMPTS):
            troubles = self._loader.troubles
            self._still_to_do(table, *(content.blocks for content in stale))
            for content in stale:
                self._write_page(content)
            if self._loader.troubles == troubles:
                return
            stale = [content for content in contents if not self._matches(content)]
        raise DeviceError(
            "the serial line is too disturbed for a program to get through",
            hint="a shorter cable, a common ground, or another adapter",
        )

    def _matches(self, content: Content) -> bool:
        """Whether a page needs no writing; the first difference ends the look at it.

        Flash torn by a loss of power may be unreadable, and the loader hang on it: such a page
        needs writing, once the chip has been reset.
        """
        try:
            for address, data in content.blocks.items():
                if self._read(address) != data:
                    return False
        except ExchangeFailed as failed:
            if isinstance(failed, Refused) and failed.at_once:
                raise _read_protected() from failed
            self._loader.connect(self._patience_s)
            return False
        return True

    def _write_page(self, content: Content) -> None:
        """Erase a page, write its blocks, read them back."""
        done = self._done
        trouble: DeviceError = self._differs(content.page)
        for _ in range(_ATTEMPTS):
            self._advance(done - self._done)
            try:
                self._loader.erase_page(content.page.number)
                if self._is_blank(content) and self._write_blocks(content.blocks):
                    return
            except ExchangeFailed as failed:
                trouble = failed
                self._loader.recover()
        raise trouble

    def _is_blank(self, content: Content) -> bool:
        """Whether the erased page is: the loader does not say when it is write-protected."""
        return not any(self._read(address).strip(ERASED) for address in list(content.blocks)[:1])

    def _write_blocks(self, blocks: Mapping[int, bytes]) -> bool:
        """Write blocks of an erased page. Returns whether they read back as written."""
        for address, data in blocks.items():
            if not self._write_block(address, data):
                return False
            self._advance(1)
        for address, data in blocks.items():
            if self._read(address) != data:
                return False
            self._advance(1)
        return True

    def _write_block(self, address: int, data: bytes) -> bool:
        """Write one block. Returns False when it is half-written, and has to be erased."""
        if not data.strip(ERASED):
            return True
        for _ in range(_ATTEMPTS):
            try:
                self._loader.write(address, data)
                return True
            except ExchangeFailed:
                self._loader.recover()
            found = self._read(address)
            if found == data:
                return True
            if found.strip(ERASED):
                return False
        return False

    def _read(self, address: int) -> bytes:
        return self._loader.retried(lambda: self._loader.read(address, BLOCK_BYTES))

    def _differs(self, page: Page) -> DeviceError:
        return DeviceError(
            f"page {page.number} of flash, at {page.address:#x}, does not hold what is written",
            hint="it may be write-protected (STM32CubeProgrammer shows and lifts that), worn, or "
            f"not there on the smaller types of {self._chip.name}",
        )

    def _still_to_do(self, *groups: Mapping[int, bytes]) -> None:
        """Set how far all is, by the blocks that are yet to be written and read back."""
        self._done = self._total - 2 * sum(map(len, groups))

    def _advance(self, steps: int) -> None:
        self._done += steps
        self._progress(self._done / self._total)


def _read_protected() -> DeviceError:
    return DeviceError(
        "the chip is read-protected: it can be neither verified nor written like this",
        hint="lift the protection with STM32CubeProgrammer (it erases the chip), then flash again",
    )
