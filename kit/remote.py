"""The denoiser on a target.

Real devices get samples in packets over their line (`denoise_stream`). Emulators read and write
files of this computer (`denoise_file`): a byte through an emulated UART costs QEMU as much time as
a thousand instructions.
"""

import collections
import struct
import zlib
from collections.abc import Mapping
from typing import Self

import numpy as np

from kit.denoiser import SAMPLE_RATE_HZ, Progress, denoise_array, processing_rate
from kit.devtest.protocol import fault, parse_line, read_report
from kit.errors import DeviceError
from kit.files import scratch_folder
from kit.runner import Runner, Session, make_runner, open_session
from kit.target import Target

APP = "denoise_stream"
FILE_APP = "denoise_file"
MARK = b"\xa5\x5a"
FRAME, RESTART, QUIT = b"F", b"R", b"Q"
ATTEMPTS = 3
RATE_SETTING = "PN_RATE"
START_TIMEOUT_S = 60.0
SECONDS_PER_SECOND = 60.0  # the slowest machine that is waited for: 60 s for a second of sound
_CRC = struct.Struct("<I")


def denoise_on(
    where: Target | Runner,
    samples: np.ndarray,
    sample_rate_hz: int,
    progress: Progress | None = None,
    settings: Mapping[str, str] | None = None,
) -> np.ndarray:
    """Denoise a recording on a target or device whose programs are built, each channel from a fresh
    start.

    samples: int16, shape (n,) or (n, channels), at any rate. settings: for the program. Returns the
    same shape, aligned. Raises KitError if the program does not start or stops.
    """
    runner = where if isinstance(where, Runner) else make_runner(where)
    rate_hz = processing_rate(sample_rate_hz)
    if runner.target.emulator and not runner.way:

        def run(pcm: np.ndarray) -> np.ndarray:
            return denoise_through_files(runner, pcm, settings, rate_hz)

        return denoise_array(run, samples, sample_rate_hz, progress, rate_hz)
    with RemoteDenoiser(runner, settings, rebuild=False, sample_rate_hz=rate_hz) as remote:
        return denoise_array(remote.process_afresh, samples, sample_rate_hz, progress, rate_hz)


def denoise_through_files(
    where: Target | Runner,
    pcm: np.ndarray,
    settings: Mapping[str, str] | None = None,
    sample_rate_hz: int = SAMPLE_RATE_HZ,
) -> np.ndarray:
    """One run of the built program `denoise_file`. pcm: int16 of whole hops.

    Returns the same shape, late as the denoiser is.
    """
    with scratch_folder() as folder:
        source, result = folder / "in.raw", folder / "out.raw"
        source.write_bytes(pcm.astype("<i2").tobytes())
        names = [str(source), str(result)]
        settings = {RATE_SETTING: str(sample_rate_hz), **(settings or {})}
        with open_session(where, FILE_APP, names, settings=settings, rebuild=False) as session:
            timeout_s = SECONDS_PER_SECOND * len(pcm) / sample_rate_hz + START_TIMEOUT_S
            report = read_report(session.lines(timeout_s), session.run_id)
        data = result.read_bytes()
    if report.bad or len(data) != pcm.nbytes:
        raise DeviceError(f"`{FILE_APP}` wrote {len(data)} bytes instead of {pcm.nbytes}")
    return np.frombuffer(data, "<i2").astype(np.int16)


def packet(kind: bytes, number: int, payload: bytes = b"") -> bytes:
    """The bytes of one packet, as firmware_src/apps/denoise_stream.c describes them."""
    body = kind + bytes([number]) + payload
    return MARK + body + _CRC.pack(zlib.crc32(body))


def read_boot(session: Session, app: str) -> Mapping[str, str]:
    """Fields of the first line of a program. Raises DeviceError for any other first line."""
    line = next(session.lines(), "")
    record = parse_line(line)
    if record and record.word == "PN_FAULT":
        raise fault(record)
    if record is None or record.word != "PN_BOOT":
        raise DeviceError(f"`{app}` did not start: its first line is {line!r}")
    if record.fields["run"] != session.run_id:
        raise DeviceError("the device still runs older firmware", hint="flash it again")
    return record.fields


