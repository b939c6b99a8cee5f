"""The 34 triangular bands on the ERB scale: sums over bins, coherence, and the way back to bins."""

import numpy as np

from kit.dsp.spectrum import BINS

# Bin of each band's peak; bins are 50 Hz apart. A band falls to zero at its neighbours' peaks.
PEAKS = (
    0, 2, 4, 6, 8, 10, 12, 15, 18, 21, 24, 28, 32, 36, 41, 47, 53, 60, 68, 77, 87, 98, 110, 124,
    140, 157, 176, 198, 223, 251, 282, 317, 356, 400,
)  # fmt: skip
BANDS = len(PEAKS)


def _interpolation() -> np.ndarray:
    """Weight of every band in every bin, (34, 481); the last band holds above its peak."""
    identity = np.eye(BANDS)
    return np.stack([np.interp(np.arange(BINS), PEAKS, identity[band]) for band in range(BANDS)])


_INTERPOLATION = _interpolation()

# The triangles that measure: bins above 20 kHz belong to no band, and the half triangles at both
# ends count double.
_SUMMATION = np.where(np.arange(BINS) <= PEAKS[-1], _INTERPOLATION, 0.0)
_SUMMATION[[0, -1]] *= 2.0


def band_sums(values: np.ndarray) -> np.ndarray:
    """Sum a real quantity of the bins (..., 481) over each band's triangle; returns (..., 34)."""
    return values @ _SUMMATION.T


def energies(spectrum: np.ndarray) -> np.ndarray:
    """Band energies (..., 34) of spectra (..., 481): the sum of triangle times |Y|^2."""
    return band_sums(spectrum.real**2 + spectrum.imag**2)


def coherence(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """How alike two spectra (..., 481) are in each band: Re(a^H b) / (|a| |b|), clipped to 0..1.

    Returns (..., 34); 0 where either has no energy.
    """
    norm = np.sqrt(energies(a) * energies(b))
    product = band_sums((np.conj(a) * b).real)
    return np.clip(np.divide(product, norm, out=np.zeros_like(norm), where=norm > 0), 0.0, 1.0)


def interpolate(values: np.ndarray) -> np.ndarray:
    """Spread band values (..., 34) over the bins (..., 481), linearly between the peaks."""
    return values @ _INTERPOLATION
