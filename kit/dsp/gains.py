"""From the network's outputs to the enhanced spectrum: comb mix, post-filter, band scaling."""

import numpy as np

from kit.dsp import bands

POST_FILTER_BETA = 0.02
# -60 dB in 100 ms: 10^(-3/10) per 10 ms frame.
DECAY = 0.501
MAX_SCALE = 4.0


def mix(spectrum: np.ndarray, comb: np.ndarray, strengths: np.ndarray) -> np.ndarray:
    """Mix comb-filtered and noisy spectrum (481,): z = (1 - r) y + r p, r (34,) per band."""
    r = bands.interpolate(strengths)
    return (1.0 - r) * spectrum + r * comb


def post_filter(gains: np.ndarray, band_energies: np.ndarray) -> tuple[np.ndarray, float]:
    """Deepen low gains, then give the frame back some of the energy that this took.

    gains: (34,) 0..1. band_energies: (34,) of the noisy frame. Returns the warped gains (34,) and
    the frame's make-up gain, at most (1 + beta) / (2 sqrt(beta)) in energy: 5.57 dB.
    """
    warped = gains * np.sin(np.pi / 2 * gains)
    before = np.sum(gains**2 * band_energies)
    after = np.sum(warped**2 * band_energies)
    ratio = before / after if after > 0 else 1.0
    make_up = np.sqrt((1.0 + POST_FILTER_BETA) * ratio / (1.0 + POST_FILTER_BETA * ratio**2))
    return warped, float(make_up)


class BandScaler:
    """Brings every band to its target magnitude; keeps the targets for the decay limit."""

    def __init__(self) -> None:
        self._last_targets = np.zeros(bands.BANDS)

    def apply(
        self,
        spectrum: np.ndarray,
        comb: np.ndarray,
        gains: np.ndarray,
        strengths: np.ndarray,
        with_post_filter: bool,
    ) -> np.ndarray:
        """Enhance one frame.

        spectrum, comb: (481,), the noisy frame and its comb-filtered form. gains, strengths: (34,),
        0..1. with_post_filter: also warp the gains and limit how fast a band may decay. Returns the
        spectrum (481,).
        """
        noisy_energies = bands.energies(spectrum)
        mixed = mix(spectrum, comb, strengths)
        targets = self._targets(gains, noisy_energies, with_post_filter)
        self._last_targets = targets
        return mixed * bands.interpolate(_scales(targets, np.sqrt(bands.energies(mixed))))

    def _targets(
        self, gains: np.ndarray, noisy_energies: np.ndarray, with_post_filter: bool
    ) -> np.ndarray:
        """The band magnitudes (34,) that the frame shall have."""
        noisy = np.sqrt(noisy_energies)
        if not with_post_filter:
            return gains * noisy
        warped, make_up = post_filter(gains, noisy_energies)
        return np.maximum(make_up * warped * noisy, np.minimum(DECAY * self._last_targets, noisy))


def _scales(targets: np.ndarray, magnitudes: np.ndarray) -> np.ndarray:
    """target / magnitude per band, at most 4; an empty band gets 4 if it has a target, else 0."""
    scales = np.where(targets > 0, MAX_SCALE, 0.0)
    np.divide(targets, magnitudes, out=scales, where=magnitudes > 0)
    return np.minimum(scales, MAX_SCALE)
