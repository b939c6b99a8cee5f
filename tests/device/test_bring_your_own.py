"""A model of one's own, by README's commands: from folders of sound to a verdict on a board."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from kit.cli import main
from kit.mixtures.corpus import SAMPLE_RATE_HZ, is_held_out

VOWELS_HZ = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480))
SPEAKERS, RECORDING_S = 6, 12.0


def syllable(rng: np.random.Generator, pitch_hz: float, seconds: float) -> np.ndarray:
    """One vowel of a gliding voice, shape (samples,), about +-1."""
    n = round(seconds * SAMPLE_RATE_HZ)
    pitch = pitch_hz * np.linspace(1.0, rng.uniform(0.85, 1.15), n)
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE_HZ
    formants = VOWELS_HZ[rng.integers(len(VOWELS_HZ))]
    voice = np.zeros(n)
    for harmonic in range(1, int(7000 / pitch_hz)):
        frequency = harmonic * pitch_hz
        level = sum(1 / (1 + ((frequency - formant) / 120) ** 2) for formant in formants)
        voice += (level + 0.02) * np.sin(harmonic * phase)
    return voice / np.max(np.abs(voice)) * np.hanning(n)


def voice_recording(rng: np.random.Generator, pitch_hz: float) -> np.ndarray:
    """Syllables and pauses, shape (samples,)."""
    pieces, seconds = [], 0.0
    while seconds < RECORDING_S:
        length, pause = rng.uniform(0.12, 0.35), rng.choice([0.03, 0.05, 0.4])
        pieces += [syllable(rng, pitch_hz, length), np.zeros(round(pause * SAMPLE_RATE_HZ))]
        seconds += length + pause
    return 0.3 * np.concatenate(pieces)


def noise_recording(rng: np.random.Generator, colour: float) -> np.ndarray:
    """Noise whose spectrum falls with frequency to the power `colour`, shape (samples,)."""
    spectrum = np.fft.rfft(rng.standard_normal(round(RECORDING_S * SAMPLE_RATE_HZ)))
    shaped = np.fft.irfft(spectrum / (1.0 + np.arange(len(spectrum)) / 1000.0) ** colour)
    return 0.2 * shaped / np.max(np.abs(shaped))


def names(kind: str) -> list[str]:
    """SPEAKERS names, of which the split by name holds out one for validation."""
    candidates = [f"{kind}{number}" for number in range(1000)]
    held_out = next(name for name in candidates if is_held_out(name))
    return [held_out, *[name for name in candidates if not is_held_out(name)][: SPEAKERS - 1]]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders `speech` and `noise` of generated recordings."""
    root = tmp_path_factory.mktemp("own sound")
    rng = np.random.default_rng(11)
    for folder in ("speech", "noise"):
        (root / folder).mkdir()
    for number, (speaker, noise) in enumerate(zip(names("voice"), names("noise"), strict=True)):
        speech = voice_recording(rng, 95.0 + 25.0 * number)
        soundfile.write(root / "speech" / f"{speaker}.flac", speech, SAMPLE_RATE_HZ)
        sound = noise_recording(rng, 0.3 * number)
        soundfile.write(root / "noise" / f"{noise}.wav", sound, SAMPLE_RATE_HZ)
    return root


def percepnet(*words: object) -> None:
    """Run a command of the kit, which must succeed."""
    assert main([str(word) for word in words]) == 0, words


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_model_of_ones_own_gets_from_sound_to_a_verdict_on_a_board(folders: Path, tmp_path: Path):
    sound = ("--speech", folders / "speech", "--noise", folders / "noise")
    cache, out, scores = tmp_path / "cache", tmp_path / "mine", tmp_path / "scores.json"
    length = ("--shards", 2, "--updates", 250, "--count", 8)
    percepnet("train", *sound, "--cache", cache, *length, "--out", out)
    model = out / "tiny.tflite"
    percepnet(
        "evaluate", *sound, "--cache", cache, "--count", 8, "--model", model, "--json", scores
    )
    percepnet("run", "--target", "mps3_an547", "--model", model)
    rows = json.loads(scores.read_text())["summary"]
    gain = {row["system"]: row["pesq_gain"] for row in rows if row["group"] == "all"}
    assert gain["tiny, 8-bit"] > 0.05, gain
