"""The STM32's boot loader in ROM, over a serial line, as ST's application note AN3155 has it.

`loader` speaks its commands, `flash` writes a program with them, `chips` knows the pages of flash
of each chip; none of these knows what carries the bytes. `port` is a serial port that does, and
`wiring` how its control lines reset a chip into the loader.
"""

from kit.serialboot.chips import Chip, load_chip
from kit.serialboot.flash import Flasher
from kit.serialboot.loader import ExchangeFailed, Line, Loader, Timeouts
from kit.serialboot.port import SerialLine
from kit.serialboot.wiring import WIRINGS, Wiring, load_wiring

__all__ = [
    "WIRINGS",
    "Chip",
    "ExchangeFailed",
    "Flasher",
    "Line",
    "Loader",
    "SerialLine",
    "Timeouts",
    "Wiring",
    "load_chip",
    "load_wiring",
]
