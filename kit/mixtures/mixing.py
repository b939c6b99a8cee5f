"""Mixtures: noisy speech and the clean target, drawn anew from a seed and a number, the same on
every run.

A mixture is a sequence of one speaker's clips, in a room or not, plus one to three noises, at a
drawn ratio, level and bandwidth. What the microphone would not hear without noise and late
reverberation is the target.
"""

import dataclasses

import numpy as np
import scipy.signal
import soxr

from kit.mixtures.corpus import SAMPLE_RATE_HZ, Clip, Corpus, Voice

EARLY_S = 0.020
TARGET_T60_S = 0.2
# Below this a recording is narrow: it teaches nothing about the upper bands, so it is drawn less
# often.
NARROW_HZ = 10000.0
_FULL_BAND_HZ = SAMPLE_RATE_HZ / 2


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What to draw mixtures from. Ratios are in dB, shares are probabilities 0..1, levels dBFS of
    active speech.
    """

    seconds: float = 10.0
    snr_db: tuple[float, ...] = ()  # drawn from these; empty: as in training, -5..35 dB
    clean_share: float = 0.10
    noise_only_share: float = 0.05
    room_share: float = 0.33
    level_db: tuple[float, float] | None = None  # uniform in this range; None: as in training
    varied: bool = True  # filters, band limits, changes of pitch and speed, clipping


TRAINING = Recipe()
VALIDATION = Recipe(
    seconds=8.0,
    snr_db=(0.0, 5.0, 10.0, 15.0),
    clean_share=0.0,
    noise_only_share=0.0,
    room_share=0.2,
    level_db=(-32.0, -20.0),
    varied=False,
)


@dataclasses.dataclass(frozen=True)
class Mixture:
    """One mixture: int16 at 48 kHz, shape (samples,), time-aligned."""

    noisy: np.ndarray
    clean: np.ndarray
    bandwidth_hz: float  # above it the target says nothing about speech: mask the loss there
    snr_db: float  # inf without noise, -inf without speech
    reverberant: bool


class Mixer:
    """Renders mixtures by number. The same corpus, recipe and seed give the same samples, in any
    order.
    """

    def __init__(self, corpus: Corpus, recipe: Recipe, seed: int) -> None:
        self._corpus = corpus
        self._recipe = recipe
        self._seed = seed
        self._speaker_odds = _odds(corpus.speakers, 0.7)
        self._noise_odds = _odds(corpus.noises, 0.5)

    def render(self, index: int) -> Mixture:
        """Render mixture number `index`."""
        rng = np.random.default_rng([self._seed, index])
        recipe = self._recipe
        n = round(recipe.seconds * SAMPLE_RATE_HZ)
        kind = rng.random()
        has_speech = kind >= recipe.noise_only_share
        has_noise = not has_speech or kind < 1.0 - recipe.clean_share
        speech = clean = np.zeros(n, np.float32)
        bandwidth, reverberant = _FULL_BAND_HZ, False
        if has_speech:
            speech, bandwidth = self._speech(rng, n)
            reverberant = rng.random() < recipe.room_share
            speech, clean = self._in_room(rng, speech) if reverberant else (speech, speech)
        snr_db = np.inf if not has_noise else self._snr(rng) if has_speech else -np.inf
        noise = self._noise(rng, n) if has_noise else np.zeros(n, np.float32)
        if has_noise and has_speech:
            noise *= active_rms(speech) / (active_rms(noise) + 1e-9) * 10.0 ** (-snr_db / 20.0)
        pair = np.stack([speech + noise, clean])
        if recipe.varied:
            pair, limit = _band_limit(rng, pair)
            bandwidth = min(bandwidth, limit)
        pair = self._levelled(rng, pair)
        return Mixture(
            _to_int16(pair[0]), _to_int16(pair[1]), bandwidth, float(snr_db), reverberant
        )

    def _snr(self, rng: np.random.Generator) -> float:
        if self._recipe.snr_db:
            return float(rng.choice(self._recipe.snr_db))
        return float(rng.uniform(-5.0, 20.0) if rng.random() < 0.8 else rng.uniform(20.0, 35.0))

    def _speech(self, rng: np.random.Generator, n: int) -> tuple[np.ndarray, float]:
        speaker = self._corpus.speakers[rng.choice(len(self._speaker_odds), p=self._speaker_odds)]
        speed = (
            float(rng.uniform(0.85, 1.15)) if self._recipe.varied and rng.random() < 0.6 else 1.0
        )
        speech, bandwidth = self._utterances(rng, speaker, n, speed)
        if self._recipe.varied:
            speech = _shelve(rng, _random_filter(rng, speech))
        return speech, min(_FULL_BAND_HZ, bandwidth * speed)

    def _utterances(
        self, rng: np.random.Generator, voice: Voice, n: int, speed: float
    ) -> tuple[np.ndarray, float]:
        """Clips of one speaker with pauses between; returns samples (n,) and the lowest bandwidth
        among them.
        """
        out = np.zeros(n, np.float32)
        long_pauses = rng.random() < 0.25
        at = int(rng.uniform(0.0, 0.8) * SAMPLE_RATE_HZ)
        bandwidth = _FULL_BAND_HZ
        while at < n - SAMPLE_RATE_HZ // 4:
            clip = voice.clips[rng.integers(len(voice.clips))]
            samples = self._excerpt(rng, clip, round((n - at) * speed))
            samples = resampled(samples, speed)[: n - at]
            samples *= 0.1 * 10.0 ** (rng.normal(0.0, 1.5) / 20.0) / (active_rms(samples) + 1e-6)
            out[at : at + len(samples)] = _faded(samples, 0.005)
            bandwidth = min(bandwidth, clip.bandwidth_hz)
            pause = rng.uniform(0.5, 2.0) if long_pauses else rng.uniform(0.0, 0.4)
            at += len(samples) + int(pause * SAMPLE_RATE_HZ)
        return out, bandwidth

    def _excerpt(self, rng: np.random.Generator, clip: Clip, wanted: int) -> np.ndarray:
        """At most `wanted` samples of a clip, from a random place in it."""
        offset = int(rng.integers(clip.length - wanted + 1)) if clip.length > wanted else 0
        return self._corpus.samples(clip, offset, wanted)

    def _in_room(
        self, rng: np.random.Generator, speech: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Speech as heard in a room, and its target: direct sound, early reflections, a tail that
        dies quickly.
        """
        rooms = self._corpus.rooms
        if rooms and rng.random() < 0.5:
            response = self._corpus.room(rooms[rng.integers(len(rooms))])[: 2 * SAMPLE_RATE_HZ]
        else:
            response = synthetic_room(rng)
        early = response * early_window(len(response))
        return tuple(
            scipy.signal.oaconvolve(speech, h.astype(np.float32))[: len(speech)].astype(np.float32)
            for h in (response, early)
        )

    def _noise(self, rng: np.random.Generator, n: int) -> np.ndarray:
        total = np.zeros(n, np.float32)
        for i in range(rng.choice([1, 2, 3], p=[0.6, 0.3, 0.1])):
            layer = self._noise_layer(rng, n)
            layer *= 0.1 / (active_rms(layer) + 1e-6)
            total += layer * (1.0 if i == 0 else 10.0 ** (rng.uniform(-12.0, 3.0) / 20.0))
        return total

    def _noise_layer(self, rng: np.random.Generator, n: int) -> np.ndarray:
        kind = rng.random()
        if kind < 0.68:
            layer = self._recorded_noise(rng, n)
        elif kind < 0.80:
            layer = coloured_noise(rng, n)
        elif kind < 0.84:
            layer = hum(rng, n)
        elif kind < 0.90:
            layer = fan(rng, n)
        else:
            layer = self._babble(rng, n)
        if self._recipe.varied:
            layer = _random_filter(rng, layer)
        return layer * _swell(rng, n) if rng.random() < 0.25 else layer

    def _recorded_noise(self, rng: np.random.Generator, n: int) -> np.ndarray:
        noise = self._corpus.noises[rng.choice(len(self._noise_odds), p=self._noise_odds)]
        speed = (
            float(np.exp(rng.uniform(-0.35, 0.35)))
            if self._recipe.varied and rng.random() < 0.5
            else 1.0
        )
        gap_s = (
            rng.uniform(0.02, 0.4)
            if noise.seconds < len(noise.clips) or rng.random() < 0.1
            else 0.0
        )
        out = np.zeros(n, np.float32)
        at = 0
        while at < n:
            clip = noise.clips[rng.integers(len(noise.clips))]
            samples = resampled(self._excerpt(rng, clip, round((n - at) * speed) + 1), speed)[
                : n - at
            ]
            out[at : at + len(samples)] += _faded(samples, 0.01)
            at += max(SAMPLE_RATE_HZ // 50, len(samples)) + int(
                gap_s * rng.exponential() * SAMPLE_RATE_HZ
            )
        return out

    def _babble(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """Three to eight speakers at once; fewer would be speech that nobody could tell from the
        wanted one.
        """
        total = np.zeros(n, np.float32)
        for _ in range(rng.integers(3, 9)):
            speaker = self._corpus.speakers[
                rng.choice(len(self._speaker_odds), p=self._speaker_odds)
            ]
            voice, _ = self._utterances(rng, speaker, n, float(rng.uniform(0.85, 1.15)))
            total += voice * np.float32(10.0 ** (rng.uniform(-6.0, 3.0) / 20.0))
        if rng.random() < 0.5:
            total = scipy.signal.oaconvolve(total, synthetic_room(rng))[:n].astype(np.float32)
        return total

    def _levelled(self, rng: np.random.Generator, pair: np.ndarray) -> np.ndarray:
        """Scale noisy and clean alike to the drawn level; a few mixtures may clip."""
        if self._recipe.level_db is not None:
            level_db = rng.uniform(*self._recipe.level_db)
        else:
            level_db = rng.normal(-27.0, 6.0) if rng.random() < 0.6 else rng.uniform(-55.0, -8.0)
        reference = active_rms(pair[1]) if np.any(pair[1]) else active_rms(pair[0])
        pair = pair * np.float32(
            10.0 ** (np.clip(level_db, -58.0, -5.0) / 20.0) / (reference + 1e-9)
        )
        peak = float(np.abs(pair).max())
        may_clip = self._recipe.varied and rng.random() < 0.2
        ceiling = 10.0 ** (rng.uniform(0.0, 6.0) / 20.0) if may_clip else 0.97
        return pair * np.float32(ceiling / peak) if peak > ceiling else pair


def _odds(voices: tuple[Voice, ...], power: float) -> np.ndarray:
    """Probability of each voice: more for long recordings, though less than in proportion; fewer
    narrow ones.
    """
    weights = [
        v.seconds**power * (0.6 if v.clips[0].bandwidth_hz < NARROW_HZ else 1.0) for v in voices
    ]
    return np.array(weights) / np.sum(weights)


def active_rms(samples: np.ndarray) -> float:
    """Root mean square of the 20 ms frames within 30 dB of the loudest; 0 for silence."""
    hop = SAMPLE_RATE_HZ // 50
    if len(samples) < hop:
        return float(np.sqrt(np.mean(samples**2))) if len(samples) else 0.0
    power = np.mean(samples[: len(samples) // hop * hop].reshape(-1, hop) ** 2, axis=1)
    return float(np.sqrt(np.mean(power[power >= power.max() * 1e-3])))


def resampled(samples: np.ndarray, speed: float) -> np.ndarray:
    """Play faster (above 1) or slower: pitch and formants move along."""
    if abs(speed - 1.0) < 1e-3 or len(samples) < 64:
        return samples.copy()
    return soxr.resample(samples, SAMPLE_RATE_HZ * speed, SAMPLE_RATE_HZ, quality="LQ")


def early_window(n: int) -> np.ndarray:
    """Weights of a room response that keep its first 20 ms and let the rest decay to a T60 of 200
    ms, shape (n,).
    """
    seconds = np.arange(n) / SAMPLE_RATE_HZ
    # Room responses start 1 ms before their direct sound.
    return 10.0 ** (-3.0 * np.maximum(0.0, seconds - EARLY_S - 0.001) / TARGET_T60_S)


def synthetic_room(rng: np.random.Generator) -> np.ndarray:
    """A made-up room response: direct sound, a few early reflections, a tail whose treble dies
    first.

    Returns float32; the direct sound is 1 ms in, as in recorded responses.
    """
    t60 = float(np.exp(rng.uniform(np.log(0.15), np.log(1.2))))
    n = int(min(1.2, t60) * SAMPLE_RATE_HZ)
    seconds = np.arange(n, dtype=np.float32) / SAMPLE_RATE_HZ
    tail = rng.standard_normal(n, dtype=np.float32) * 10.0 ** (-3.0 * seconds / t60)
    dark = scipy.signal.sosfilt(_lowpass(rng.uniform(2000.0, 6000.0), 1), tail)
    mix = np.exp(-seconds / (0.3 * t60))
    tail = mix * tail + (1.0 - mix) * dark
    onset = int(rng.uniform(0.002, 0.015) * SAMPLE_RATE_HZ)
    tail[:onset] = 0.0
    tail *= 10.0 ** (-rng.uniform(-4.0, 14.0) / 20.0) / np.sqrt(np.sum(tail**2) + 1e-12)
    direct = SAMPLE_RATE_HZ // 1000
    tail[: direct + 1] = 0.0
    tail[direct] = 1.0
    for _ in range(rng.integers(2, 9)):
        tail[direct + int(rng.uniform(0.001, 0.03) * SAMPLE_RATE_HZ)] += rng.uniform(-0.5, 0.5)
    return tail.astype(np.float32)


def coloured_noise(rng: np.random.Generator, n: int) -> np.ndarray:
    """Stationary noise with a random smooth spectrum, float32 (n,)."""
    white = rng.standard_normal(n, dtype=np.float32)
    slope = scipy.signal.sosfilt(
        _lowpass(np.exp(rng.uniform(np.log(80.0), np.log(12000.0))), 1), white
    )
    mixed = slope / slope.std() + rng.uniform(0.0, 0.5) * white * (rng.random() < 0.5)
    for _ in range(rng.integers(0, 3)):
        mixed = _peak(
            mixed, np.exp(rng.uniform(np.log(80.0), np.log(8000.0))), rng.uniform(0.8, 6.0), rng
        )
    return mixed.astype(np.float32)


def hum(rng: np.random.Generator, n: int) -> np.ndarray:
    """Mains hum and its harmonics, or an engine's: a drifting fundamental, float32 (n,)."""
    base = (
        rng.choice([50.0, 60.0, 100.0, 120.0]) if rng.random() < 0.5 else rng.uniform(25.0, 160.0)
    )
    drift = np.interp(np.arange(n), np.linspace(0, n, 8), rng.normal(1.0, 0.004, 8))
    phase = 2.0 * np.pi * np.cumsum(base * drift) / SAMPLE_RATE_HZ
    decay = rng.uniform(0.5, 1.5)
    total = np.zeros(n, np.float32)
    for k in range(1, int(rng.integers(6, 24))):
        amplitude = rng.exponential() / k**decay
        total += (amplitude * np.sin(k * phase + rng.uniform(0.0, 2.0 * np.pi))).astype(np.float32)
    return total + np.float32(rng.uniform(0.0, 0.3)) * coloured_noise(rng, n)


def fan(rng: np.random.Generator, n: int) -> np.ndarray:
    """A fan or motor: coloured noise that the blades modulate, plus their tone, float32 (n,)."""
    rate = rng.uniform(8.0, 120.0)
    phase = 2.0 * np.pi * rate * np.arange(n, dtype=np.float32) / SAMPLE_RATE_HZ
    modulation = 1.0 + rng.uniform(0.0, 0.6) * np.sin(phase)
    tone = sum(
        rng.exponential(0.2) * np.sin(k * phase + rng.uniform(0, 6.28)) for k in (1, 2, 3, 5)
    )
    return (coloured_noise(rng, n) * modulation + tone * rng.uniform(0.0, 0.7)).astype(np.float32)


def _random_filter(rng: np.random.Generator, samples: np.ndarray) -> np.ndarray:
    r = rng.uniform(-0.375, 0.375, 4)
    sos = np.array([[1.0, r[0], r[1], 1.0, r[2], r[3]]], np.float32)
    return scipy.signal.sosfilt(sos, samples).astype(np.float32)


def _shelve(rng: np.random.Generator, samples: np.ndarray) -> np.ndarray:
    """Now and then the sound of another microphone or distance: a high-pass, or more or less
    treble.
    """
    kind = rng.random()
    if kind < 0.15:
        sos = scipy.signal.butter(
            2, rng.uniform(60.0, 350.0), "highpass", fs=SAMPLE_RATE_HZ, output="sos"
        )
        return scipy.signal.sosfilt(sos.astype(np.float32), samples)
    if kind < 0.55:
        low = scipy.signal.sosfilt(_lowpass(rng.uniform(500.0, 3000.0), 1), samples)
        return low + np.float32(10.0 ** (rng.uniform(-8.0, 6.0) / 20.0)) * (samples - low)
    return samples


def _band_limit(rng: np.random.Generator, pair: np.ndarray) -> tuple[np.ndarray, float]:
    """Now and then low-pass noisy and clean alike, as low sample rates and codecs do; returns the
    limit in Hz.
    """
    if rng.random() >= 0.4:
        return pair, _FULL_BAND_HZ
    limit = float(rng.choice([3400.0, 4000.0, 8000.0, 12000.0, 16000.0]))
    if rng.random() < 0.5:
        limit = float(rng.uniform(3000.0, 20000.0))
    return scipy.signal.sosfilt(_lowpass(limit * 0.95, 10), pair, axis=1).astype(np.float32), limit


def _lowpass(cutoff_hz: float, order: int) -> np.ndarray:
    sos = scipy.signal.butter(order, cutoff_hz, fs=SAMPLE_RATE_HZ, output="sos")
    return sos.astype(np.float32)


def _peak(
    samples: np.ndarray, centre_hz: float, quality: float, rng: np.random.Generator
) -> np.ndarray:
    b, a = scipy.signal.iirpeak(centre_hz, quality, fs=SAMPLE_RATE_HZ)
    sos = np.concatenate([b, a])[None].astype(np.float32)
    resonance = scipy.signal.sosfilt(sos, samples)
    return samples + np.float32(rng.uniform(0.3, 3.0)) * resonance


def _swell(rng: np.random.Generator, n: int) -> np.ndarray:
    """A slowly wandering gain, -14..+6 dB, float32 (n,)."""
    knots = np.linspace(0, n, int(n / SAMPLE_RATE_HZ * rng.uniform(0.5, 2.0)) + 2)
    decibels = np.interp(np.arange(0, n, 480), knots, rng.uniform(-14.0, 6.0, len(knots)))
    return np.repeat((10.0 ** (decibels / 20.0)).astype(np.float32), 480)[:n]


def _faded(samples: np.ndarray, seconds: float) -> np.ndarray:
    """Fade both ends of samples, in place."""
    k = min(len(samples) // 2, int(seconds * SAMPLE_RATE_HZ))
    if k:
        ramp = (np.arange(k, dtype=np.float32) + 0.5) / k
        samples[:k] *= ramp
        samples[-k:] *= ramp[::-1]
    return samples


def _to_int16(samples: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(samples * 32768.0), -32768, 32767).astype(np.int16)
