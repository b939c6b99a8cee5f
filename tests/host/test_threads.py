"""States in threads: no data race that ThreadSanitizer could find, and the bytes of each alone."""

from pathlib import Path

import pytest

from kit import process
from kit.paths import BUILD, ROOT
from tests.native import NativeBuild

FLAGS = ("-O1", "-fsanitize=thread", "-pthread")
STATES = 16
HOUR_MS = 3600 * 1000
SOURCE = "tests/host/threads.c"
LONGEST_S = 4 * 3600.0


@pytest.fixture(scope="module")
def build() -> NativeBuild:
    """The library with ThreadSanitizer in it."""
    return NativeBuild(BUILD / "threads", FLAGS)


def run(build: NativeBuild, source: str, sound_ms: int) -> process.Result:
    """Run the states alone, then together: `sound_ms` of each."""
    objects = [build.unit(source).object, *(unit.object for unit in build.library)]
    program = build.link(build.folder / Path(source).stem, objects)
    return process.run([program, str(sound_ms // 100)], timeout_s=LONGEST_S, check=False)


def test_states_in_threads_share_nothing(build: NativeBuild) -> None:
    done = run(build, SOURCE, 300)
    assert done.returncode == 0, done.text + done.stderr.decode()
    assert done.text == f"states={STATES} sound_ms={STATES * 300} different=0\n"


def test_the_sanitizer_finds_a_race(build: NativeBuild) -> None:
    """Two threads with one state, which is what it is there to find."""
    text = (ROOT / SOURCE).read_text(encoding="utf-8")
    call = "    run_together(streams);"
    assert text.count(call) == 1
    broken = build.folder / "race.c"
    broken.write_text(text.replace(call, "    streams[1] = streams[6];\n" + call))
    assert b"data race" in run(build, str(broken), 100).stderr


@pytest.mark.long
def test_an_hour_of_sound_in_threads(build: NativeBuild) -> None:
    done = run(build, SOURCE, HOUR_MS // STATES)
    assert done.returncode == 0, done.text + done.stderr.decode()
    assert done.text == f"states={STATES} sound_ms={HOUR_MS} different=0\n"
