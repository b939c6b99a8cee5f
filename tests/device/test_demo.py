"""The demo: one command from the model to a report about the same bytes on board and computer."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kit import cli
from kit.host import HOST_TARGET
from kit.paths import ROOT
from kit.verbs import demo

TIMEOUT_S = 280


def test_a_demo_with_other_bytes_fails_and_its_report_is_there_to_be_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    denoise_on = demo.denoise_on

    def wrong(*words: object) -> np.ndarray:
        out = denoise_on(*words)
        out[1000] ^= 1
        return out

    opened: list[str] = []
    monkeypatch.setattr(demo, "denoise_on", wrong)
    monkeypatch.setattr(demo.webbrowser, "open", opened.append)
    words = ["--target", HOST_TARGET, "--out", str(tmp_path), "--open"]
    assert cli.main(["demo", *words]) == 1
    shown = capsys.readouterr()
    assert "1 samples differ, first at 1000" in shown.out
    assert "the demo failed" in shown.err
    assert opened == [(tmp_path / "report.html").as_uri()]
    assert json.loads((tmp_path / "report.json").read_text())["passed"] is False


def test_the_demo_ends_with_a_report_in_which_everything_passed(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-m", "kit", "demo", "--out", tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"report: {tmp_path}/report.html" in done.stdout
    facts = json.loads((tmp_path / "report.json").read_text())
    assert facts["passed"] is True
    assert len(facts["checks"]) == 8
    assert facts["stages_unit"] == "instructions"
    assert [sound["samples"] for sound in facts["recordings"]] == [480_000] * 3
    crcs = {sound["name"]: sound["crc32"] for sound in facts["recordings"]}
    assert crcs["Denoised"] in facts["checks"][-1]["detail"]
    page = (tmp_path / "report.html").read_text()
    assert len(re.findall(r'src="data:audio/flac;base64,', page)) == 3
