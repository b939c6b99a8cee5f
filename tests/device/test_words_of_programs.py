"""Programs that say other things than they should: scripts, run as this computer's programs are."""

import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kit.bench.device import _regions
from kit.build import build
from kit.devtest.parallel import run_on
from kit.devtest.protocol import read_report
from kit.errors import DeviceError
from kit.remote import RemoteDenoiser, denoise_through_files, packet
from kit.runner import Capabilities, Session, Started, run_programs, start_program
from kit.runner import _session as sessions
from kit.runner.local import LocalRunner
from kit.target import load_target

HERE = "host_x86_64"
BOOT = 'echo "PN_BOOT run=$PN_RUN fw=f model=m isa=scalar"\n'
HOP = np.zeros(480, np.int16)
FRAME_BYTES = len(packet(b"F", 0)) + HOP.nbytes


class Scripted(LocalRunner):
    """Starts a script, whatever program is asked for."""

    def __init__(self, script: Path) -> None:
        super().__init__(load_target(HERE))
        self._script = script

    def start(self, program: Path, *words: object) -> Started:
        return super().start(self._script, *words)


@pytest.fixture
def saying(tmp_path: Path) -> Callable[..., Scripted]:
    """Makes a runner whose program is a shell script."""
    build(HERE)

    def make(text: str, ahead: int = 1) -> Scripted:
        script = tmp_path / "folder" / "tests" / "script"
        script.parent.mkdir(parents=True, exist_ok=True)
        script.write_text(f"#!/bin/sh\n{text}")
        script.chmod(0o755)
        runner = Scripted(script)
        runner.capabilities = Capabilities(
            emulated=False, exit_code=True, end_of_input=True, packets_ahead=ahead
        )
        return runner

    return make


def answering(answer: bytes, ahead: int = 1) -> str:
    """A script that starts well and answers each frame alike."""
    octal = "".join(f"\\{byte:03o}" for byte in answer)
    again = f"while head -c {FRAME_BYTES} >/dev/null; do printf '{octal}'; done"
    return f"{BOOT}{again}" if ahead == 1 else f"{BOOT}printf '{octal}'; exec sleep 30"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("echo hello", "`denoise_stream` did not start: its first line is 'hello'"),
        ("exit 0", "`denoise_stream` did not start: its first line is ''"),
        (BOOT.replace("$PN_RUN", "older"), "the device still runs older firmware"),
    ],
)
def test_a_program_that_is_another_is_told_of(saying, text: str, words: str) -> None:
    with pytest.raises(DeviceError, match=words):
        RemoteDenoiser(saying(text), rebuild=False)


BODY = b"F\x01" + HOP.tobytes()
WRONG_CRC = b"\xa5\x5a" + BODY + (zlib.crc32(BODY) ^ 1).to_bytes(4, "little")


@pytest.mark.parametrize(
    ("answer", "ahead", "words"),
    [
        (b"PN_X", 1, "sent b'PN_X' in place of a packet"),
        (WRONG_CRC, 1, "sent a packet with a wrong CRC"),
        (packet(b"N", 1), 1, "did not understand a packet 3 times"),
        (packet(b"N", 1), 2, "did not understand a packet on a line that loses nothing"),
    ],
)
def test_an_answer_that_is_none_ends_a_conversation(
    saying, answer: bytes, ahead: int, words: str
) -> None:
    runner = saying(answering(answer, ahead), ahead)
    with (
        pytest.raises(DeviceError, match=words),
        RemoteDenoiser(runner, rebuild=False) as remote,
    ):
        remote.process(HOP)


def test_a_recording_that_comes_back_short_is_refused(saying) -> None:
    runner = saying(f'{BOOT}head -c 100 "$1" >"$2"; echo "PN_DONE bad=0"')
    with pytest.raises(DeviceError, match="`denoise_file` wrote 100 bytes instead of 960"):
        denoise_through_files(runner, HOP)


def test_a_run_that_ends_too_early_is_an_error(saying) -> None:
    told: list[str] = []
    run = run_on(saying(BOOT), "bench", told=told.append)
    assert run.report is None and run.error is not None
    assert len(told) == 1 and told[0].startswith("PN_BOOT run=")


def test_the_exit_code_stays_what_it_was(saying) -> None:
    session = start_program(saying("exit 7"), Path("any"), [], {})
    assert isinstance(session, Session)
    assert session.close() == session.close() == 7


def test_c_programs_that_fail_are_shown_with_their_words(
    saying, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One fails by itself, one says nothing that ends."""
    for text in ("echo it broke; exit 3", "echo first; exec tr '\\000' x </dev/zero"):
        runner = saying(text)
        monkeypatch.setattr(sessions, "SILENCE_TIMEOUT_S", 20.0)
        monkeypatch.setattr("kit.runner.make_runner", lambda _target, made=runner: made)
        assert run_programs(runner.target, [Path(runner._script)]) == 1
        out = capsys.readouterr().out
        assert "  FAIL  folder/script" in out and f"{HERE}: 0 of 1 C tests passed" in out
        assert ("        it broke" if "broke" in text else "without the end of a line") in out


def test_a_profile_without_times_is_refused() -> None:
    words = ["PN_BOOT run=1 fw=f model=m isa=scalar", "PN_BENCH name=pitch mode=burst n=9 p50_ns=1"]
    with pytest.raises(DeviceError, match="the report of `profile` lacks 'p99_ns'"):
        _regions(read_report([*words, "PN_DONE bad=0"], "1"))
