"""What training minimises: errors of gains and strengths in the compressed domain, weighted by what
is heard.
"""

import dataclasses

import torch

from kit.train.shards import BAND_PEAKS, BANDS

# Keeps the gradient of the square root finite at zero.
EPSILON = 1e-4
# A frame that is all speech counts this many times more than one without any: what is left of noise
# in a pause is low anyway, and in speech is where there is most to learn.
SPEECH_WEIGHT = 20.0
STRENGTH_SHARE = 0.25
# Above this the ear, and every measure of quality, is forgiving.
IMPORTANT_HZ = 8000.0
UPPER_WEIGHT = 0.35
# Loudness grows with about this power of a band's energy; quiet bands keep at least the floor.
LOUDNESS_POWER = 0.2
LOUDNESS_FLOOR = 0.15
LOOKAHEAD = 2
LOG2_PER_FEATURE = 6.0


@dataclasses.dataclass(frozen=True)
class Batch:
    """Time first, T steps of B sequences.

    features (T, B, 70) in real units. gains, strengths (T, B, 34): targets sqrt(g) and sqrt(1 - r).
    mask (T, B, 34): 0 where the target says nothing.
    """

    features: torch.Tensor
    gains: torch.Tensor
    strengths: torch.Tensor
    mask: torch.Tensor


def band_weights() -> torch.Tensor:
    """Weight of each band, shape (34,)."""
    hertz = torch.tensor(BAND_PEAKS) * 50.0
    return torch.where(hertz <= IMPORTANT_HZ, 1.0, UPPER_WEIGHT)


def loudness_weights(features: torch.Tensor) -> torch.Tensor:
    """Weight of each band of the frame that each step judges, from the noisy band energies: (T, B,
    34).
    """
    bands = features[..., :BANDS]
    seen = torch.cat([bands[:1].expand(LOOKAHEAD, -1, -1), bands[:-LOOKAHEAD]])
    return LOUDNESS_FLOOR + torch.exp2(LOG2_PER_FEATURE * LOUDNESS_POWER * seen)


def speech_weights(gains: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Weight of each frame by the share of speech in it, the mean target gain: (T, B, 1)."""
    share = (weights * gains).sum(-1, keepdim=True) / (weights.sum(-1, keepdim=True) + 1e-6)
    return 1.0 + SPEECH_WEIGHT * share


def loss(gains: torch.Tensor, strengths: torch.Tensor, batch: Batch) -> torch.Tensor:
    """Weighted mean square error of one batch, a scalar.

    gains, strengths: the network's outputs (T, B, 34), 0..1. The square makes the network answer
    with the mean of what is likely; how boldly to suppress is for the operating point.
    """
    weights = batch.mask * band_weights() * loudness_weights(batch.features)
    weights = weights * speech_weights(batch.gains, weights)
    gain_error = (batch.gains - torch.sqrt(gains + EPSILON)) ** 2
    strength_error = (batch.strengths - torch.sqrt(1.0 - strengths + EPSILON)) ** 2
    errors = gain_error + STRENGTH_SHARE * strength_error
    return (weights * errors).sum() / (weights.sum() + 1e-6)
