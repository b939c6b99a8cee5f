"""Reading bad files says what is wrong and where; writing never leaves half a file."""

import contextlib
import os
import resource
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from kit.audio import (
    AudioFormat,
    AudioReader,
    AudioWriter,
    Resampler,
    read_all,
    to_float,
    to_int16,
)
from kit.errors import KitError

FORMAT = AudioFormat(48000, 1, "PCM_16", 0)


def noise(frames: int, channels: int = 1, seed: int = 1) -> np.ndarray:
    """White noise, int16, shape (frames, channels)."""
    return np.random.default_rng(seed).integers(-32768, 32768, (frames, channels), np.int16)


def test_int16_and_float_are_inverse_and_saturate():
    every = np.arange(-32768, 32768, dtype=np.int16)
    np.testing.assert_array_equal(to_int16(to_float(every)), every)
    np.testing.assert_array_equal(to_int16(np.array([1.5, -1.5])), [32767, -32768])


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
@pytest.mark.parametrize("channels", [1, 2, 5])
def test_samples_survive_a_file(tmp_path: Path, suffix: str, channels: int):
    path = tmp_path / f"x{suffix}"
    pcm = noise(100_001, channels)
    with AudioWriter(path, AudioFormat(44100, channels, "PCM_16", len(pcm))) as writer:
        writer.write(pcm[:777])
        writer.write(pcm[777:])
    back, kept = read_all(path)
    np.testing.assert_array_equal(back, pcm)
    assert kept == AudioFormat(44100, channels, "PCM_16", len(pcm))


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_16_bit_samples_survive_every_wider_sample_format(tmp_path: Path, subtype: str):
    path = tmp_path / "x.wav"
    with AudioWriter(path, AudioFormat(8000, 1, subtype, 0)) as writer:
        writer.write(noise(5000))
    back, kept = read_all(path)
    np.testing.assert_array_equal(back, noise(5000))
    assert kept.subtype == subtype


def test_a_sample_format_that_does_not_fit_becomes_16_bit(tmp_path: Path):
    path = tmp_path / "x.flac"
    with AudioWriter(path, AudioFormat(8000, 1, "FLOAT", 0)) as writer:
        writer.write(noise(50))
    assert read_all(path)[1].subtype == "PCM_16"


def bad_file(folder: Path, kind: str) -> Path:
    """Make a file that cannot be denoised."""
    path = folder / "bad.wav"
    if kind == "folder":
        path.mkdir()
    elif kind == "zero bytes":
        path.touch()
    elif kind == "text":
        path.write_text("this is not sound\n" * 100)
    elif kind == "no samples":
        soundfile.write(path, np.zeros((0, 1), np.int16), 48000)
    elif kind == "cut WAV":
        soundfile.write(path, noise(48000), 48000)
        os.truncate(path, 50_000)
    elif kind == "cut FLAC":
        path = folder / "bad.flac"
        soundfile.write(path, noise(480_000), 48000)
        os.truncate(path, path.stat().st_size // 2)
    elif kind == "cut header":
        path.write_bytes(struct.pack("<4sI4s4sI", b"RIFF", 36, b"WAVE", b"fmt ", 16))
    elif kind in ("NaN", "infinity"):
        samples = np.zeros((96_000, 2))
        samples[60_000, 1] = np.nan if kind == "NaN" else np.inf
        soundfile.write(path, samples, 48000, "FLOAT")
    return path


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("missing", "no such file"),
        ("folder", "is a folder"),
        ("zero bytes", "is empty"),
        ("text", "not a sound file"),
        ("no samples", "holds no samples"),
        ("cut WAV", "truncated: its header promises 96000 bytes of sound, the file holds 49956"),
        ("cut FLAC", "truncated or damaged at"),
        ("cut header", "not a sound file"),
        ("NaN", "holds nan in channel 2 at 1.250 s"),
        ("infinity", "holds inf in channel 2 at 1.250 s"),
    ],
)
def test_a_bad_input_is_named_with_its_fault(tmp_path: Path, kind: str, words: str):
    path = bad_file(tmp_path, kind)
    with pytest.raises(KitError) as caught:
        read_all(path)
    assert words in caught.value.message
    assert str(path) in caught.value.message
    assert caught.value.hint


