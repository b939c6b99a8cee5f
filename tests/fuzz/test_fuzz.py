"""Fuzzing for a moment, from the corpora; for ten minutes each with --long.

By hand: `./tools/percepnet test --long tests/fuzz -k device`. libFuzzer leaves the input that broke
something in build/fuzz/findings/; the program with that file as its argument does it again.
"""

import os
import re
import sys
from pathlib import Path

import pytest

from kit import process
from kit.build import build
from kit.paths import BUILD, FUZZ_TESTS, ROOT
from kit.target import load_target
from tests.fuzz import corpus
from tests.fuzz.parsers import PARSERS

TARGET = "host_x86_64+clang_x86_64"
BELOW = "fuzz"
FOLDER = BUILD / BELOW
TARGETS = sorted(path.stem.removeprefix("fuzz_") for path in FUZZ_TESTS.glob("fuzz_*.c"))

MOMENT_S, LONG_S = 1, 600
# What starting, the slowest input and an overloaded machine add.
PATIENCE_S = 900
INPUT_TIMEOUT_S = 30
MEMORY_MB = 1024
MOST_BYTES = 2048


@pytest.fixture(scope="module")
def programs() -> Path:
    """The fuzz targets around the smallest network, with weights for it in FOLDER."""
    model = corpus.write_model(FOLDER)
    corpus.write_blobs(FOLDER, load_target(TARGET).layout)
    build(f"fuzz-{TARGET}", str(model), below=BELOW)
    return FOLDER / TARGET / "fuzz"


def run_libfuzzer(program: Path, seconds: int, found: Path) -> None:
    """From the corpus, its own findings first; says how many inputs it tried."""
    findings = FOLDER / "findings"
    for folder in (findings, found):
        folder.mkdir(parents=True, exist_ok=True)
    options = {
        "max_total_time": seconds,
        "seed": 1,
        "timeout": INPUT_TIMEOUT_S,
        "rss_limit_mb": MEMORY_MB,
        "max_len": MOST_BYTES,
        "len_control": 0,
        "artifact_prefix": f"{findings}/",
        "print_final_stats": 1,
    }
    words = [f"-{name}={value}" for name, value in options.items()]
    kept = corpus.CORPUS / program.name.removeprefix("fuzz_")
    # A program begins with the peak memory of who starts it: libFuzzer would judge that of these
    # tests. What `timeout` forks begins with next to none.
    patience_s = seconds + PATIENCE_S
    done = process.run(
        ["timeout", str(patience_s), program, *words, found, kept],
        timeout_s=patience_s,
        env={**os.environ, "PN_BLOBS": str(FOLDER)},
        check=False,
    )
    said = done.stderr.decode(errors="replace")
    assert done.returncode == 0, said[-4000:]
    tried = re.search(r"number_of_executed_units: (\d+)", said)
    assert tried and int(tried[1]) >= len(list(kept.iterdir())), said[-1000:]
    sys.stderr.write(f"\n{program.name}: {tried[1]} inputs\n")


def run_guesses(parser: str, seconds: float) -> None:
    """The same of a parser of the kit."""
    command = [sys.executable, "-m", "tests.fuzz.guess", parser, str(seconds), "1"]
    done = process.run(command, cwd=ROOT, timeout_s=seconds + PATIENCE_S, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr).decode(errors="replace")[-4000:]
    sys.stderr.write(f"\n{done.text}")


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("target", TARGETS)
def test_c_withstands_changed_inputs(target: str, programs: Path, tmp_path: Path) -> None:
    run_libfuzzer(programs / f"fuzz_{target}", MOMENT_S, tmp_path)


@pytest.mark.timeout(1200)
def test_parsers_withstand_changed_inputs() -> None:
    run_guesses(",".join(PARSERS), MOMENT_S)


@pytest.mark.long
@pytest.mark.parametrize("target", TARGETS)
def test_c_withstands_ten_minutes(target: str, programs: Path) -> None:
    run_libfuzzer(programs / f"fuzz_{target}", LONG_S, FOLDER / "found" / target)


@pytest.mark.long
@pytest.mark.parametrize("parser", PARSERS)
def test_parsers_withstand_ten_minutes(parser: str) -> None:
    run_guesses(parser, LONG_S)
