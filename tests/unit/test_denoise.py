"""Alignment, lengths and streams, with a delay line in place of the denoiser (see tests/host)."""

import os
import threading
from collections.abc import Callable

import numpy as np
import pytest

from kit.denoiser import (
    HOP_SAMPLES,
    AlignedStream,
    Denoiser,
    denoise_array,
    denoise_stream,
)
from kit.errors import KitError


def delay_line() -> Callable[[np.ndarray], np.ndarray]:
    """A HopProcessor that changes nothing and is late as the denoiser is."""
    held = np.zeros(1440, np.int16)

    def process(pcm: np.ndarray) -> np.ndarray:
        nonlocal held
        assert len(pcm) and len(pcm) % HOP_SAMPLES == 0
        both = np.concatenate([held, pcm])
        held = both[len(pcm) :]
        return both[: len(pcm)]

    return process


def late_copy(pcm: np.ndarray) -> np.ndarray:
    """A fresh delay line at each call."""
    return delay_line()(pcm)


def tone(frames: int, rate_hz: int) -> np.ndarray:
    """440 Hz, int16, shape (frames,)."""
    return np.rint(8000 * np.sin(2 * np.pi * 440 * np.arange(frames) / rate_hz)).astype(np.int16)


@pytest.mark.parametrize("frames", [0, 1, 479, 480, 481, 1440, 5000, 100_003])
def test_output_is_aligned_and_as_long_as_the_input(frames: int):
    pcm = tone(frames, 48000)
    np.testing.assert_array_equal(denoise_array(late_copy, pcm, 48000), pcm)


@pytest.mark.parametrize("rate_hz", [8000, 11025, 22050, 44100, 96000])
@pytest.mark.parametrize("frames", [1, 777, 30_011])
def test_other_rates_and_two_channels_stay_aligned(rate_hz: int, frames: int):
    mono = tone(frames, rate_hz)
    both = np.stack([mono, np.negative(mono)], axis=1)
    stream = AlignedStream(rate_hz, [delay_line(), delay_line()])
    in_blocks = np.concatenate([stream.push(both), stream.finish()])
    edge = rate_hz // 100
    for out in (denoise_array(late_copy, both, rate_hz), in_blocks):
        assert out.shape == both.shape
        np.testing.assert_allclose(out[edge:-edge], both[edge:-edge], atol=2)


@pytest.mark.parametrize("frames", [0, 1, 479, 480, 481, 1440, 5000])
def test_a_stream_is_aligned_and_as_long_as_the_input(frames: int):
    pcm = tone(frames, 48000)[:, None]
    stream = AlignedStream(48000, [delay_line()])
    np.testing.assert_array_equal(np.concatenate([stream.push(pcm), stream.finish()]), pcm)


def test_the_size_of_the_blocks_does_not_matter():
    pcm = np.random.default_rng(3).integers(-9000, 9000, (20_000, 2), np.int16)
    whole = AlignedStream(44100, [delay_line(), delay_line()])
    expected = np.concatenate([whole.push(pcm), whole.finish()])
    pieces = AlignedStream(44100, [delay_line(), delay_line()])
    parts = [pieces.push(block) for block in np.array_split(pcm, 173)]
    np.testing.assert_allclose(np.concatenate([*parts, pieces.finish()]), expected, atol=1)


def test_progress_ends_at_one():
    seen: list[float] = []
    denoise_array(late_copy, np.zeros((100_000, 2), np.int16), 48000, seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


class Pipes:
    """denoise_stream in a thread between two pipes."""

    def __init__(self) -> None:
        self.read_fd, self._out = os.pipe()
        self._in, self.write_fd = os.pipe()
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            denoise_stream(self._in, self._out, delay_line())
        except KitError as error:
            self.error = error
        finally:
            os.close(self._out)

    def read(self, count: int) -> bytes:
        """Exactly `count` bytes, or fewer at the end."""
        data = b""
        while len(data) < count and (more := os.read(self.read_fd, count - len(data))):
            data += more
        return data

    def end(self) -> None:
        """Wait for the thread and close what is open."""
        self._thread.join(timeout=10)
        assert not self._thread.is_alive()
        os.close(self._in)
        os.close(self.read_fd)


def test_a_stream_leaves_hop_by_hop_and_ends_with_what_was_inside():
    pcm = tone(10_007, 48000)
    data = pcm.tobytes()
    pipes = Pipes()
    os.write(
        pipes.write_fd, data[:3841]
    )  # 4 hops and half a sample: one hop is out after the delay
    first = pipes.read(2 * HOP_SAMPLES)
    assert first == data[: 2 * HOP_SAMPLES]
    os.write(pipes.write_fd, data[3841:])
    os.close(pipes.write_fd)
    assert first + pipes.read(len(data)) == data
    pipes.end()
    assert pipes.error is None


def test_a_stream_that_ends_within_a_sample_says_so_after_the_rest_is_out():
    data = tone(1000, 48000).tobytes()
    pipes = Pipes()
    os.write(pipes.write_fd, data + b"\x01")
    os.close(pipes.write_fd)
    assert pipes.read(len(data) + 1) == data
    pipes.end()
    assert "middle of a 16-bit sample" in str(pipes.error)


def test_a_reader_that_goes_away_ends_the_stream_quietly():
    in_read, in_write = os.pipe()
    out_read, out_write = os.pipe()
    os.close(out_read)
    os.write(in_write, bytes(2 * HOP_SAMPLES * 10))
    denoise_stream(in_read, out_write, delay_line())
    for fd in (in_read, in_write, out_write):
        os.close(fd)


def test_what_no_firmware_takes_is_refused():
    denoiser = Denoiser(isa="scalar")
    assert denoiser.isa == "scalar"
    for pcm in (np.zeros(480), np.zeros((480, 1), np.int16), np.zeros(481, np.int16)):
        with pytest.raises(ValueError, match="hops of 480"):
            denoiser.process(pcm)
    with pytest.raises(KitError, match="instruction set `z80`"):
        Denoiser(isa="z80")
