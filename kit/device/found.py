"""A thing that is connected to this computer, as a way to look for it found it."""

import dataclasses

READY = "ready"


@dataclasses.dataclass(frozen=True)
class Found:
    """Something connected: way and address as the device map writes them, and its state.

    hint: what makes it ready; empty if it is.
    """

    way: str
    address: str
    what: str
    state: str = READY
    hint: str = ""
