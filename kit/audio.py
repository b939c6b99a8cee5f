"""Audio files and streams: reading with clear errors, writing atomically, resampling in blocks.

Everything inside is 16-bit: files of other depths are rounded to 16 bits when read and widened when
written, so that a recording gives the same bits whichever machine denoises it.
"""

import contextlib
import dataclasses
import os
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
import soxr

from kit.errors import KitError
from kit.files import atomic_output, write_error

CONTAINERS = {".wav": "WAV", ".flac": "FLAC"}
KEPT_SUBTYPES = frozenset({"PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"})
FLOAT_SUBTYPES = frozenset({"FLOAT", "DOUBLE"})
BLOCK_SECONDS = 1
_SYSTEM_ERROR = 2  # libsndfile's code for what the operating system refused
_UNKNOWN_LENGTH = 0x7FFFF000  # programs that write WAV to a pipe leave a length at or above this


@dataclasses.dataclass(frozen=True)
class AudioFormat:
    """What an output needs to know to look like its input."""

    sample_rate_hz: int
    channels: int
    subtype: str
    frames: int

    @property
    def seconds(self) -> float:
        """Duration in seconds."""
        return self.frames / self.sample_rate_hz


def to_int16(samples: np.ndarray) -> np.ndarray:
    """Round float samples (full scale 1.0, any shape) to int16, saturating."""
    scaled = np.rint(np.asarray(samples, dtype=np.float64) * 32768.0)
    return np.clip(scaled, -32768, 32767).astype(np.int16)


def to_float(samples: np.ndarray) -> np.ndarray:
    """int16 samples as float32 with full scale 1.0 (exact)."""
    return samples.astype(np.float32) / np.float32(32768.0)


