"""SpeexDSP's noise suppressor from the package speexdsp-ns: no network, a signal path alone."""

from kit.bench.contestant import Contestant, timed_in_python
from kit.bench.ours import FRAMES, sound
from kit.denoiser import HOP_SAMPLES, SAMPLE_RATE_HZ
from kit.errors import KitError
from kit.model.import_ import Model


def contestants(_model: Model) -> list[Contestant]:
    """A frame of the whole suppressor, as its defaults have it."""
    try:
        from speexdsp_ns import NoiseSuppression
    except ImportError as missing:
        raise KitError(
            "speexdsp-ns is not installed",
            hint="install it: .venv/bin/pip install -e '.[bench]'",
        ) from missing
    suppressor = NoiseSuppression.create(HOP_SAMPLES, SAMPLE_RATE_HZ)
    heard = [frame.tobytes() for frame in sound()]
    next_frame = heard[:1]

    def prepare(index: int) -> None:
        next_frame[0] = heard[index % FRAMES]

    call = timed_in_python(lambda: suppressor.process(next_frame[0]))
    return [Contestant("SpeexDSP", "frame", call, prepare, peer="speexdsp")]
