"""Spectrograms as PNG, and sounds as data for an HTML page."""

import io
from collections.abc import Sequence

import numpy as np
import soundfile
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from kit.audio import to_float
from kit.pages import plots
from kit.report.facts import Recording

WINDOW = 1024
HOP = 256
FLOOR_DB = -100.0
CEILING_DB = -25.0
TOP_KHZ = 20
PALETTE_COLOURS = 256

_STYLE = {"font.family": "sans-serif", "font.size": 10, "axes.titlesize": 11}


def spectrogram_db(pcm: np.ndarray) -> np.ndarray:
    """Short-time spectrum of int16 sound, shape (n,): dB of full scale, (WINDOW/2+1, m)."""
    padded = np.pad(to_float(pcm), (WINDOW // 2, WINDOW))
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    spectrum = np.abs(np.fft.rfft(frames * np.hanning(WINDOW), axis=1)) / (WINDOW / 4)
    return 20.0 * np.log10(np.maximum(spectrum, 1e-6)).T


def spectrograms_png(
    recordings: Sequence[Recording], sample_rate_hz: int = 48000, dpi: int = 100
) -> bytes:
    """One picture with a spectrogram of each recording, below one another on one time axis."""
    with rc_context(_STYLE):
        figure = Figure(figsize=(10.0, 0.4 + 2.1 * len(recordings)), dpi=dpi, layout="constrained")
        canvas = FigureCanvasAgg(figure)
        axes = figure.subplots(len(recordings), 1, sharex=True, squeeze=False)[:, 0]
        for axis, recording in zip(axes, recordings, strict=True):
            image = _draw(axis, recording, sample_rate_hz)
        axes[-1].set_xlabel("seconds")
        figure.colorbar(image, ax=list(axes), label="dB below full scale", pad=0.01, aspect=40)
        canvas.draw()
        return _palette_png(np.asarray(canvas.buffer_rgba()))


def _palette_png(rgba: np.ndarray) -> bytes:
    """A picture of shape (height, width, 4) as PNG with 256 colours: a third of the bytes."""
    buffer = io.BytesIO()
    picture = Image.fromarray(rgba).convert("RGB").quantize(PALETTE_COLOURS)
    picture.save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def _draw(axis: object, recording: Recording, sample_rate_hz: int) -> object:
    """Draw one recording into a matplotlib Axes; returns the image, for its colour bar."""
    seconds = len(recording.pcm) / sample_rate_hz
    image = axis.imshow(
        spectrogram_db(recording.pcm),
        origin="lower",
        aspect="auto",
        interpolation="bilinear",
        extent=(0.0, seconds, 0.0, sample_rate_hz / 2000.0),
        cmap="magma",
        vmin=FLOOR_DB,
        vmax=CEILING_DB,
    )
    axis.set_ylim(0, TOP_KHZ)
    axis.set_ylabel("kHz")
    axis.set_title(plots.label(recording.name), loc="left", fontweight="bold", parse_math=False)
    return image


def flac_bytes(pcm: np.ndarray, sample_rate_hz: int) -> bytes:
    """int16 sound as a FLAC file."""
    buffer = io.BytesIO()
    soundfile.write(buffer, pcm, sample_rate_hz, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()
