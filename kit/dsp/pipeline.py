"""The DSP around the network, hop by hop: features out; gains and strengths in, signal out."""

import dataclasses
from typing import NamedTuple

import numpy as np

from kit.dsp import bands, comb, features
from kit.dsp.gains import BandScaler
from kit.dsp.highpass import HighPass
from kit.dsp.spectrum import HOP, WINDOW_LENGTH, OverlapAdd, transform

LOOKAHEAD_FRAMES = 2
LATENCY_SAMPLES = (LOOKAHEAD_FRAMES + 1) * HOP


class Pitch(NamedTuple):
    """Pitch of a frame: period in samples at 48 kHz, correlation 0..1."""

    period: int
    correlation: float


@dataclasses.dataclass(frozen=True)
class Frame:
    """What is known of frame l with its look-ahead; spectra (481,), band values (34,)."""

    spectrum: np.ndarray
    comb: np.ndarray
    energies: np.ndarray
    coherences: np.ndarray


class History:
    """The newest 60 ms of high-passed input: frame l = t - 2 and the comb filter's margins."""

    def __init__(self) -> None:
        self._highpass = HighPass()
        self.samples = np.zeros(comb.HISTORY)

    def push(self, hop: np.ndarray) -> None:
        """Take in the next hop (480,) of the input, int16 LSB."""
        self.samples = np.concatenate([self.samples[HOP:], self._highpass.process(hop)])

    def newest_energies(self) -> np.ndarray:
        """Band energies (34,) of frame t."""
        return bands.energies(transform(self.samples[-WINDOW_LENGTH:]))

    def frame(self, period: int) -> Frame:
        """Frame l, comb-filtered with this pitch period."""
        spectrum = transform(self.samples[comb.FRAME_START : comb.FRAME_START + WINDOW_LENGTH])
        combed = transform(comb.comb_filter(self.samples, period))
        return Frame(spectrum, combed, bands.energies(spectrum), bands.coherence(combed, spectrum))


class Pipeline:
    """Streaming enhancement: `analyse`, then `synthesise`, once per hop. Latency 1440 samples."""

    def __init__(self) -> None:
        self._history = History()
        self._level = features.LevelTracker()
        self._scaler = BandScaler()
        self._overlap = OverlapAdd()
        self._frame: Frame | None = None

    def analyse(self, hop: np.ndarray, pitch: Pitch) -> np.ndarray:
        """Take in hop t (480,) and the pitch of frame t - 2; return step t's features (70,)."""
        self._history.push(hop)
        self._frame = self._history.frame(pitch.period)
        newest = self._history.newest_energies()
        log_part = features.log_bands(newest, self._level.update(newest))
        return features.assemble(log_part, self._frame.coherences, *pitch)

    def synthesise(
        self, gains: np.ndarray, strengths: np.ndarray, with_post_filter: bool = False
    ) -> np.ndarray:
        """Enhance frame t - 2 with gains and strengths (34,), 0..1; return the hop t - 3 (480,)."""
        assert self._frame is not None, "synthesise before analyse"
        frame = self._frame
        enhanced = self._scaler.apply(
            frame.spectrum, frame.comb, gains, strengths, with_post_filter
        )
        return self._overlap.push(enhanced)


def split_hops(signal: np.ndarray) -> np.ndarray:
    """A signal as hops (n, 480), float64, the last one filled up with zeros."""
    missing = -len(signal) % HOP
    return np.pad(np.asarray(signal, dtype=np.float64), (0, missing)).reshape(-1, HOP)


def enhance(
    signal: np.ndarray,
    pitches: list[Pitch],
    gains: np.ndarray,
    strengths: np.ndarray,
    with_post_filter: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Run a whole signal through the pipeline with given pitches, gains and strengths.

    signal: (samples,), int16 LSB. pitches: one per hop. gains, strengths: (hops, 34). Row t of each
    belongs to step t.
    Returns the features (hops, 70) and the output (hops * 480,), which is 1440 samples late.
    """
    pipeline = Pipeline()
    feature_rows, out = [], []
    for hop, pitch, gain, strength in zip(
        split_hops(signal), pitches, gains, strengths, strict=True
    ):
        feature_rows.append(pipeline.analyse(hop, pitch))
        out.append(pipeline.synthesise(gain, strength, with_post_filter))
    return np.stack(feature_rows), np.concatenate(out)
