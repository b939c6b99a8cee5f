"""The ladder of one recording as a page: scores, players, spectrograms, all in one file."""

import numpy as np

from kit import pages
from kit.denoiser import SAMPLE_RATE_HZ
from kit.ladder.measures import Scores
from kit.report.facts import Recording
from kit.report.pictures import flac_bytes, spectrograms_png

COLUMNS = {
    "pesq": ("PESQ-WB", "{:.2f}"),
    "stoi": ("STOI", "{:.3f}"),
    "si_sdr_db": ("SI-SDR, dB", "{:.1f}"),
    "segmental_snr_db": ("segmental SNR, dB", "{:.1f}"),
    "harmonic_snr_db": ("harmonic SNR, dB", "{:.1f}"),
    "pause_noise_db": ("noise in pauses, dB", "{:.1f}"),
}
# A page of a long recording would be too large to open.
_SHOWN_S = 20

_templates = pages.environment("kit.ladder")


def cells(scores: Scores) -> list[str]:
    """Scores as text, in the order of COLUMNS."""
    return pages.cells(scores, COLUMNS)


def render(
    title: str,
    titles: dict[str, str],
    signals: dict[str, np.ndarray],
    scores: dict[str, Scores],
    clean: np.ndarray,
) -> str:
    """The page. signals, clean: int16 (n,) at 48 kHz; titles and scores by the signals' names."""
    shown = slice(_SHOWN_S * SAMPLE_RATE_HZ)
    recordings = [Recording(titles[name], name, pcm[shown]) for name, pcm in signals.items()]
    recordings.append(Recording("clean speech", "", clean[shown]))
    marks = [*(cells(scores[name]) for name in signals), [""] * len(COLUMNS)]
    players = [pages.data_uri("audio/flac", flac_bytes(r.pcm, SAMPLE_RATE_HZ)) for r in recordings]
    return _templates.get_template("ladder.html").render(
        title=title,
        seconds=_SHOWN_S if len(clean) > _SHOWN_S * SAMPLE_RATE_HZ else 0,
        headings=[heading for heading, _ in COLUMNS.values()],
        rows=list(zip(recordings, marks, players, strict=True)),
        picture=pages.data_uri("image/png", spectrograms_png(recordings, SAMPLE_RATE_HZ)),
    )