class AudioReader:
    """A sound file read in blocks of int16, shape (frames, channels); a context manager.

    Raises KitError for a file that is missing, empty, truncated, not audio, or holds NaN or
    infinity.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        _check_input_path(self.path)
        _check_riff_is_complete(self.path)
        try:
            self._file = soundfile.SoundFile(os.fsencode(self.path))
        except soundfile.LibsndfileError as error:
            raise KitError(
                f"`{self.path}` is not a sound file that can be read: {error.error_string}",
                hint="WAV and FLAC files of any rate and channel count work; "
                "raw streams go through `-` (./tools/percepnet denoise --help)",
            ) from error
        if self._file.frames <= 0:
            self._file.close()
            raise KitError(f"`{self.path}` holds no samples", hint="record at least one sample")
        self.format = AudioFormat(
            self._file.samplerate, self._file.channels, self._file.subtype, self._file.frames
        )

    def __enter__(self) -> "AudioReader":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def blocks(self, block_seconds: float = BLOCK_SECONDS) -> Iterator[np.ndarray]:
        """Yield int16 blocks of shape (n, channels), about `block_seconds` each, to the end."""
        size = max(1, int(block_seconds * self.format.sample_rate_hz))
        position = 0
        while position < self.format.frames:
            block = self._read(min(size, self.format.frames - position), position)
            position += len(block)
            yield block

    def _read(self, count: int, position: int) -> np.ndarray:
        exact = self.format.subtype in ("PCM_16", "PCM_S8", "PCM_U8")
        try:
            block = self._file.read(count, dtype="int16" if exact else "float64", always_2d=True)
        except soundfile.LibsndfileError as error:
            raise self._damaged(position, error.error_string) from error
        if len(block) < count:
            raise self._damaged(position + len(block), "the file ends early")
        if exact:
            return block
        self._check_finite(block, position)
        return to_int16(block)

    def _damaged(self, position: int, reason: str) -> KitError:
        at_s = position / self.format.sample_rate_hz
        return KitError(
            f"`{self.path}` is truncated or damaged at {at_s:.3f} s of "
            f"{self.format.seconds:.3f} s: {reason}",
            hint="copy or record the file again",
        )

    def _check_finite(self, block: np.ndarray, position: int) -> None:
        bad = np.argwhere(~np.isfinite(block))
        if len(bad):
            frame, channel = bad[0]
            at_s = (position + frame) / self.format.sample_rate_hz
            raise KitError(
                f"`{self.path}` holds {block[frame, channel]} in channel {channel + 1} "
                f"at {at_s:.3f} s (sample {position + frame})",
                hint="export the recording again, as 16-bit or 24-bit PCM",
            )


class AudioWriter:
    """A WAV or FLAC file written block by block; a context manager.

    Nothing appears under `path` before a clean exit: on an error or an interruption a file that
    was there before stays as it was.
    """

    def __init__(self, path: Path | str, like: AudioFormat) -> None:
        self.path = Path(path)
        container = container_of(self.path)
        fits = like.subtype in KEPT_SUBTYPES and soundfile.check_format(container, like.subtype)
        self.subtype = like.subtype if fits else "PCM_16"
        self._stack = contextlib.ExitStack()
        self._temporary = os.fsencode(self._stack.enter_context(atomic_output(self.path)))
        self._written = 0
        try:
            self._file = soundfile.SoundFile(
                self._temporary,
                "w",
                like.sample_rate_hz,
                like.channels,
                self.subtype,
                format=container,
            )
        except soundfile.LibsndfileError as error:
            self._stack.__exit__(type(error), error, error.__traceback__)
            if error.code == _SYSTEM_ERROR:
                raise write_error(self.path, error.error_string) from error
            raise KitError(
                f"{container} cannot hold {like.channels} channels at {like.sample_rate_hz} Hz",
                hint="write a .wav file",
            ) from error

    def __enter__(self) -> "AudioWriter":
        return self

    def write(self, block: np.ndarray) -> None:
        """Append int16 samples of shape (n, channels)."""
        with self._disk_errors():
            self._file.write(to_float(block) if self.subtype in FLOAT_SUBTYPES else block)
        self._written += len(block)

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        try:
            with self._disk_errors():
                self._file.close()
                self._check_length()
        except KitError as failed:
            if error is None:
                self._stack.__exit__(type(failed), failed, failed.__traceback__)
                raise
        self._stack.__exit__(kind, error, trace)

    def _check_length(self) -> None:
        """libsndfile says nothing of a last block of FLAC that the disk did not take."""
        with soundfile.SoundFile(self._temporary) as file:
            if file.frames != self._written:
                raise write_error(self.path, "short write")

    @contextlib.contextmanager
    def _disk_errors(self) -> Iterator[None]:
        """Word a failed write; soundfile reports a short one as an AssertionError."""
        try:
            yield
        except (soundfile.LibsndfileError, AssertionError) as error:
            raise write_error(self.path, getattr(error, "error_string", "short write")) from error


class Resampler:
    """Band-limited rate conversion of int16 blocks, shape (n, channels).

    All that `push` returns, joined, is aligned with the input. Equal rates copy exactly.
    """

    def __init__(self, from_hz: int, to_hz: int, channels: int) -> None:
        self._channels = channels
        self._stream = None
        if from_hz != to_hz:
            self._stream = soxr.ResampleStream(from_hz, to_hz, channels, "float32", "VHQ")

    def push(self, block: np.ndarray, last: bool = False) -> np.ndarray:
        """Convert the next block; `last` also returns what is still inside."""
        if self._stream is None:
            return block
        out = self._stream.resample_chunk(to_float(block), last=last)
        return to_int16(out.reshape(-1, self._channels))


def container_of(path: Path) -> str:
    """What soundfile calls the container that the file's suffix asks for; KitError for others."""
    try:
        return CONTAINERS[path.suffix.lower()]
    except KeyError:
        raise KitError(
            f"cannot tell the format of `{path}` from its name",
            hint="end the output's name in .wav or .flac, or write `-` for a raw stream",
        ) from None


def read_all(path: Path | str) -> tuple[np.ndarray, AudioFormat]:
    """A whole file as int16, shape (frames, channels), with its format. KitError as AudioReader."""
    with AudioReader(path) as reader:
        return np.concatenate(list(reader.blocks(60))), reader.format


def _check_input_path(path: Path) -> None:
    if not path.exists():
        raise KitError(f"no such file: `{path}`", hint="check the name and the folder")
    if path.is_dir():
        raise KitError(f"`{path}` is a folder, not a sound file", hint="name a WAV or FLAC file")
    if not os.access(path, os.R_OK):
        raise KitError(f"`{path}` cannot be read: permission denied", hint=f"chmod u+r {path}")
    if path.stat().st_size == 0:
        raise KitError(f"`{path}` is empty (0 bytes)", hint="record or copy the file again")


def _check_riff_is_complete(path: Path) -> None:
    """Raise KitError if a WAV file holds less than its header promises: libsndfile reads on."""
    size = path.stat().st_size
    with path.open("rb") as file:
        header = file.read(12)
        if len(header) < 12 or header[:4] != b"RIFF" or header[8:] != b"WAVE":
            return
        while len(chunk := file.read(8)) == 8:
            name, length = struct.unpack("<4sI", chunk)
            held = size - file.tell()
            if name == b"data":
                if held < length < _UNKNOWN_LENGTH:
                    raise KitError(
                        f"`{path}` is truncated: its header promises {length} bytes of sound, "
                        f"the file holds {held}",
                        hint="copy or record the file again",
                    )
                return
            file.seek(length + length % 2, os.SEEK_CUR)
