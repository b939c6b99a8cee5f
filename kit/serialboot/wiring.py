"""How a serial adapter's control lines DTR and RTS are wired to a chip's reset and boot pins.

An asserted line of a TTL adapter is a low pin. Wired straight, DTR asserted holds the chip in reset
(NRST low), and RTS released is BOOT0 high: the loader.
"""

import dataclasses
import time
from typing import Protocol

from kit.errors import DeviceError

RESET_S = 0.05
# From the end of reset to a loader that listens, on the slowest chips.
START_S = 0.1


class ControlLines(Protocol):
    """DTR and RTS of a pyserial port; true is asserted."""

    dtr: bool
    rts: bool


@dataclasses.dataclass(frozen=True)
class Wiring:
    """reset, boot: which line is wired to the pin, `dtr` or `rts`; empty without wires.

    boot_level: the line's state that is BOOT0 high. Reset is always the asserted line.
    """

    name: str
    text: str
    reset: str = ""
    boot: str = ""
    boot_level: bool = False

    def rest(self, lines: ControlLines) -> None:
        """Leave the chip alone, BOOT0 low: for a port that is being opened."""
        if self.reset:
            setattr(lines, self.boot, not self.boot_level)
            setattr(lines, self.reset, False)

    def enter_loader(self, lines: ControlLines) -> None:
        """Reset the chip into its loader; nothing without wires."""
        if not self.reset:
            return
        try:
            setattr(lines, self.boot, self.boot_level)
            setattr(lines, self.reset, True)
            time.sleep(RESET_S)
            setattr(lines, self.reset, False)
            time.sleep(START_S)
            # Whoever presses reset from now on gets the program.
            setattr(lines, self.boot, not self.boot_level)
        except OSError as unable:
            raise DeviceError(
                f"this serial port has no line to reset the board with ({self.name})",
                hint="set BOOT0 and press reset by hand, and say so: "
                "./tools/percepnet devices add NAME ... --wiring none",
            ) from unable


WIRINGS = {
    wiring.name: wiring
    for wiring in (
        Wiring("none", "BOOT0 and reset are set by hand"),
        Wiring("dtr_reset_rts_boot", "DTR to NRST, RTS to BOOT0", "dtr", "rts"),
        Wiring(
            "dtr_reset_rts_boot_inverted",
            "DTR to NRST, RTS to BOOT0 through an inverter",
            "dtr",
            "rts",
            boot_level=True,
        ),
        Wiring("rts_reset_dtr_boot", "RTS to NRST, DTR to BOOT0", "rts", "dtr"),
        Wiring(
            "rts_reset_dtr_boot_inverted",
            "RTS to NRST, DTR to BOOT0 through an inverter",
            "rts",
            "dtr",
            boot_level=True,
        ),
    )
}


def load_wiring(name: str) -> Wiring:
    """The wiring of a name. Raises DeviceError for an unknown one."""
    if name not in WIRINGS:
        known = "\n".join(f"{wiring.name}: {wiring.text}" for wiring in WIRINGS.values())
        raise DeviceError(f"unknown wiring `{name}`", hint=known)
    return WIRINGS[name]
