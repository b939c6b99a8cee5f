"""The suppressor of SpeexDSP, as its defaults have it, from the package speexdsp-ns."""

import numpy as np
from speexdsp_ns import NoiseSuppression

from kit.evaluate.peers import FRAME, aligned

RATE_HZ = 48000
DELAY = 480  # one frame of overlap


def denoise(noisy: np.ndarray) -> np.ndarray:
    """Suppress the noise of a whole recording."""
    suppressor = NoiseSuppression.create(FRAME, RATE_HZ)
    return aligned(
        noisy,
        DELAY,
        lambda frame: np.frombuffer(suppressor.process(frame.tobytes()), np.int16),
    )
