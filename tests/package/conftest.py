"""What goes into a consumer, and what has to come out."""

import numpy as np
import pytest
import soundfile

from kit.denoiser import HOP_SAMPLES, Denoiser
from kit.paths import ROOT


@pytest.fixture(scope="session")
def noisy() -> bytes:
    """Two seconds of noisy speech, whole frames."""
    pcm, _ = soundfile.read(ROOT / "kit/demo/noisy.flac", frames=96000, dtype="int16")
    return pcm[: len(pcm) // HOP_SAMPLES * HOP_SAMPLES].tobytes()


@pytest.fixture(scope="session")
def clean(noisy: bytes) -> bytes:
    """What the kit's own library makes of it."""
    return Denoiser().process(np.frombuffer(noisy, np.int16)).tobytes()
