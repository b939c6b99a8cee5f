"""The report's page and its JSON twin: pure functions of the facts."""

import dataclasses
import json
import zlib

from kit.pages import data_uri, environment
from kit.report.facts import Facts, Recording
from kit.report.pictures import flac_bytes, spectrograms_png


def _thousands(value: float) -> str:
    text = f"{value:,}" if isinstance(value, int) else f"{value:,.3f}".rstrip("0").rstrip(".")
    return text.replace(",", "\u2009")


_templates = environment("kit.report")
_templates.filters["thousands"] = _thousands
_templates.filters["svg_uri"] = lambda svg: data_uri("image/svg+xml", svg)
_templates.filters["top"] = lambda bars: max((bar.value for bar in bars), default=0)


def render_html(*pages: Facts) -> str:
    """The page: everything in one file, nothing loaded from elsewhere; several below each other."""
    return _templates.get_template("report.html").render(
        pages=[(facts, *_sounds(facts.recordings, facts.sample_rate_hz)) for facts in pages]
    )


def _sounds(
    recordings: tuple[Recording, ...], rate_hz: int
) -> tuple[list[tuple[Recording, str]], str]:
    """Recordings with the address of their sound, and that of their picture."""
    if not recordings:
        return [], ""
    players = [(r, data_uri("audio/flac", flac_bytes(r.pcm, rate_hz))) for r in recordings]
    return players, data_uri("image/png", spectrograms_png(recordings, rate_hz))


def render_json(facts: Facts) -> str:
    """The facts for machines; a recording is its length and CRC-32."""
    plain = {
        field.name: getattr(facts, field.name)
        for field in dataclasses.fields(facts)
        if field.name not in ("recordings", "charts")
    }
    plain["passed"] = facts.passed
    plain["recordings"] = [
        {
            "name": sound.name,
            "samples": len(sound.pcm),
            "crc32": f"{zlib.crc32(sound.pcm.astype('<i2').tobytes()):08x}",
        }
        for sound in facts.recordings
    ]
    return json.dumps(plain, indent=2, default=dataclasses.asdict) + "\n"
