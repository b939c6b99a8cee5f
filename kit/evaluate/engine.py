"""Enhancement of whole recordings: the firmware's signal path around any network, output aligned
with input.
"""

from collections.abc import Callable

import numpy as np

from kit import host
from kit.denoiser import HOP_SAMPLES, LATENCY_SAMPLES, SAMPLE_RATE_HZ
from kit.evaluate.firmware_network import FirmwareNetwork
from kit.evaluate.float_network import FloatNetwork
from kit.model.architecture import BANDS, FEATURES
from kit.model.import_ import Model
from kit.model.quantise import quantise

_HEADER = "pn_frame.h"
_Q15_ONE = 32767

Network = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Features int16 Q12 (steps, 70) to gains and strengths int16 Q15 (steps, 34), from a fresh state.
"""


def float_network(model: Model) -> Network:
    """Return the model as it was trained, in floating point."""
    floating = FloatNetwork(model.weights, model.arch)

    def run(features_q12: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        gains, strengths = floating.run(features_q12 / 4096.0)
        return to_q15(gains), to_q15(strengths)

    return run


def integer_network(model: Model) -> Network:
    """Return the model as the firmware computes it, bit by bit."""
    firmware = FirmwareNetwork(quantise(model))

    def run(features_q12: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        firmware.reset()
        return firmware.run(features_q12)

    return run


def to_q15(unit: np.ndarray) -> np.ndarray:
    """Round values in 0..1 to int16 Q15."""
    return np.clip(np.rint(unit * 32768.0), 0, _Q15_ONE).astype(np.int16)


def features_of(noisy: np.ndarray) -> np.ndarray:
    """Compute the network's inputs. noisy: int16 (hops * 480,). Returns int16 Q12 (hops, 70)."""
    ffi, lib = host.load(_HEADER)
    frame = ffi.new("pn_frame_t *")
    lib.pn_frame_init(frame, lib.pn_rate_find(SAMPLE_RATE_HZ))
    noisy = np.ascontiguousarray(noisy)
    features = np.empty((len(noisy) // HOP_SAMPLES, FEATURES), np.int16)
    source, rows = ffi.from_buffer("int16_t[]", noisy), ffi.from_buffer("int16_t[]", features)
    for hop in range(len(features)):
        lib.pn_frame_analyse(frame, source + hop * HOP_SAMPLES, rows + hop * FEATURES)
    return features


def synthesise(
    noisy: np.ndarray, gains: np.ndarray, strengths: np.ndarray, post_filter: bool
) -> np.ndarray:
    """Apply the outputs of a network to the signal that its features came from.

    noisy: int16 (hops * 480,). gains, strengths: int16 Q15 (hops, 34). Returns int16, late by the
    latency.
    """
    ffi, lib = host.load(_HEADER)
    frame = ffi.new("pn_frame_t *")
    lib.pn_frame_init(frame, lib.pn_rate_find(SAMPLE_RATE_HZ))
    gains, strengths, noisy = (np.ascontiguousarray(x, np.int16) for x in (gains, strengths, noisy))
    out = np.empty(len(noisy), np.int32)
    unused = ffi.new(f"int16_t[{FEATURES}]")
    source, g, s = (ffi.from_buffer("int16_t[]", x) for x in (noisy, gains, strengths))
    target = ffi.from_buffer("int32_t[]", out)
    for hop in range(len(noisy) // HOP_SAMPLES):
        at, band = hop * HOP_SAMPLES, hop * BANDS
        lib.pn_frame_analyse(frame, source + at, unused)
        lib.pn_frame_synthesise(frame, g + band, s + band, int(post_filter), target + at)
    return np.clip((out + 128) >> 8, -32768, 32767).astype(np.int16)


def padded(noisy: np.ndarray) -> np.ndarray:
    """Lengthen a signal by the latency and to whole hops, so that its enhanced end comes out."""
    total = -(-(len(noisy) + LATENCY_SAMPLES) // HOP_SAMPLES) * HOP_SAMPLES
    return np.concatenate([noisy, np.zeros(total - len(noisy), np.int16)])


def enhance(noisy: np.ndarray, network: Network, post_filter: bool) -> np.ndarray:
    """Enhance a whole recording. noisy: int16 (samples,) at 48 kHz. Returns the same shape,
    aligned.
    """
    longer = padded(noisy)
    gains, strengths = network(features_of(longer))
    late = synthesise(longer, gains, strengths, post_filter)
    return late[LATENCY_SAMPLES : LATENCY_SAMPLES + len(noisy)]
