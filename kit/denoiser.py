"""The denoiser behind NumPy arrays, streams and files, wherever a `HopProcessor` runs.

The firmware works on hops of 10 ms, 16 bit, at five sample rates, and answers 30 ms late.
`Denoiser.process` shows exactly that; `AlignedStream` and all that is built on it takes the delay
out, so that output and input line up sample by sample.
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from kit import host
from kit.audio import AudioReader, AudioWriter, Resampler
from kit.errors import KitError

SAMPLE_RATE_HZ = 48000
RATES_HZ = (8000, 16000, 24000, 32000, 48000)
HOP_SAMPLES = 480
LATENCY_SAMPLES = 1440
LATENCY_HOPS = 3
STATE_ALIGNMENT = 16
_PIPE_BYTES = 1 << 16

HopProcessor = Callable[[np.ndarray], np.ndarray]
"""int16 of whole hops of 10 ms, shape (hop * k,), to the same shape, 30 ms late, with a memory."""

Progress = Callable[[float], None]
"""Called now and then with the share done, 0 to 1."""


def processing_rate(sample_rate_hz: int) -> int:
    """The rate at which the firmware treats a recording: its own, or 48 kHz after resampling."""
    return sample_rate_hz if sample_rate_hz in RATES_HZ else SAMPLE_RATE_HZ


class Denoiser:
    """One channel of 16-bit sound on this computer, through the C library.

    isa: an instruction set to force ("scalar", "avx2"), for tests; the best one if None.
    sample_rate_hz: at which the firmware works, one of RATES_HZ.
    Raises KitError if this processor lacks the instruction set, or for another rate.
    """

    def __init__(self, isa: str | None = None, sample_rate_hz: int = SAMPLE_RATE_HZ) -> None:
        self._ffi, self._lib = host.load()
        self._isa = isa
        self._rate_hz = sample_rate_hz
        self._memory = np.zeros(self._lib.pn_state_size() + STATE_ALIGNMENT, np.uint8)
        skipped = -self._memory.ctypes.data % STATE_ALIGNMENT
        buffer = self._ffi.from_buffer(self._memory)
        self._state = self._ffi.cast("pn_state_t *", buffer + skipped)
        self.reset()

    @property
    def isa(self) -> str:
        """Name of the instruction set in use."""
        return self._ffi.string(self._lib.pn_isa(self._state)).decode()

    @property
    def latency_samples(self) -> int:
        """Samples by which the output of `process` is late: 30 ms."""
        return int(self._lib.pn_latency_samples(self._state))

    def reset(self) -> None:
        """Forget everything heard so far."""
        name = self._ffi.NULL if self._isa is None else self._isa.encode()
        status = self._lib.pn_init(self._state, self._rate_hz, name)
        if status:
            reason = self._ffi.string(self._lib.pn_strerror(status)).decode()
            chosen = f"instruction set `{self._isa}`" if self._isa else "the best instruction set"
            raise KitError(f"cannot start at {self._rate_hz} Hz with {chosen}: {reason}")

    def process(self, pcm: np.ndarray) -> np.ndarray:
        """Denoise whole hops. pcm: int16, shape (hop * k,). Returns the same shape, late."""
        pcm = np.ascontiguousarray(pcm)
        hop = self._rate_hz // 100
        if pcm.dtype != np.int16 or pcm.ndim != 1 or len(pcm) % hop:
            raise ValueError(f"need int16 in hops of {hop}, not {pcm.dtype} {pcm.shape}")
        out = np.empty_like(pcm)
        source = self._ffi.cast("int16_t *", self._ffi.from_buffer(pcm))
        target = self._ffi.cast("int16_t *", self._ffi.from_buffer(out))
        for start in range(0, len(pcm), hop):
            self._lib.pn_process(self._state, source + start, target + start)
        return out

    def denoise(
        self, samples: np.ndarray, sample_rate_hz: int, progress: Progress | None = None
    ) -> np.ndarray:
        """Denoise a whole recording, each channel afresh; aligned with and as long as the input.

        samples: int16, shape (n,) or (n, channels), at any rate: resampled to this denoiser's and
        back where they differ. Returns the same shape and rate.
        """
        return denoise_array(self._afresh, samples, sample_rate_hz, progress, self._rate_hz)

    def _afresh(self, pcm: np.ndarray) -> np.ndarray:
        self.reset()
        return self.process(pcm)


class AlignedStream:
    """Sound of any rate and channel count through one HopProcessor per channel, without delay.

    What all `push` calls and `finish` return, joined, is aligned with and as long as the input.
    """

    def __init__(
        self,
        sample_rate_hz: int,
        processors: Sequence[HopProcessor],
        processing_rate_hz: int = SAMPLE_RATE_HZ,
    ) -> None:
        channels = len(processors)
        self._processors = list(processors)
        self._hop = processing_rate_hz // 100
        self._up = Resampler(sample_rate_hz, processing_rate_hz, channels)
        self._down = Resampler(processing_rate_hz, sample_rate_hz, channels)
        self._waiting = np.zeros((0, channels), np.int16)
        self._late = LATENCY_HOPS * self._hop
        self._heard = self._resampled = self._made = self._given = 0

    def push(self, block: np.ndarray) -> np.ndarray:
        """Take int16 of shape (n, channels); return what is ready, of shape (m, channels)."""
        self._heard += len(block)
        return self._give(self._down.push(self._run(self._up.push(block))))

    def finish(self) -> np.ndarray:
        """Return the rest of the output, of shape (m, channels); the stream is over."""
        empty = self._waiting[:0]
        tail = self._up.push(empty, last=True)
        silence = (LATENCY_HOPS + 1) * self._hop - 1
        total = self._resampled + len(tail)
        out = self._run(np.concatenate([tail, np.zeros((silence, tail.shape[1]), np.int16)]))
        out = out[: len(out) - (self._made - total)]
        return self._give(self._down.push(out, last=True), self._heard)

    def _run(self, pcm: np.ndarray) -> np.ndarray:
        """Pass samples on in whole hops; drop the silence that the delay puts first."""
        self._resampled += len(pcm)
        pcm = np.concatenate([self._waiting, pcm])
        whole = len(pcm) - len(pcm) % self._hop
        self._waiting = pcm[whole:]
        out = np.empty_like(pcm[:whole])
        for channel, process in enumerate(self._processors):
            out[:, channel] = process(np.ascontiguousarray(pcm[:whole, channel])) if whole else 0
        dropped = min(self._late, whole)
        self._late -= dropped
        self._made += whole - dropped
        return out[dropped:]

    def _give(self, block: np.ndarray, total: int | None = None) -> np.ndarray:
        """Count what leaves; the last block (`total` given) evens out the resamplers' rounding."""
        if total is not None:
            missing = total - self._given
            padding = np.zeros((max(0, missing - len(block)), block.shape[1]), np.int16)
            block = np.concatenate([block[:missing], padding])
        self._given += len(block)
        return block