def test_a_file_that_shrinks_while_it_is_read_is_told(tmp_path: Path):
    path = tmp_path / "shrinks.wav"
    soundfile.write(path, noise(480_000), 48000)
    with AudioReader(path) as reader:
        os.truncate(path, path.stat().st_size // 2)
        with pytest.raises(KitError, match="damaged at 5.000 s of 10.000 s: the file ends early"):
            list(reader.blocks())


def test_a_wav_from_a_pipe_with_an_unknown_length_is_read(tmp_path: Path):
    path = tmp_path / "pipe.wav"
    soundfile.write(path, noise(1000), 48000)
    data = bytearray(path.read_bytes())
    start = data.index(b"data") + 4
    data[start : start + 4] = b"\xff" * 4
    path.write_bytes(data)
    np.testing.assert_array_equal(read_all(path)[0], noise(1000))


@pytest.mark.parametrize("error", [KitError("x"), KeyboardInterrupt(), ValueError("bug")])
def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, error):
    path = tmp_path / "out.wav"
    path.write_bytes(b"the old file")
    with pytest.raises(type(error)), AudioWriter(path, FORMAT) as writer:
        writer.write(noise(10_000))
        raise error
    assert path.read_bytes() == b"the old file"
    assert os.listdir(tmp_path) == ["out.wav"]


@contextlib.contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let this process write no file beyond `size` bytes."""
    old, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (old, hard))


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
@pytest.mark.parametrize(
    ("limit", "frames"),
    [
        pytest.param(10, 3000, id="the header fails"),
        pytest.param(30_000, 100_000, id="a block fails"),
        pytest.param(1500, 3000, id="the last block fails"),
    ],
)
def test_a_failing_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, suffix: str, limit: int, frames: int
):
    path = tmp_path / f"out{suffix}"
    path.write_bytes(b"the old file")
    with (
        largest_file(limit),
        pytest.raises(KitError, match="cannot write"),
        AudioWriter(path, FORMAT) as writer,
    ):
        writer.write(noise(frames))
    assert path.read_bytes() == b"the old file"
    assert os.listdir(tmp_path) == [path.name]


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 kB; skips where the user may not mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system needs root")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_a_full_disk_is_named_and_leaves_nothing(tiny_disk: Path, suffix: str):
    path = tiny_disk / f"out{suffix}"
    with pytest.raises(KitError, match="the disk is full"), AudioWriter(path, FORMAT) as writer:
        writer.write(noise(100_000))
    assert os.listdir(tiny_disk) == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nowhere/out.wav", "does not exist"),
        ("out.mp3", "cannot tell the format"),
        ("out", "cannot tell the format"),
    ],
)
def test_an_output_that_cannot_be_is_refused(tmp_path: Path, name: str, words: str):
    with pytest.raises(KitError, match=words):
        AudioWriter(tmp_path / name, FORMAT)
    assert os.listdir(tmp_path) == []


def test_a_container_that_cannot_hold_the_channels_is_refused_without_traces(tmp_path: Path):
    with pytest.raises(KitError, match="FLAC cannot hold 9 channels"):
        AudioWriter(tmp_path / "out.flac", AudioFormat(48000, 9, "PCM_16", 0))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("rate_hz", [8000, 16000, 22050, 44100, 96000])
def test_resampling_there_and_back_keeps_a_tone_in_place(rate_hz: int):
    tone = np.rint(8000 * np.sin(2 * np.pi * 440 * np.arange(rate_hz) / rate_hz))
    pcm = tone.astype(np.int16)[:, None]
    up, down = Resampler(rate_hz, 48000, 1), Resampler(48000, rate_hz, 1)
    parts = [down.push(up.push(block)) for block in np.array_split(pcm, 7)]
    parts.append(down.push(up.push(pcm[:0], last=True), last=True))
    back = np.concatenate(parts)
    inner = slice(rate_hz // 20, -rate_hz // 20)
    np.testing.assert_allclose(back[: len(pcm)][inner], pcm[inner], atol=2)


def test_blocks_are_bounded(tmp_path: Path):
    path = tmp_path / "x.wav"
    soundfile.write(path, noise(100_000), 16000)
    with AudioReader(path) as reader:
        assert max(len(block) for block in reader.blocks()) == 16000
