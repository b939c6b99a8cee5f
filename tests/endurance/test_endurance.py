"""Long sound of every kind, in every way the interface has, through builds that stop at the first
undefined behaviour: addresses, memory never written, overflow of any kind. See endurance.c.

All builds must end with the same CRC, an instrumented one and the one that ships.
"""

import os
import re
from pathlib import Path

import pytest
import soundfile
import soxr

from kit import packages, process
from kit.build import HOST_TARGET, build
from kit.model.architecture import ARCHITECTURES
from kit.model.export import write_tflite
from kit.model.random_model import random_weights
from kit.paths import BUILD, ROOT

CLANG = f"{HOST_TARGET}+clang_x86_64"
GCC = HOST_TARGET
DEMO = ROOT / "kit" / "demo" / "noisy.flac"
RATES_HZ = (8000, 16000, 24000, 32000, 48000)
RELEASE, CHECKED, MEMORY = "", "checked", "memory"
PATIENCE_S = 3600.0
# Exits with this where it found something, which the program itself never does.
VALGRIND = ("valgrind", "--quiet", "--error-exitcode=99", "--leak-check=no")


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ten seconds of a real recording at every rate, RATE.raw."""
    folder = tmp_path_factory.mktemp("speech")
    samples, rate_hz = soundfile.read(DEMO, dtype="int16")
    for wanted_hz in RATES_HZ:
        resampled = soxr.resample(samples, rate_hz, wanted_hz)[: 10 * wanted_hz]
        (folder / f"{wanted_hz}.raw").write_bytes(resampled.tobytes())
    return folder


def build_programs(target: str, model: str) -> Path:
    """The folder of a target's trials; model: `tiny`, which targets have, or random weights."""
    if model == "tiny":
        build(f"trials-{target}")
        return BUILD / target
    path = BUILD / "trials" / f"{model}.tflite"
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = ARCHITECTURES[model]
    path.write_bytes(write_tflite(random_weights(shape), shape, {"name": model}))
    build(f"trials-{target}", str(path), below=f"trials/{model}")
    return BUILD / "trials" / model / target


def endure(
    folder: Path, variant: str, speech: Path, seconds: int, seed: int, under: tuple[str, ...] = ()
) -> str:
    """The CRC that a build ends with."""
    settings = {
        "PN_SECONDS": str(seconds),
        "PN_SEED": str(seed),
        "PN_SPEECH": str(speech),
        "PN_BLOB": str(folder / "gen" / "model.pnwb"),
    }
    command = [*under, folder / variant / "tests" / "endurance"]
    done = process.run(command, timeout_s=PATIENCE_S, env=os.environ | settings, check=False)
    said = (done.stdout + done.stderr).decode(errors="replace")
    found = re.search(rf"result=ok frames={100 * seconds} out_crc=([0-9a-f]{{8}})", said)
    assert done.returncode == 0 and found, said[-4000:]
    return found[1]


def test_ten_seconds_of_every_kind_of_sound(speech: Path) -> None:
    folder = build_programs(GCC, "tiny")
    crcs = {variant: endure(folder, variant, speech, 10, 7) for variant in (RELEASE, CHECKED)}
    assert crcs[RELEASE] == crcs[CHECKED]


@pytest.mark.long
@pytest.mark.parametrize(
    ("target", "model", "variant", "seconds"),
    [
        (CLANG, "tiny", CHECKED, 1800),
        (CLANG, "tiny", MEMORY, 900),
        (GCC, "tiny", CHECKED, 600),
        (CLANG, "full", CHECKED, 240),
        (CLANG, "full", MEMORY, 120),
    ],
)
def test_an_hour_of_every_kind_of_sound(
    target: str, model: str, variant: str, seconds: int, speech: Path
) -> None:
    folder = build_programs(target, model)
    seed = 11 + seconds
    expected = endure(folder, RELEASE, speech, seconds, seed)
    assert endure(folder, variant, speech, seconds, seed) == expected


@pytest.mark.long
def test_two_minutes_under_valgrind(speech: Path) -> None:
    packages.ensure_package("valgrind", "watching every access to memory")
    folder = build_programs(GCC, "tiny")
    expected = endure(folder, RELEASE, speech, 120, 5)
    assert endure(folder, RELEASE, speech, 120, 5, VALGRIND) == expected


@pytest.mark.long
@pytest.mark.parametrize("variant", [CHECKED, MEMORY])
def test_c_programs_pass_in_clangs_builds(variant: str) -> None:
    """The C tests themselves, where other tests run them as GCC builds them."""
    folder = build_programs(CLANG, "tiny") / variant / "tests"
    programs = sorted(folder.glob("test_*"))
    assert programs
    for program in programs:
        process.run([program], timeout_s=PATIENCE_S)
