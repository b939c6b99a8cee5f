"""pyserial's port on a pty whose other end is a `Rom`, with DTR and RTS wired to the chip's pins.

pyserial finds it by the name of this file: `wired:///dev/pts/5`. A pty has no control lines: what
would be an ioctl of a real port sets the pins here.
"""

import serial

from kit.serialboot import Wiring
from tests.device.stand_ins.stm32_rom import Rom

# Boards by the path of their pty, and how they are wired.
boards: dict[str, tuple[Rom, Wiring]] = {}


class Serial(serial.Serial):
    """A port with control lines."""

    def _update_dtr_state(self) -> None:
        self._set_pins()

    def _update_rts_state(self) -> None:
        self._set_pins()

    def _set_pins(self) -> None:
        rom, wiring = boards[self.portstr]
        asserted = {"dtr": self._dtr_state, "rts": self._rts_state}
        rom.set_pins(
            nrst=not asserted[wiring.reset], boot0=asserted[wiring.boot] == wiring.boot_level
        )


def serial_class_for_url(url: str) -> tuple[str, type[Serial]]:
    """What pyserial asks for: the port behind a URL."""
    return url.removeprefix("wired://"), Serial
