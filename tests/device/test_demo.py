"""The demo: one command from the model to a report about the same bytes on board and computer."""

import json
import re
import subprocess
import sys
from pathlib import Path

from kit.paths import ROOT

TIMEOUT_S = 280


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
