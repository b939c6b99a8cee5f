"""What systems are scored on: mixtures, clean speech at several levels, or a user's own pairs."""

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from kit.audio import Resampler, read_all
from kit.denoiser import SAMPLE_RATE_HZ
from kit.errors import KitError
from kit.mixtures.corpus import SUFFIXES, Corpus
from kit.mixtures.mixing import VALIDATION, Mixer, Mixture

EVERYTHING = "all"
REVERBERANT = "reverberant"
CLEAN_LEVELS_DBFS = (-50.0, -25.0, -3.0)


@dataclasses.dataclass(frozen=True)
class Case:
    """A recording to clean and what it should become, int16 (n,) at 48 kHz, time-aligned.

    groups: the lines of the summary that it counts in. name: for lists of recordings.
    """

    noisy: np.ndarray
    clean: np.ndarray
    groups: tuple[str, ...]
    name: str = ""


def mixture_case(mixture: Mixture, name: str = "") -> Case:
    """Group a mixture by its ratio and its room."""
    groups = [EVERYTHING, f"{mixture.snr_db:g} dB"]
    if mixture.reverberant:
        groups.append(REVERBERANT)
    return Case(mixture.noisy, mixture.clean, tuple(groups), name)


def mixtures(
    corpus: Corpus, seed: int, count: int, snr_db: Sequence[float] = VALIDATION.snr_db
) -> Iterator[Case]:
    """Mixtures of 8 s at these ratios, a fifth of them in rooms."""
    mixer = Mixer(corpus, dataclasses.replace(VALIDATION, snr_db=tuple(snr_db)), seed)
    return (mixture_case(mixer.render(i), f"mixture {i}") for i in range(count))


def clean_group(level_dbfs: float) -> str:
    """The summary's name for clean speech whose peak, or loudness, is at a level."""
    return f"clean, {level_dbfs:g} dBFS"


def clean_speech(corpus: Corpus, seed: int, count: int) -> Iterator[Case]:
    """Speech without noise, each recording at every level: it should come out as it went in."""
    recipe = dataclasses.replace(VALIDATION, clean_share=1.0, room_share=0.0)
    mixer = Mixer(corpus, recipe, seed)
    for i in range(count):
        speech = mixer.render(i).clean
        for level in CLEAN_LEVELS_DBFS:
            pcm = at_level(speech, level)
            yield Case(pcm, pcm, (clean_group(level),), f"clean {i}, {level:g} dBFS")


def at_level(pcm: np.ndarray, level_dbfs: float) -> np.ndarray:
    """Bring int16 sound to an RMS level, or as near as its peak allows without clipping."""
    samples = pcm.astype(np.float64)
    peak, rms = np.abs(samples).max(), np.sqrt(np.mean(samples**2))
    if peak == 0.0:
        return pcm
    factor = min(32768.0 * 10.0 ** (level_dbfs / 20.0) / rms, 32767.0 / peak)
    return np.rint(samples * factor).astype(np.int16)


def pairs(folder: Path) -> list[tuple[Path, Path]]:
    """The files of FOLDER/noisy with those of FOLDER/clean that bear their names.

    Raises KitError when a folder is missing or empty, or a file has no other half.
    """
    halves = [_by_name(folder / side) for side in ("noisy", "clean")]
    if lonely := sorted(halves[0].keys() ^ halves[1].keys()):
        raise KitError(
            f"{folder}: `{lonely[0]}` is in one of `noisy` and `clean` only",
            "each recording is there twice, under one name",
        )
    return [(halves[0][name], halves[1][name]) for name in sorted(halves[0])]


def _by_name(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise KitError(f"no such folder: {folder}", "pairs lie in two folders, `noisy` and `clean`")
    files = {p.stem: p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES}
    if not files:
        raise KitError(f"no audio files in {folder}", f"they end in one of {' '.join(SUFFIXES)}")
    return files


def pair_cases(files: Sequence[tuple[Path, Path]]) -> Iterator[Case]:
    """Read pairs of files, cut to the shorter one."""
    for noisy_path, clean_path in files:
        noisy, clean = (_first_channel(path) for path in (noisy_path, clean_path))
        length = min(len(noisy), len(clean))
        yield Case(noisy[:length], clean[:length], (EVERYTHING,), noisy_path.stem)


def _first_channel(path: Path) -> np.ndarray:
    pcm, form = read_all(path)
    resampler = Resampler(form.sample_rate_hz, SAMPLE_RATE_HZ, 1)
    return resampler.push(np.ascontiguousarray(pcm[:, :1]), last=True)[:, 0]
