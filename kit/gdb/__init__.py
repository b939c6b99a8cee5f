"""gdb over its machine interface: any server that it can talk to is a way to a board."""

from kit.gdb.session import GdbSession

__all__ = ["GdbSession"]
