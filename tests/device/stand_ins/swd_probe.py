"""A debug probe for pyOCD whose chip is a board of QEMU: a real pyOCD writes, reads and starts it.

pyOCD finds it as it finds any probe that it has no driver for, as a plug-in. Everything above the
wire is pyOCD's own: its commands, discovery of the core, reset, loading. The chip's debug port,
access port and debug registers are here; memory and registers are QEMU's, through its gdb server.
"""

import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pyocd.core import exceptions
from pyocd.core.memory_interface import MemoryInterface
from pyocd.core.plugin import Plugin
from pyocd.probe.debug_probe import DebugProbe

from kit.paths import ROOT

# What is on the desk: ID@HOST:PORT, and a state (`ready`, `busy`, `denied`, `no_ack`, `locked`).
SETTING = "PERCEPNET_TEST_PROBE"
STATE_SETTING = "PERCEPNET_TEST_PROBE_STATE"

_PACKET = 2000  # QEMU takes packets of 4096 characters, two for a byte
_TIMEOUT_S = 20.0

_DP_IDR, _DP_CTRL_STAT = 0x0, 0x4
_DPV2 = 0x2BA01477
_POWERED_UP = 0xF0000000
_AP_CSW, _AP_BASE, _AP_IDR = 0x00, 0xF8, 0xFC
_AHB_AP = 0x24770011
_DEVICE_ENABLED = 1 << 6

_ROM_TABLE = 0xE00FF000
_SCS = 0xE000E000
_AIRCR, _DHCSR, _DCRSR, _DCRDR, _DEMCR = (_SCS + at for at in (0xD0C, 0xDF0, 0xDF4, 0xDF8, 0xDFC))
_DEBUG_REGISTERS = range(_DHCSR, _DEMCR + 4)
_C_DEBUGEN, _C_HALT, _S_REGRDY, _S_HALT = 1, 1 << 1, 1 << 16, 1 << 17
_RESETS = 1 << 2 | 1 << 0
_VC_CORERESET = 1
_WRITE_REGISTER = 1 << 16
# DCRSR's numbers of registers as QEMU's gdb server has them.
_XPSR, _GDB_XPSR = 16, 25
_R0, _MARK = 0, 0x5A5A5A5A
_CORE_REGISTERS = {**{number: number for number in range(16)}, _XPSR: _GDB_XPSR}


def _id_registers(peripheral: int, component: int) -> list[int]:
    """PIDR4 to CIDR3, a byte in each word, as at the end of every CoreSight component."""
    high, low = peripheral >> 32, peripheral & 0xFFFFFFFF
    return [value >> shift & 0xFF for value in (high, low, component) for shift in (0, 8, 16, 24)]


def _words(address: int, values: Sequence[int]) -> dict[int, int]:
    return {address + 4 * index: value for index, value in enumerate(values)}


# A table of one component, the system control space of a Cortex-M7.
_COMPONENTS = {
    **_words(_ROM_TABLE, [(_SCS - _ROM_TABLE) & 0xFFFFF000 | 3, *[0] * 8]),
    **_words(_ROM_TABLE + 0xFD0, _id_registers(0x4000BB4C7, 0xB105100D)),
    **_words(_SCS + 0xFD0, _id_registers(0x4000BB00C, 0xB105E00D)),
}


