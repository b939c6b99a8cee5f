"""Forms of the comb filter that the firmware does not have, in float64: why it has its own."""

import dataclasses

import numpy as np

from kit.dsp import bands, comb, oracle
from kit.dsp.gains import BandScaler
from kit.dsp.highpass import HighPass
from kit.dsp.pipeline import Pitch
from kit.dsp.spectrum import HOP, WINDOW_LENGTH, OverlapAdd, transform
from kit.evaluate.engine import padded
from kit.ladder.signals import Pair, pitches, to_int16

# Of the five taps on each side the longest period (768) reaches this far.
_MARGIN = 8 * HOP
_LOOKAHEAD = comb.MARGIN


@dataclasses.dataclass(frozen=True)
class Form:
    """One choice for each open point of the comb filter; the defaults are the firmware's."""

    title: str
    combed: bool = True
    attenuated: bool = False  # g_att is in the gain
    strict: bool = False  # the strength reckons with the comb output's real level
    symmetric: bool = True  # taps are dropped in pairs
    clean_pitch: bool = False


FORMS = {
    "gains": Form("gains alone", combed=False),
    "shipped": Form("comb filter as shipped"),
    "attenuated": Form("with g_att in the gain", attenuated=True),
    "strict": Form("strict strength", strict=True),
    "asymmetric": Form("all five taps of the past", symmetric=False),
    "clean_pitch": Form("pitch of the clean signal", clean_pitch=True),
}


def climb(pair: Pair) -> dict[str, np.ndarray]:
    """Make the output of every form with ideal gains, int16 (n,), by the names of FORMS."""
    noisy, clean = padded(pair.noisy), padded(pair.clean)
    tracks = {False: pitches(noisy), True: pitches(clean)}
    high = [HighPass().process(signal) for signal in (noisy, clean)]
    return {
        name: to_int16(_enhance(*high, tracks[form.clean_pitch], form))[: len(pair.noisy)]
        for name, form in FORMS.items()
    }


def _enhance(noisy: np.ndarray, clean: np.ndarray, track: list[Pitch], form: Form) -> np.ndarray:
    """Filter high-passed noisy (hops * 480,) with ideal gains; aligned, three hops shorter."""
    y, p, noise_gains = _frames(noisy, track, form)
    x, xp, _ = _frames(clean, track, form)
    gains = oracle.ideal_gains(bands.energies(x), bands.energies(y))
    strengths = np.zeros_like(gains)
    if form.combed:
        qx, qy = bands.coherence(xp, x), bands.coherence(p, y)
        find = strict_strength if form.strict else oracle.strength
        level = {"level": _level(p, y)} if form.strict else {}
        strengths, attenuation = find(qx, qy, noise_gains[:, None], **level)
        gains = gains * attenuation if form.attenuated else gains
    scaler, overlap = BandScaler(), OverlapAdd()
    rows = zip(y, p, gains, strengths, strict=True)
    hops = [overlap.push(scaler.apply(*row, with_post_filter=False)) for row in rows]
    return np.concatenate(hops[3:])


def _frames(
    signal: np.ndarray, track: list[Pitch], form: Form
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of the frame t - 2 of every step t: spectra, plain and combed (steps, 481), noise gains."""
    around = np.pad(signal, (_MARGIN, _LOOKAHEAD))
    plain, combed, noise = [], [], []
    for t, pitch in enumerate(track):
        start = _MARGIN + (t - 3) * HOP
        lags, weights = taps(pitch.period, form.symmetric)
        frames = np.stack([around[start + lag : start + lag + WINDOW_LENGTH] for lag in lags])
        plain.append(around[start : start + WINDOW_LENGTH])
        combed.append(weights @ frames)
        noise.append(np.sum(weights**2))
    return transform(np.stack(plain)), transform(np.stack(combed)), np.array(noise)


def taps(period: int, symmetric: bool) -> tuple[np.ndarray, np.ndarray]:
    """Offsets in samples and weights of the taps; asymmetric keeps all five of the past."""
    future = comb.tap_pairs(period)
    k = np.arange(-(future if symmetric else comb.MAX_PAIRS), future + 1)
    weights = 0.5 - 0.5 * np.cos(np.pi * (k + comb.MAX_PAIRS + 1) / (comb.MAX_PAIRS + 1))
    return k * period, weights / weights.sum()


def strict_strength(
    clean: np.ndarray, noisy: np.ndarray, noise_gain: np.ndarray, level: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """As `oracle.strength`, for a comb output that is not as loud as the frame.

    level: ||p|| / ||y||. alpha solves (q_y + alpha d q_p)^2 = q_x^2 ||y + alpha p||^2 / ||y||^2.
    """
    simple, attenuation = oracle.strength(clean, noisy, noise_gain)
    combed = oracle.comb_coherence(noisy, noise_gain)
    a = level**2 * np.maximum(0.0, combed**2 - clean**2)
    # q_p >= q_x >= q_x^2 wherever the result counts, so b is not negative there.
    b = np.maximum(0.0, level * noisy * (combed - clean**2))
    c = np.maximum(0.0, clean**2 - noisy**2)
    denominator = b + np.sqrt(b**2 + a * c)
    alpha = np.divide(c, denominator, out=np.zeros_like(c), where=denominator > 0)
    strict = np.minimum(alpha / (1.0 + alpha), oracle.MAX_STRENGTH)
    return np.where(combed < clean, simple, strict), attenuation


def _level(combed: np.ndarray, plain: np.ndarray) -> np.ndarray:
    energies = bands.energies(plain)
    ratio = np.divide(
        bands.energies(combed), energies, out=np.ones_like(energies), where=energies > 0
    )
    return np.sqrt(ratio)