class RemoteDenoiser:
    """One channel of sound, denoised by a target; a context manager.

    settings: for the program, e.g. {"PN_FORCE_ISA": "scalar"}. rebuild=False takes the program as
    it was built. Raises KitError if it does not build, start or answer.
    """

    def __init__(
        self,
        where: Target | str | Runner,
        settings: Mapping[str, str] | None = None,
        rebuild: bool = True,
        sample_rate_hz: int = SAMPLE_RATE_HZ,
    ) -> None:
        settings = {RATE_SETTING: str(sample_rate_hz), **(settings or {})}
        self._hop = sample_rate_hz // 100
        self._session = open_session(where, APP, settings=settings, rebuild=rebuild)
        self._number = 0
        try:
            self.boot = read_boot(self._session, APP)
        except BaseException:
            self._session.kill()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._session.kill()
            return
        self._exchange(QUIT, b"")
        for _line in self._session.lines():
            pass
        self._session.close()

    def process_afresh(self, pcm: np.ndarray) -> np.ndarray:
        """As `process`, after the target has forgotten what it heard."""
        self._exchange(RESTART, b"")
        return self.process(pcm)

    def process(self, pcm: np.ndarray) -> np.ndarray:
        """Denoise whole hops. pcm: int16, shape (hop * k,). Returns the same shape, late."""
        hops = pcm.astype("<i2").reshape(-1, self._hop)
        if self._session.capabilities.packets_ahead > 1:
            answers = self._stream([hop.tobytes() for hop in hops])
        else:
            answers = [self._exchange(FRAME, hop.tobytes()) for hop in hops]
        return np.frombuffer(b"".join(answers), "<i2").astype(np.int16)

    def _next_packet(self, kind: bytes, payload: bytes) -> bytes:
        self._number = (self._number + 1) % 256
        return packet(kind, self._number, payload)

    def _stream(self, frames: list[bytes]) -> list[bytes]:
        """Answers to frames, several of which are underway at a time: none is ever repeated."""
        ahead = self._session.capabilities.packets_ahead
        underway: collections.deque[bytes] = collections.deque()
        answers = []
        for frame in [*frames, *[b""] * ahead]:
            if len(underway) == ahead or not frame and underway:
                answers.append(self._answer_to(underway.popleft()))
            if frame:
                underway.append(self._next_packet(FRAME, frame))
                self._session.write(underway[-1])
        return answers

    def _answer_to(self, request: bytes) -> bytes:
        answer = self._read_packet(len(request) - len(packet(FRAME, 0)))
        if answer[:2] != request[2:4]:
            raise DeviceError(f"`{APP}` did not understand a packet on a line that loses nothing")
        return answer[2:]

    def _exchange(self, kind: bytes, payload: bytes) -> bytes:
        """Send a packet and return the payload of its answer; again if it was not understood."""
        request = self._next_packet(kind, payload)
        for _ in range(ATTEMPTS):
            self._session.write(request)
            answer = self._read_packet(len(payload))
            if answer[:2] == request[2:4]:
                return answer[2:]
        raise DeviceError(f"`{APP}` did not understand a packet {ATTEMPTS} times")

    def _read_packet(self, payload_bytes: int) -> bytes:
        head = self._session.read_exact(len(MARK) + 2)
        if head[:2] != MARK:
            raise DeviceError(f"`{APP}` sent {head!r} in place of a packet")
        size = payload_bytes if head[2:3] == FRAME else 0
        rest = self._session.read_exact(size + _CRC.size)
        body = head[2:] + rest[:size]
        if zlib.crc32(body) != _CRC.unpack(rest[size:])[0]:
            raise DeviceError(f"`{APP}` sent a packet with a wrong CRC")
        return body
