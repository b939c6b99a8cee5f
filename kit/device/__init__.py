"""Devices: the phones, boards and probes on this desk, by the names that their owner gave them."""

from kit.device.device import Device
from kit.device.map import (
    device_for,
    load_device,
    load_devices,
    map_path,
    remove_device,
    save_device,
)

__all__ = [
    "Device",
    "device_for",
    "load_device",
    "load_devices",
    "map_path",
    "remove_device",
    "save_device",
]
