"""The report is one file with everything in it, and says what failed."""

import base64
import dataclasses
import io
import json
import re

import numpy as np
import soundfile

from kit.report.facts import Bar, Budget, Check, Facts, Recording
from kit.report.page import render_html, render_json
from kit.report.pictures import spectrogram_db, spectrograms_png

TONE = np.rint(16384 * np.sin(2 * np.pi * 3000 * np.arange(48000) / 48000)).astype(np.int16)

FACTS = Facts(
    title="Demo <on> a board",
    subtitle="everything at once",
    facts={"model": "tiny"},
    checks=(Check("same bytes", True, "crc 12345678"),),
    recordings=(Recording("noisy", "as recorded", TONE), Recording("clean", "after", TONE // 2)),
    stages=(Bar("pitch", 300_000), Bar("network", 600_000)),
    stages_unit="instructions",
    stages_note="instructions, not cycles",
    sizes=(Bar(".text", 40_000), Bar(".bss", 60_000)),
    budgets=(Budget("whole frame", 900_000, 1_000_000, "instructions"),),
    steps=(("build", 12.3),),
)


def test_spectrogram_shows_a_tone_at_its_level_and_frequency():
    level = spectrogram_db(TONE)[:, 20:-20]
    row = np.argmax(level.mean(axis=1))
    assert row == round(3000 / 48000 * 1024)
    assert abs(level[row].mean() - 20 * np.log10(0.5)) < 0.5
    assert level[3 * row :].max() < -80


def test_the_picture_is_the_same_every_time_and_small():
    first = spectrograms_png(FACTS.recordings)
    assert first.startswith(b"\x89PNG")
    assert first == spectrograms_png(FACTS.recordings)
    assert len(first) < 300_000


def test_the_page_loads_nothing_and_plays_the_exact_samples():
    page = render_html(FACTS)
    assert not re.search(r'(?:src|href)="(?!data:)', page)
    assert "http" not in page
    sounds = re.findall(r'src="data:audio/flac;base64,([^"]+)"', page)
    for recording, sound in zip(FACTS.recordings, sounds, strict=True):
        pcm, rate_hz = soundfile.read(io.BytesIO(base64.b64decode(sound)), dtype="int16")
        assert rate_hz == 48000
        np.testing.assert_array_equal(pcm, recording.pcm)


def test_the_page_escapes_text_and_shows_every_fact():
    page = render_html(FACTS)
    assert "Demo &lt;on&gt; a board" in page
    for word in ("crc 12345678", "300\u2009000", "900\u2009000", ".bss", "12.3 s", "90 %"):
        assert word in page


def test_a_failed_check_or_budget_is_a_failed_report():
    assert FACTS.passed
    failed = dataclasses.replace(FACTS, checks=(Check("same bytes", False, "at byte 7"),))
    over = dataclasses.replace(FACTS, budgets=(Budget("whole frame", 1_000_001, 1_000_000, ""),))
    for facts in (failed, over):
        assert not facts.passed
        assert json.loads(render_json(facts))["passed"] is False
        assert "✗" in render_html(facts)


def test_json_holds_figures_and_crcs():
    plain = json.loads(render_json(FACTS))
    assert plain["stages"][1] == {"name": "network", "value": 600_000}
    assert plain["budgets"][0]["limit"] == 1_000_000
    assert plain["recordings"][0]["samples"] == 48000
    assert re.fullmatch("[0-9a-f]{8}", plain["recordings"][0]["crc32"])
