"""A pair of signals from files: recorded as a pair, or mixed here."""

from pathlib import Path

import numpy as np
import soxr

from kit.audio import read_all, to_float, to_int16
from kit.denoiser import SAMPLE_RATE_HZ
from kit.errors import KitError
from kit.ladder.signals import Pair, behind_highpass
from kit.mixtures.mixing import active_rms

SHORTEST_S = 1.0
LONGEST_S = 30.0  # the PESQ package overruns its tables on long signals
_PEAK = 0.97


def read_pair(clean: Path, noisy: Path) -> Pair:
    """Read two files of one length. Raises KitError if they are not, or cannot be judged."""
    pair = Pair(noisy=to_int16(_read(noisy)), clean=to_int16(_read(clean)))
    if len(pair.noisy) != len(pair.clean):
        raise KitError(
            f"`{clean}` and `{noisy}` differ in length: {len(pair.clean)} and {len(pair.noisy)} "
            f"samples at {SAMPLE_RATE_HZ} Hz",
            hint="the noisy recording must be the clean one plus noise, sample by sample;\n"
            "or give --clean, --noise and --snr to have them mixed",
        )
    _check(clean, pair.clean)
    return pair


def mix_pair(clean: Path, noise: Path, snr_db: float) -> Pair:
    """Add noise, repeated as needed, to clean speech.

    snr_db: of the mixture, pauses of speech and noise left out. Raises KitError as `read_pair`.
    """
    speech, sound = _read(clean), _read(noise)
    _check(clean, to_int16(speech))
    noise_level = active_rms(sound)
    if noise_level == 0:
        raise KitError(f"`{noise}` is silent", hint="name a recording of noise")
    scale = active_rms(speech) / noise_level * 10 ** (-snr_db / 20)
    mixed = speech + scale * np.resize(sound, len(speech))
    quieter = min(1.0, _PEAK / np.abs(mixed).max())
    return Pair(noisy=to_int16(quieter * mixed), clean=to_int16(quieter * speech))


def _read(path: Path) -> np.ndarray:
    """A file as mono at 48 kHz, float in +-1, shape (n,)."""
    pcm, audio = read_all(path)
    mono = to_float(pcm).mean(axis=1)
    if audio.sample_rate_hz == SAMPLE_RATE_HZ:
        return mono
    return soxr.resample(mono, audio.sample_rate_hz, SAMPLE_RATE_HZ)


def _check(path: Path, clean: np.ndarray) -> None:
    if not np.any(behind_highpass(clean)):
        raise KitError(f"`{path}` is silent", hint="the clean recording must hold speech")
    seconds = len(clean) / SAMPLE_RATE_HZ
    if not SHORTEST_S <= seconds <= LONGEST_S:
        raise KitError(
            f"`{path}` lasts {seconds:.1f} s: PESQ judges {SHORTEST_S:.0f} to {LONGEST_S:.0f} s",
            hint="8 to 20 s of speech are best",
        )
