"""The oracle: gains and strengths that a network should find, from noisy signal and target."""

import dataclasses

import numpy as np

from kit.dsp import comb
from kit.dsp.pipeline import History, Pitch, split_hops

NOISE_FLOOR = 0.03
MAX_STRENGTH = 0.99


@dataclasses.dataclass(frozen=True)
class Targets:
    """Training targets, 34 bands a row; row t is for the outputs of step t, thus of frame t - 2.

    gains: ideal band gains, 0..1. attenuation: factor 0..1 on the gain where even the comb filter's
    output is noisier than the target. strengths: comb filter mix, 0..0.99. clean_energies: of the
    target, LSB^2, for masking.
    """

    gains: np.ndarray
    attenuation: np.ndarray
    strengths: np.ndarray
    clean_energies: np.ndarray


def ideal_gains(clean_energies: np.ndarray, noisy_energies: np.ndarray) -> np.ndarray:
    """Ratio of magnitudes per band, clipped to 0..1; 0 where the noisy band is empty."""
    ratio = np.zeros_like(noisy_energies)
    np.divide(clean_energies, noisy_energies, out=ratio, where=noisy_energies > 0)
    return np.clip(np.sqrt(ratio), 0.0, 1.0)


def comb_coherence(noisy_coherence: np.ndarray, noise_gain: float) -> np.ndarray:
    """Coherence q_p that the comb filter's output should have, from q_y and the noise it passes."""
    return noisy_coherence / np.sqrt((1.0 - noise_gain) * noisy_coherence**2 + noise_gain)


def strength(
    clean: np.ndarray, noisy: np.ndarray, noise_gain: float
) -> tuple[np.ndarray, np.ndarray]:
    """Mix that makes the frame as periodic as the clean one.

    clean, noisy: pitch coherences q_x, q_y in 0..1. The comb output has q_p; alpha = r / (1 - r)
    parts of it to one part of y solve (q_y + alpha q_p)^2 = q_x^2 (1 + alpha^2 + 2 alpha q_y q_p):
    the noises left in y and in the comb output are taken as independent, both as equally loud.
    Returns strength r, 0..0.99, and attenuation, 0..1.
    """
    combed = comb_coherence(noisy, noise_gain)
    a = np.maximum(0.0, combed**2 - clean**2)
    b = combed * noisy * (1.0 - clean**2)
    c = np.maximum(0.0, clean**2 - noisy**2)
    denominator = b + np.sqrt(b**2 + a * c)
    alpha = np.divide(c, denominator, out=np.zeros_like(c), where=denominator > 0)
    too_noisy = combed < clean
    r = np.where(too_noisy, 1.0, alpha / (1.0 + alpha))
    lost = np.sqrt((1.0 + NOISE_FLOOR - clean**2) / (1.0 + NOISE_FLOOR - combed**2))
    return np.minimum(r, MAX_STRENGTH), np.where(too_noisy, lost, 1.0)


class Oracle:
    """Streaming targets of a time-aligned pair of signals."""

    def __init__(self) -> None:
        self._noisy = History()
        self._clean = History()

    def step(self, noisy_hop: np.ndarray, clean_hop: np.ndarray, pitch: Pitch) -> Targets:
        """Take in hop t of both (480,), int16 LSB; return one row of targets.

        pitch: of frame t - 2 of the noisy signal.
        """
        self._noisy.push(noisy_hop)
        self._clean.push(clean_hop)
        noisy = self._noisy.frame(pitch.period)
        clean = self._clean.frame(pitch.period)
        strengths, attenuation = strength(
            clean.coherences, noisy.coherences, comb.noise_gain(pitch.period)
        )
        gains = ideal_gains(clean.energies, noisy.energies)
        return Targets(gains, attenuation, strengths, clean.energies)


def targets(noisy: np.ndarray, clean: np.ndarray, pitches: list[Pitch]) -> Targets:
    """Targets of two whole signals (samples,): rows (hops, 34).

    pitches: of the noisy signal, one per hop.
    """
    oracle = Oracle()
    pairs = zip(split_hops(noisy), split_hops(clean), pitches, strict=True)
    rows = [oracle.step(*row) for row in pairs]
    columns = [field.name for field in dataclasses.fields(Targets)]
    return Targets(*(np.stack([getattr(row, column) for row in rows]) for column in columns))
