"""Sound for training: speech, noise and room responses found in folders, decoded once, with
speakers held out.

Any file that libsndfile reads is taken. A manifest, `clips.csv` in the folder or in the one above
or any .csv in the place of a folder, may cut files into clips and add what a file cannot tell:
speaker, bandwidth, the recording's own signal-to-noise ratio, licence.
"""

import csv
import dataclasses
import hashlib
import math
import os
import pathlib
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import scipy.fft
import soundfile
import soxr

from kit import process
from kit.errors import KitError
from kit.files import atomic_output

SAMPLE_RATE_HZ = 48000
SUFFIXES = (
    ".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aiff", ".aif", ".aifc", ".au", ".snd",
    ".caf", ".w64", ".rf64", ".sph", ".voc",
)  # fmt: skip
MANIFEST_HINT = (
    "columns: file, start_s, duration_s, speaker, bandwidth_hz, snr_db, source, licence; "
    "all but `file` may be missing or empty"
)
# Speech whose own background is louder is no target.
LEAST_SNR_DB = 15.0
HELD_OUT_PERCENT = 8
# Never trained on: the demo and the tests use a little of each, and all three are CC0.
HELD_OUT_SPEAKERS = ("kathleen",)
HELD_OUT_NOISES = ("noisekun-rain", "noisekun-fire")
# Files below this many seconds are single events (a key, a click): all of one source make one
# noise.
EVENT_S = 1.5
# Files without a manifest are cut into clips of at most this many seconds.
CLIP_S = 15.0

GATE_WINDOW = 1024
GATE_FLOOR = 0.12
GATE_OVERSUBTRACTION = 3.0


@dataclasses.dataclass(frozen=True)
class Clip:
    """A stretch of one file: samples [start, start + length) at 48 kHz."""

    path: pathlib.Path
    start: int
    length: int
    bandwidth_hz: float
    label: str  # speaker or class of noise
    source: str
    licence: str
    snr_db: float | None = None  # of the recording itself, where a manifest tells


@dataclasses.dataclass(frozen=True)
class Row:
    """A line of a manifest; `place` says which."""

    place: str
    values: dict[str, str]

    def text(self, *names: str) -> str:
        """The first of these columns that says something, or nothing."""
        return next((value for name in names if (value := self.values.get(name))), "")

    def number(self, *names: str) -> float | None:
        """The same as a number that is not negative; None for nothing. Raises KitError."""
        text = self.text(*names)
        try:
            value = float(text or 0.0)
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or (value < 0.0 and names != ("snr_db",)):
            raise KitError(f"{self.place}: `{names[0]}` is `{text}`, no fit number", MANIFEST_HINT)
        return value if text else None


@dataclasses.dataclass(frozen=True)
class Voice:
    """All clips of one speaker, or one kind of noise."""

    label: str
    clips: tuple[Clip, ...]

    @property
    def seconds(self) -> float:
        """Length of all clips together."""
        return sum(clip.length for clip in self.clips) / SAMPLE_RATE_HZ


@dataclasses.dataclass(frozen=True)
class Folders:
    """Where the sound lies. `rooms` may be None; `cache` receives decoded audio and may be deleted
    at any time.
    """

    speech: pathlib.Path
    noise: pathlib.Path
    rooms: pathlib.Path | None
    cache: pathlib.Path