def denoise_array(
    run: HopProcessor,
    samples: np.ndarray,
    sample_rate_hz: int,
    progress: Progress | None = None,
    processing_rate_hz: int = SAMPLE_RATE_HZ,
) -> np.ndarray:
    """Denoise a recording in memory, each channel with one call of `run`, which starts afresh.

    samples: int16, shape (n,) or (n, channels). Returns the same shape, aligned.
    """
    hop, latency = processing_rate_hz // 100, LATENCY_HOPS * processing_rate_hz // 100
    columns = samples if samples.ndim == 2 else samples[:, None]
    out = np.zeros_like(columns)
    for channel in range(columns.shape[1]):
        up = Resampler(sample_rate_hz, processing_rate_hz, 1).push(columns[:, [channel]], last=True)
        hops = -(-(len(up) + latency) // hop)
        late = run(np.pad(up[:, 0], (0, hops * hop - len(up))))
        kept = late[latency : latency + len(up), None]
        down = Resampler(processing_rate_hz, sample_rate_hz, 1).push(kept, last=True)
        out[: len(down), channel] = down[: len(columns), 0]
        if progress:
            progress((channel + 1) / columns.shape[1])
    return out.reshape(samples.shape)


def denoise_file(
    source: Path | str,
    destination: Path | str,
    progress: Progress | None = None,
    isa: str | None = None,
) -> None:
    """Denoise a sound file into another on this computer, in blocks: memory stays bounded.

    The output has the input's rate, channels, length and sample format (PCM_16 where that does not
    fit). isa: an instruction set to force. Raises KitError for one that is not to be had and for
    files that cannot be read or written, and then leaves an existing destination untouched.
    """
    with AudioReader(source) as reader, AudioWriter(destination, reader.format) as writer:
        rate_hz = processing_rate(reader.format.sample_rate_hz)
        processors = [Denoiser(isa, rate_hz).process for _ in range(reader.format.channels)]
        stream = AlignedStream(reader.format.sample_rate_hz, processors, rate_hz)
        done = 0
        for block in reader.blocks():
            writer.write(stream.push(block))
            done += len(block)
            if progress:
                progress(done / reader.format.frames)
        writer.write(stream.finish())


def denoise_stream(
    source_fd: int,
    destination_fd: int,
    process: HopProcessor,
    sample_rate_hz: int = SAMPLE_RATE_HZ,
) -> None:
    """Denoise raw 16-bit little-endian mono sound from one descriptor to another, live.

    sample_rate_hz: of the sound and of `process`. Each hop leaves as soon as it is whole; at the
    end the last 30 ms follow, so that as many bytes leave as came. A reader that goes away
    (BrokenPipeError) ends the stream quietly.
    Raises KitError if the input ends in the middle of a sample.
    """
    stream = AlignedStream(sample_rate_hz, [process], sample_rate_hz)
    odd = b""
    try:
        while data := os.read(source_fd, _PIPE_BYTES):
            data = odd + data
            whole = len(data) - len(data) % 2
            odd = data[whole:]
            pcm = np.frombuffer(data[:whole], "<i2").astype(np.int16)
            _write_all(destination_fd, stream.push(pcm[:, None]))
        _write_all(destination_fd, stream.finish())
    except BrokenPipeError:
        return
    if odd:
        raise KitError(
            "the stream ended in the middle of a 16-bit sample: its last byte was ignored",
            hint="send raw 16-bit little-endian mono samples",
        )


def _write_all(fd: int, pcm: np.ndarray) -> None:
    data = memoryview(pcm.astype("<i2").tobytes())
    while data:
        data = data[os.write(fd, data) :]
