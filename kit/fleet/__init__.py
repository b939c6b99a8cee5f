"""Board farms: devices that a labgrid coordinator lends out. See README.md in this folder."""

from kit.fleet.place import borrowed

__all__ = ["borrowed"]
