"""How far the integer network is from the float one, on a given sequence of features."""

import dataclasses

import numpy as np

from kit.model.float_reference import FloatReference
from kit.model.import_ import Model
from kit.model.integer_reference import IntegerReference
from kit.model.quantise import quantise


@dataclasses.dataclass(frozen=True)
class Fidelity:
    """Errors of the integer network's outputs against the float network's; a gain of 1 is 1."""

    gains_snr_db: float
    strengths_snr_db: float
    gains_max_error: float
    strengths_max_error: float


def measure(model: Model, features_q12: np.ndarray) -> Fidelity:
    """Run both networks over the same features, int16 Q12 [steps, 70], and compare their outputs.

    The SNR is that of the outputs about their mean over time, so that constant outputs do not
    flatter it.
    """
    expected = FloatReference(model.weights, model.arch).run(features_q12 / 4096)
    actual = IntegerReference(quantise(model)).run(features_q12)
    errors = [got / 32768 - want for got, want in zip(actual, expected, strict=True)]
    snrs = [
        10 * np.log10(np.var(want, axis=0).mean() / max(np.mean(error**2), 1e-20))
        for want, error in zip(expected, errors, strict=True)
    ]
    return Fidelity(
        gains_snr_db=float(snrs[0]),
        strengths_snr_db=float(snrs[1]),
        gains_max_error=float(np.abs(errors[0]).max()),
        strengths_max_error=float(np.abs(errors[1]).max()),
    )
