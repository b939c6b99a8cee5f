"""New weights for a running device: the host's side of firmware_src/update/pn_update.h."""

from kit.update.line import Line, ask, send_weights
from kit.update.protocol import Running, Status, UpdateRefused
from kit.update.session import Update, update_weights
from kit.update.transfer import Transfer

__all__ = [
    "Line",
    "Running",
    "Status",
    "Transfer",
    "Update",
    "UpdateRefused",
    "ask",
    "send_weights",
    "update_weights",
]
