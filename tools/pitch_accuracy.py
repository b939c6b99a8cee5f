#!/usr/bin/env python3
"""For developers: the firmware's pitch tracker against librosa's pYIN on recordings of speech.

Example: python tools/pitch_accuracy.py --noise noise/street.opus speech/*.opus
"""

import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import click
import numpy as np
import soundfile

from kit import console, host
from kit.dsp.highpass import HighPass
from kit.dsp.pipeline import LOOKAHEAD_FRAMES
from kit.dsp.pitch import HISTORY, PERIOD_MAX, PERIOD_MIN
from kit.dsp.spectrum import HOP, SAMPLE_RATE
from kit.errors import KitError

SECONDS = 6
SPEECH_RMS = 0.1 * 32768
TOLERANCE = 0.03
SETTLING_FRAMES = 4


def read(path: str) -> np.ndarray:
    """The first seconds of a recording's first channel, float64."""
    samples, rate = soundfile.read(path, frames=SECONDS * SAMPLE_RATE, always_2d=True)
    if rate != SAMPLE_RATE:
        raise KitError(f"{path} has {rate} Hz", hint=f"convert it to {SAMPLE_RATE} Hz")
    return samples[: len(samples) // HOP * HOP, 0]


def scaled(samples: np.ndarray, rms: float) -> np.ndarray:
    """Samples at a level; silence stays silence."""
    return samples * rms / max(float(np.sqrt(np.mean(samples**2))), 1e-9)


def reference(speech: np.ndarray, least_probability: float) -> np.ndarray:
    """pYIN's period at each frame's centre, 48 kHz samples; NaN where it is not sure of a voice."""
    import librosa

    rate = SAMPLE_RATE // 2
    f0_hz, _, probability = librosa.pyin(
        librosa.resample(speech / 32768, orig_sr=SAMPLE_RATE, target_sr=rate),
        fmin=SAMPLE_RATE / PERIOD_MAX,
        fmax=SAMPLE_RATE / PERIOD_MIN,
        sr=rate,
        frame_length=1024,
        hop_length=HOP // 2,
    )
    return np.where(probability > least_probability, SAMPLE_RATE / f0_hz, np.nan)


def periods(samples: np.ndarray) -> np.ndarray:
    """Period of each frame by the firmware's C code, from int16 LSB."""
    ffi, lib = host.load("pn_pitch.h")
    pcm = np.clip(np.rint(samples), -32768, 32767)
    highpassed_q8 = np.rint(256 * HighPass().process(pcm)).astype(np.int32)
    padded = np.concatenate([np.zeros(HISTORY - HOP, np.int32), highpassed_q8])
    tracker = ffi.new("pn_pitch_t *")
    lib.pn_pitch_init(tracker, lib.pn_rate_find(48000))
    estimates = [
        lib.pn_pitch_push(tracker, ffi.from_buffer("int32_t[]", padded[t * HOP :])).period
        for t in range(len(samples) // HOP)
    ]
    return np.array(estimates[LOOKAHEAD_FRAMES:], dtype=np.float64)


def conditions(
    speech: np.ndarray, noises: list[np.ndarray], clip: int, snr_db: float
) -> Iterator[tuple[str, np.ndarray]]:
    """The speech alone, in white noise, and in one of the recorded noises."""
    noise_rms = SPEECH_RMS * 10 ** (-snr_db / 20)
    yield "clean", speech
    white = np.random.default_rng(clip).normal(size=len(speech))
    yield f"white noise, {snr_db:g} dB", speech + scaled(white, noise_rms)
    if noises:
        noise = np.resize(noises[clip % len(noises)], len(speech))
        yield f"recorded noise, {snr_db:g} dB", speech + scaled(noise, noise_rms)


@click.command()
@click.argument("speech", nargs=-1, required=True, type=click.Path(exists=True))
@click.option("--noise", multiple=True, type=click.Path(exists=True), help="48 kHz; repeatable.")
@click.option("--snr", "snr_db", default=10.0, show_default=True, help="Of both noises, in dB.")
@click.option("--sure", default=0.3, show_default=True, help="pYIN's least voicing probability.")
def main(speech: tuple[str, ...], noise: tuple[str, ...], snr_db: float, sure: float) -> None:
    """Print the share of voiced frames within 3 % of pYIN's pitch of the clean speech."""
    noises = [read(path) for path in noise]
    ratios: dict[str, list[np.ndarray]] = {}
    with console.progress("clips", len(speech)) as bar:
        for clip, path in enumerate(speech):
            clean = scaled(read(path), SPEECH_RMS)
            expected = reference(clean, sure)
            for name, samples in conditions(clean, noises, clip, snr_db):
                found = periods(samples)
                ratio = (found / expected[: len(found)])[SETTLING_FRAMES:]
                ratios.setdefault(name, []).append(ratio[np.isfinite(ratio)])
            bar.advance(bar.task_ids[0])
    rows = []
    for name, parts in ratios.items():
        ratio = np.concatenate(parts)
        shares = (np.abs(ratio - 1) < TOLERANCE, ratio > 1.25, ratio < 0.8)
        rows.append([name, len(ratio), *(f"{100 * share.mean():.2f}" for share in shares)])
    console.table(["signal", "frames", "right %", "too long %", "too short %"], rows)


if __name__ == "__main__":
    main()
