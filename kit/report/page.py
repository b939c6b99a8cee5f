"""The report's page and its JSON twin: pure functions of the facts."""

import dataclasses
import json
import zlib

from kit import pages
from kit.report.facts import Facts
from kit.report.pictures import flac_bytes, spectrograms_png

_templates = pages.environment("kit.report")
_templates.filters["thousands"] = lambda value: f"{value:,}".replace(",", "\u2009")


def render_html(facts: Facts) -> str:
    """The page: everything in one file, nothing loaded from elsewhere."""
    players = [
        (sound, pages.data_uri("audio/flac", flac_bytes(sound.pcm, facts.sample_rate_hz)))
        for sound in facts.recordings
    ]
    picture = spectrograms_png(facts.recordings, facts.sample_rate_hz)
    return _templates.get_template("report.html").render(
        facts=facts,
        players=players,
        picture=pages.data_uri("image/png", picture),
        stages_total=sum(bar.value for bar in facts.stages),
        stages_top=max((bar.value for bar in facts.stages), default=0),
        sizes_top=max((bar.value for bar in facts.sizes), default=0),
    )


def render_json(facts: Facts) -> str:
    """The facts for machines; a recording is its length and CRC-32."""
    plain = {
        field.name: getattr(facts, field.name)
        for field in dataclasses.fields(facts)
        if field.name != "recordings"
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