def plugged_in(folder: Path, probe_id: str, server: str, state: str = "ready") -> Mapping[str, str]:
    """Settings under which a pyOCD has this probe, with its chip behind a gdb server HOST:PORT."""
    package = folder / "swd_probe-1.dist-info"
    package.mkdir(parents=True, exist_ok=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: swd-probe\nVersion: 1\n")
    entry = f"[pyocd.probe]\nswd_probe = {__name__}:SwdProbePlugin\n"
    (package / "entry_points.txt").write_text(entry)
    path = os.pathsep.join([str(folder), str(ROOT)])
    return {"PYTHONPATH": path, SETTING: f"{probe_id}@{server}", STATE_SETTING: state}


def answers(server: str) -> bool:
    """Whether a gdb server is there."""
    host, port = server.rsplit(":", 1)
    with socket.socket() as attempt:
        return attempt.connect_ex((host, int(port))) == 0


class GdbServer:
    """A stopped machine: its memory and registers over the remote protocol of gdb."""

    def __init__(self, address: str) -> None:
        host, port = address.rsplit(":", 1)
        self._socket = socket.create_connection((host, int(port)), _TIMEOUT_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._stream = self._socket.makefile("rb")
        # Who does not know the registers' description cannot ask for single ones.
        self.ask("qXfer:features:read:target.xml:0,400")

    def ask(self, text: str) -> str:
        self.tell(text)
        return self._answer()

    def tell(self, text: str) -> None:
        self._socket.sendall(f"${text}#{sum(text.encode()) % 256:02x}".encode())

    def stop(self) -> None:
        self._socket.sendall(b"\x03")
        self._answer()

    def _answer(self) -> str:
        while (start := self._stream.read(1)) != b"$":
            if not start:
                raise exceptions.ProbeDisconnected("the machine is gone")
        text = b""
        while (byte := self._stream.read(1)) != b"#":
            text += byte
        self._stream.read(2)
        self._socket.sendall(b"+")
        return text.decode("latin-1")

    def read(self, address: int, size: int) -> bytes:
        data = b""
        while len(data) < size:
            count = min(_PACKET, size - len(data))
            answer = self.ask(f"m{address + len(data):x},{count:x}")
            if answer.startswith("E"):
                raise exceptions.TransferFaultError(address + len(data))
            data += bytes.fromhex(answer)
        return data

    def reset(self) -> None:
        """Returns when it is done, which clears r0: QEMU does it a little after it was told to."""
        self.write_register(_R0, _MARK)
        self.ask(f"qRcmd,{b'system_reset'.hex()}")
        deadline = time.monotonic() + _TIMEOUT_S
        while self.read_register(_R0) == _MARK:
            if time.monotonic() > deadline:
                raise exceptions.TransferError("the machine does not reset")

    def read_register(self, number: int) -> int:
        return int.from_bytes(bytes.fromhex(self.ask(f"p{number:x}")), "little")

    def write_register(self, number: int, value: int) -> None:
        self.ask(f"P{number:x}={value.to_bytes(4, 'little').hex()}")

    def write(self, address: int, data: bytes) -> None:
        for at in range(0, len(data), _PACKET):
            part = data[at : at + _PACKET]
            if self.ask(f"M{address + at:x},{len(part):x}:{part.hex()}") != "OK":
                raise exceptions.TransferFaultError(address + at)

    def close(self) -> None:
        self._stream.close()
        self._socket.close()


class Chip(MemoryInterface):
    """The chip's memory as an access port sees it, with the debug registers of its core."""

    def __init__(self, server: GdbServer) -> None:
        self._server = server
        # QEMU stops at our coming.
        self._halted = True
        self._debug = dict.fromkeys(_DEBUG_REGISTERS, 0) | {_DHCSR: _C_DEBUGEN | _C_HALT}

    def leave(self) -> None:
        """The probe goes: the core stays as it is."""
        if self._halted:
            self._server.close()
            return
        self._server.stop()
        self._server.ask("D")
        self._server.close()

    def write_memory(self, addr: int, data: int, transfer_size: int = 32, **_: Any) -> None:
        if addr in self._debug:
            self._write_debug(addr, data)
        elif addr == _AIRCR and data & _RESETS:
            self._reset()
        else:
            self._write(addr, data.to_bytes(transfer_size // 8, "little"))

    def read_memory(
        self, addr: int, transfer_size: int = 32, now: bool = True, **_: Any
    ) -> int | Callable[[], int]:
        if addr in self._debug:
            value = self._read_debug(addr)
        elif addr in _COMPONENTS:
            value = _COMPONENTS[addr]
        else:
            value = int.from_bytes(self._read(addr, transfer_size // 8), "little")
        return value if now else lambda: value

    def write_memory_block32(self, addr: int, data: Sequence[int], **_: Any) -> None:
        if addr in self._debug:
            for index, value in enumerate(data):
                self._write_debug(addr + 4 * index, value)
        else:
            self._write(addr, b"".join(value.to_bytes(4, "little") for value in data))

    def read_memory_block32(self, addr: int, size: int, **_: Any) -> Sequence[int]:
        if addr in _COMPONENTS or addr in self._debug:
            return [self.read_memory(addr + 4 * index) for index in range(size)]
        data = self._read(addr, 4 * size)
        return [int.from_bytes(data[at : at + 4], "little") for at in range(0, len(data), 4)]

    def write_memory_block8(self, addr: int, data: Sequence[int], **_: Any) -> None:
        self._write(addr, bytes(data))

    def read_memory_block8(self, addr: int, size: int, **_: Any) -> Sequence[int]:
        return list(self._read(addr, size))

    def _read(self, address: int, size: int) -> bytes:
        return self._while_stopped(lambda: self._server.read(address, size))

    def _write(self, address: int, data: bytes) -> None:
        self._while_stopped(lambda: self._server.write(address, data))

    def _while_stopped(self, action: Callable[[], Any]) -> Any:
        if self._halted:
            return action()
        self._server.stop()
        try:
            return action()
        finally:
            self._server.tell("c")

    def _read_debug(self, address: int) -> int:
        if address == _DHCSR:
            enabled = self._debug[_DHCSR] & (_C_DEBUGEN | _C_HALT)
            return enabled | _S_REGRDY | (_S_HALT if self._halted else 0)
        return self._debug[address]

    def _write_debug(self, address: int, value: int) -> None:
        self._debug[address] = value
        if address == _DHCSR:
            self._set_halted(value & (_C_DEBUGEN | _C_HALT) == _C_DEBUGEN | _C_HALT)
        elif address == _DCRSR:
            self._move_register(value & 0x7F, bool(value & _WRITE_REGISTER))

    def _set_halted(self, halted: bool) -> None:
        if halted and not self._halted:
            self._server.stop()
        elif self._halted and not halted:
            self._server.tell("c")
        self._halted = halted

    def _move_register(self, number: int, write: bool) -> None:
        """Between DCRDR and the core; a register that QEMU's gdb server has not reads as 0."""
        known = _CORE_REGISTERS.get(number)
        if known is None:
            self._debug[_DCRDR] = 0
        elif write:
            self._server.write_register(known, self._debug[_DCRDR])
        else:
            self._debug[_DCRDR] = self._server.read_register(known)

    def _reset(self) -> None:
        self._set_halted(True)
        self._server.reset()
        self._set_halted(bool(self._debug[_DEMCR] & _VC_CORERESET))


class SwdProbe(DebugProbe):
    """The probe of SETTING."""

    def __init__(self, unique_id: str, server: str) -> None:
        super().__init__()
        self._unique_id = unique_id
        self._address = server
        self._state = os.environ[STATE_SETTING]
        self._chip: Chip | None = None
        self._is_open = False
        self._protocol: DebugProbe.Protocol | None = None
        self._ctrl_stat = 0

    @classmethod
    def get_all_connected_probes(
        cls, unique_id: str | None = None, is_explicit: bool = False
    ) -> Sequence[DebugProbe]:
        return [cls(*os.environ[SETTING].split("@"))] if SETTING in os.environ else []

    @classmethod
    def get_probe_with_id(cls, unique_id: str, is_explicit: bool = False) -> DebugProbe | None:
        return next((p for p in cls.get_all_connected_probes() if p.unique_id == unique_id), None)

    vendor_name = "PercepNet"
    product_name = "stand-in"
    supported_wire_protocols = (DebugProbe.Protocol.DEFAULT, DebugProbe.Protocol.SWD)
    capabilities = frozenset(
        {
            DebugProbe.Capability.MANAGED_AP_SELECTION,
            DebugProbe.Capability.MANAGED_DPBANKSEL,
        }
    )

    @property
    def unique_id(self) -> str:
        return self._unique_id

    @property
    def wire_protocol(self) -> DebugProbe.Protocol | None:
        return self._protocol

    @property
    def is_open(self) -> bool:
        return self._is_open

    def open(self) -> None:
        if self._state == "busy":
            raise exceptions.ProbeError("USB Error: [Errno 16] Resource busy")
        if self._state == "denied":
            raise exceptions.ProbeError("[Errno 13] Access denied (insufficient permissions)")
        self._chip = Chip(GdbServer(self._address)) if self._state == "ready" else None
        self._is_open = True

    def close(self) -> None:
        if self._chip:
            self._chip.leave()
        self._chip = None
        self._is_open = False

    def connect(self, protocol: DebugProbe.Protocol | None = None) -> None:
        self._protocol = DebugProbe.Protocol.SWD

    def disconnect(self) -> None:
        self._protocol = None

    def set_clock(self, frequency: float) -> None:
        return

    def assert_reset(self, asserted: bool) -> None:
        return

    def is_reset_asserted(self) -> bool:
        return False

    def read_dp(self, addr: int, now: bool = True) -> int | Callable[[], int]:
        if self._state == "no_ack":
            raise exceptions.TransferError("SWD/JTAG communication failure (No ACK)")
        powered = (self._ctrl_stat & 0x50000000) << 1 | self._ctrl_stat
        value = {_DP_IDR: _DPV2, _DP_CTRL_STAT: powered}.get(addr, 0)
        return value if now else lambda: value

    def write_dp(self, addr: int, data: int) -> None:
        if addr == _DP_CTRL_STAT:
            self._ctrl_stat = data

    def read_ap(self, addr: int, now: bool = True) -> int | Callable[[], int]:
        port, register = addr >> 24, addr & 0xFF
        enabled = 0 if self._state == "locked" else _DEVICE_ENABLED
        registers = {_AP_IDR: _AHB_AP, _AP_BASE: _ROM_TABLE | 3, _AP_CSW: enabled}
        value = registers.get(register, 0) if port == 0 else 0
        return value if now else lambda: value

    def write_ap(self, addr: int, data: int) -> None:
        return

    def get_memory_interface_for_ap(self, ap_address: object) -> MemoryInterface | None:
        return self._chip


class SwdProbePlugin(Plugin):
    """What pyOCD loads."""

    def load(self) -> type[DebugProbe]:
        return SwdProbe

    @property
    def name(self) -> str:
        return "swd_probe"

    @property
    def description(self) -> str:
        return "a board of QEMU"