@dataclasses.dataclass(frozen=True)
class Corpus:
    """One side of the split: speakers, noises and rooms to mix from."""

    speakers: tuple[Voice, ...]
    noises: tuple[Voice, ...]
    rooms: tuple[pathlib.Path, ...]
    cache: pathlib.Path

    def samples(self, clip: Clip, offset: int, count: int) -> np.ndarray:
        """Return `count` samples of the clip from `offset` on, or all that are left, as float32 in
        +-1.
        """
        decoded = np.load(_decoded_path(self.cache, clip.path), mmap_mode="r")
        stop = clip.start + min(clip.length, offset + count)
        return decoded[clip.start + offset : stop].astype(np.float32) / 32768.0

    def room(self, path: pathlib.Path) -> np.ndarray:
        """Return a room response as float32 that starts at its direct sound, of unit energy in the
        first 20 ms.
        """
        response = np.load(_decoded_path(self.cache, path)).astype(np.float32)
        response = response[max(0, int(np.argmax(np.abs(response))) - SAMPLE_RATE_HZ // 1000) :]
        return response / np.sqrt(np.sum(response[: SAMPLE_RATE_HZ // 50] ** 2) + 1e-12)


def is_held_out(name: str) -> bool:
    """Tell whether a speaker or noise of this name serves validation only: a fixed rule, the same
    everywhere.
    """
    digest = hashlib.sha256(_as_bytes(name)).digest()
    return int.from_bytes(digest[:4], "little") % 100 < HELD_OUT_PERCENT


def _as_bytes(name: str) -> bytes:
    """A name as the file system has it, which need not be text."""
    return name.encode(errors="surrogateescape")


def load(
    folders: Folders, held_out: bool, tick: Callable[[int, int], None] | None = None
) -> Corpus:
    """Find and decode the sound of one side of the split.

    held_out: True gives the validation side, False the training side.
    tick: called with (files done, files in all) while files not in the cache yet are decoded.
    Raises KitError if a folder is missing, empty, or leaves nothing on this side of the split.
    """
    speech = [clip for clip in _clips(folders.speech) if _is_target(clip)]
    noise = _clips(folders.noise)
    rooms = _files_and_rows(folders.rooms)[0] if folders.rooms else []
    _decode_missing(folders.cache, speech, noise, rooms, tick)
    speakers = [v for v in _group(speech, _speaker_of) if _speaker_held_out(v.label) == held_out]
    noises = [v for v in _group(noise, _noise_of) if _noise_held_out(v.label) == held_out]
    if not speakers or not noises:
        side = "validation" if held_out else "training"
        raise KitError(
            f"no {'speaker' if not speakers else 'noise'} is left for {side}",
            "the split is by name: add more speakers and noise files",
        )
    # One room in eight is held out; a corpus without rooms is fine, synthetic ones remain.
    kept = [path for i, path in enumerate(rooms) if (i % 8 == 3) == held_out]
    return Corpus(tuple(speakers), tuple(noises), tuple(kept), folders.cache)


def _is_target(clip: Clip) -> bool:
    return clip.snr_db is None or clip.snr_db >= LEAST_SNR_DB


def _speaker_of(clip: Clip) -> str:
    return clip.label


def _noise_of(clip: Clip) -> str:
    is_event = clip.start == 0 and clip.length < EVENT_S * SAMPLE_RATE_HZ
    return f"{clip.source} events" if is_event else clip.path.stem


def _speaker_held_out(label: str) -> bool:
    return label in HELD_OUT_SPEAKERS or is_held_out(label)


def _noise_held_out(label: str) -> bool:
    return any(name in label for name in HELD_OUT_NOISES) or is_held_out(label)


def _group(clips: Iterable[Clip], key: Callable[[Clip], str]) -> list[Voice]:
    groups: dict[str, list[Clip]] = {}
    for clip in clips:
        groups.setdefault(key(clip), []).append(clip)
    return [Voice(label, tuple(members)) for label, members in sorted(groups.items())]


def _audio_files(folder: pathlib.Path) -> list[pathlib.Path]:
    if not folder.is_dir():
        raise KitError(
            f"no such folder: {folder}", "name a folder with audio files in it, or a manifest"
        )
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
    if not files:
        raise KitError(
            f"no audio files under {folder}", f"files must end in one of {' '.join(SUFFIXES)}"
        )
    return files


def _files_and_rows(
    source: pathlib.Path,
) -> tuple[list[pathlib.Path], dict[pathlib.Path, list[Row]]]:
    """Audio files of a folder or a manifest, and the manifest's rows by the file they describe.

    A folder may have a manifest `clips.csv` in it or beside it, and files that it does not tell of.
    """
    if source.suffix.lower() == ".csv":
        described = _read_manifest(source)
        for path in described:
            if not path.is_file():
                raise KitError(f"{source}: no such file: {path}", "paths begin at the manifest")
        return sorted(described), described
    files = _audio_files(source)
    manifests = (base / "clips.csv" for base in (source, source.parent))
    found = next((path for path in manifests if path.is_file()), None)
    return files, _read_manifest(found) if found else {}


def _read_manifest(path: pathlib.Path) -> dict[pathlib.Path, list[Row]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            if "file" not in (reader.fieldnames or []):
                raise KitError(f"{path} has no column `file`", MANIFEST_HINT)
            rows: dict[pathlib.Path, list[Row]] = {}
            for row in reader:
                name = (path.parent / row["file"]).resolve()
                rows.setdefault(name, []).append(Row(f"{path}, line {reader.line_num}", row))
            return rows
    except (OSError, UnicodeError, csv.Error) as error:
        raise KitError(f"cannot read the manifest {path}: {error}", MANIFEST_HINT) from error


def _clips(source: pathlib.Path) -> list[Clip]:
    files, rows = _files_and_rows(source)
    clips: list[Clip] = []
    for path in files:
        described = rows.get(path.resolve())
        if described:
            clips.extend(_clip_of_row(path, row) for row in described)
        else:
            clips.extend(_clips_of_file(path, source))
    return [clip for clip in clips if clip.length >= SAMPLE_RATE_HZ // 20]


def _clip_of_row(path: pathlib.Path, row: Row) -> Clip:
    start = round((row.number("start_s", "start") or 0.0) * SAMPLE_RATE_HZ)
    seconds = row.number("duration_s", "duration")
    length = _samples_of(path) - start if seconds is None else round(seconds * SAMPLE_RATE_HZ)
    return Clip(
        path=path,
        start=start,
        length=length,
        bandwidth_hz=row.number("bandwidth_hz") or SAMPLE_RATE_HZ / 2,
        label=row.text("speaker_or_class", "speaker", "class", "speaker_id") or path.stem,
        source=row.text("source") or path.parent.name,
        licence=row.text("licence"),
        snr_db=row.number("snr_db"),
    )


def _samples_of(path: pathlib.Path) -> int:
    """Length of a file at 48 kHz."""
    info = _info(path)
    return int(info.frames * SAMPLE_RATE_HZ / info.samplerate)


def _info(path: pathlib.Path):  # noqa: ANN202 - soundfile does not export the type
    try:
        return soundfile.info(os.fsencode(path))
    except soundfile.LibsndfileError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: pathlib.Path, error: Exception) -> KitError:
    return KitError(f"cannot read {path}: {error}", "remove the file or convert it to FLAC")


def _clips_of_file(path: pathlib.Path, folder: pathlib.Path) -> list[Clip]:
    """A file without a manifest: its sub-folder names the speaker, or the file itself where there
    is none.
    """
    total = _samples_of(path)
    step = round(CLIP_S * SAMPLE_RATE_HZ)
    label = path.parent.name if path.parent != folder else path.stem
    bandwidth = min(_info(path).samplerate, SAMPLE_RATE_HZ) / 2
    return [
        Clip(path, start, min(step, total - start), bandwidth, label, path.parent.name, "")
        for start in range(0, total, step)
    ]


def _decoded_path(cache: pathlib.Path, path: pathlib.Path) -> pathlib.Path:
    stat = path.stat()
    seen = f"{path.resolve()}:{stat.st_size}:{stat.st_mtime_ns}"
    key = hashlib.sha256(_as_bytes(seen)).hexdigest()
    return cache / "audio" / f"{key[:20]}.npy"


def _decode_missing(
    cache: pathlib.Path,
    speech: Sequence[Clip],
    noise: Sequence[Clip],
    rooms: Sequence[pathlib.Path],
    tick: Callable[[int, int], None] | None,
) -> None:
    (cache / "audio").mkdir(parents=True, exist_ok=True)
    spans: dict[pathlib.Path, list[tuple[int, int]]] = {path: [] for path in rooms}
    for clip in noise:
        spans.setdefault(clip.path, [])
    for clip in speech:
        spans.setdefault(clip.path, []).append((clip.start, clip.length))
    jobs = [
        (p, _decoded_path(cache, p), s)
        for p, s in spans.items()
        if not _decoded_path(cache, p).exists()
    ]
    if not jobs:
        return
    with process.pool() as pool:
        for done, _ in enumerate(pool.imap_unordered(_decode, jobs, chunksize=4), start=1):
            if tick:
                tick(done, len(jobs))


def _decode(job: tuple[pathlib.Path, pathlib.Path, list[tuple[int, int]]]) -> None:
    """Decode one file to mono int16 at 48 kHz; `spans` are its clips of speech, whose background is
    gated.
    """
    path, out, spans = job
    try:
        samples, rate = soundfile.read(os.fsencode(path), dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise _unreadable(path, error) from error
    mono = samples.mean(axis=1)
    if rate != SAMPLE_RATE_HZ:
        mono = soxr.resample(mono, rate, SAMPLE_RATE_HZ)
    for start, length in spans:
        if start >= len(mono):
            seconds = (start / SAMPLE_RATE_HZ, len(mono) / SAMPLE_RATE_HZ)
            raise KitError(
                "a clip of {} starts at {:g} s, after its end at {:g} s".format(path, *seconds),
                "correct the manifest",
            )
        mono[start : start + length] = gate_background(mono[start : start + length])
    with atomic_output(out) as temporary, temporary.open("wb") as file:
        np.save(file, np.clip(np.rint(mono * 32768.0), -32768, 32767).astype(np.int16))


def gate_background(speech: np.ndarray) -> np.ndarray:
    """Lower the stationary background of a recording of speech, so that targets are cleaner than
    recordings are.

    speech: float32, shape (n,). Returns the same shape. The background of a group of bins is its
    10th percentile over time, and never more than 18 dB below the group's loud frames, so that a
    clip without pauses passes unharmed.
    """
    hop = GATE_WINDOW // 2
    if len(speech) < 8 * hop:
        return speech
    frames = -(-len(speech) // hop) + 1
    padded = np.zeros((frames + 1) * hop, np.float32)
    padded[hop : hop + len(speech)] = speech
    window = np.sin(np.pi * (np.arange(GATE_WINDOW, dtype=np.float32) + 0.5) / GATE_WINDOW)
    blocks = np.lib.stride_tricks.sliding_window_view(padded, GATE_WINDOW)[::hop]
    spectrum = scipy.fft.rfft(blocks * window, axis=1)
    power = np.abs(spectrum[:, :-1]) ** 2
    groups = power.reshape(len(power), -1, 8).mean(axis=2)
    groups[1:-1] = 0.25 * groups[:-2] + 0.5 * groups[1:-1] + 0.25 * groups[2:]
    floor = np.minimum(np.percentile(groups, 10, axis=0), np.percentile(groups, 95, axis=0) / 64.0)
    kept = 1.0 - GATE_OVERSUBTRACTION * floor / (groups + 1e-12)
    gains = np.sqrt(np.maximum(kept, GATE_FLOOR**2)).astype(np.float32)
    spectrum[:, :-1] *= np.repeat(gains, 8, axis=1)
    pieces = scipy.fft.irfft(spectrum, n=GATE_WINDOW, axis=1) * window
    out = np.zeros_like(padded)
    out[: len(pieces) * hop] += pieces[:, :hop].ravel()
    out[hop : hop + len(pieces) * hop] += pieces[:, hop:].ravel()
    return out[hop : hop + len(speech)]
