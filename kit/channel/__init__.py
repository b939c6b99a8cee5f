"""Byte streams to and from a started program."""

from kit.channel.base import Channel
from kit.channel.process import ProcessChannel
from kit.channel.serial import PortChannel, SerialChannel

__all__ = ["Channel", "PortChannel", "ProcessChannel", "SerialChannel"]
