"""`percepnet denoise` as people use it: files, streams, mistakes and interruptions."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from kit.denoiser import LATENCY_SAMPLES, SAMPLE_RATE_HZ, Denoiser
from kit.errors import CheckFailed
from kit.paths import ROOT
from kit.verbs.denoise import _require_same

NOISY = ROOT / "kit" / "demo" / "noisy.flac"
CLEAN = ROOT / "kit" / "demo" / "clean.flac"
COMMAND = [sys.executable, "-m", "kit", "denoise"]
TIMEOUT_S = 120


@pytest.fixture(scope="module")
def noisy() -> np.ndarray:
    """The first three seconds of the demo recording, int16."""
    return soundfile.read(NOISY, frames=3 * SAMPLE_RATE_HZ, dtype="int16")[0]


@pytest.fixture(scope="module")
def denoised(noisy: np.ndarray) -> np.ndarray:
    """What the library makes of it."""
    return Denoiser().denoise(noisy, SAMPLE_RATE_HZ)


def denoise(*args: object, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run the command to its end."""
    words = [*COMMAND, *map(str, args)]
    return subprocess.run(
        words, cwd=ROOT, input=stdin, capture_output=True, timeout=TIMEOUT_S, check=False
    )


def si_sdr_db(estimate: np.ndarray, reference: np.ndarray) -> float:
    """Scale-invariant signal-to-distortion ratio."""
    estimate, reference = estimate.astype(float), reference.astype(float)
    projection = reference * (estimate @ reference) / (reference @ reference)
    error = estimate - projection
    return float(10 * np.log10((projection @ projection) / (error @ error)))


def test_a_stream_is_for_this_computer_alone():
    done = denoise("-", "-", "--target", "qemu_aarch64")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"a stream runs on this computer only" in done.stderr


def test_bytes_that_differ_are_told_with_the_first_place(capsys: pytest.CaptureFixture[str]):
    ours = np.zeros((1000, 1), np.int16)
    theirs = ours.copy()
    theirs[[500, 700]] = 1
    with pytest.raises(CheckFailed, match="a and b differ in 2 samples, first at 500") as caught:
        _require_same(theirs, ours, "a", "b")
    assert caught.value.hint.startswith("nothing was written")
    assert capsys.readouterr().out == ""


def test_a_forced_instruction_set_gives_the_same_bytes_and_an_unknown_one_an_error(
    tmp_path: Path, noisy: np.ndarray, denoised: np.ndarray
):
    source, result = tmp_path / "in.wav", tmp_path / "out.wav"
    soundfile.write(source, noisy, SAMPLE_RATE_HZ, subtype="PCM_16")
    assert denoise(source, result, "--isa", "scalar").returncode == 0
    assert np.array_equal(soundfile.read(result, dtype="int16")[0], denoised)
    result.unlink()
    for arguments in ((source, result), ("-", "-"), (source, result, "--target", "host_x86_64")):
        refused = denoise(*arguments, "--isa", "sse9")
        assert refused.returncode == 2
        assert b"instruction set `sse9`" in refused.stderr
    assert not result.exists()


def test_the_library_has_the_delay_that_python_takes_out():
    assert Denoiser().latency_samples == LATENCY_SAMPLES


def test_the_demo_recording_becomes_cleaner_and_stays_in_place():
    noisy, clean = (soundfile.read(path, dtype="int16")[0] for path in (NOISY, CLEAN))
    out = Denoiser().denoise(noisy, SAMPLE_RATE_HZ)
    before, after = si_sdr_db(noisy, clean), si_sdr_db(out, clean)
    assert after > before + 3, f"SI-SDR {before:.1f} dB before, {after:.1f} dB after"
    shifted = max(si_sdr_db(np.roll(out, shift), clean) for shift in (-480, -48, 48, 480))
    assert after > shifted + 3


def test_a_file_has_what_the_library_gives(tmp_path: Path, noisy, denoised):
    soundfile.write(tmp_path / "in.wav", noisy, SAMPLE_RATE_HZ)
    done = denoise(tmp_path / "in.wav", tmp_path / "out.flac")
    assert done.returncode == 0, done.stderr.decode()
    out, rate_hz = soundfile.read(tmp_path / "out.flac", dtype="int16")
    assert rate_hz == SAMPLE_RATE_HZ
    np.testing.assert_array_equal(out, denoised)


def test_a_stream_has_what_a_file_has(noisy, denoised):
    done = denoise("-", "-", stdin=noisy.tobytes())
    assert done.returncode == 0, done.stderr.decode()
    np.testing.assert_array_equal(np.frombuffer(done.stdout, np.int16), denoised)


def test_a_stream_answers_while_its_input_is_open(noisy, denoised):
    with subprocess.Popen(
        [*COMMAND, "-", "-"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as program:
        program.stdin.write(noisy[:1920].tobytes())
        first = program.stdout.read(960)
        program.stdin.close()
        rest = program.stdout.read()
    assert first == denoised[:480].tobytes()
    assert len(first + rest) == 2 * 1920


def test_rate_channels_length_and_sample_format_are_kept(tmp_path: Path):
    stereo = np.random.default_rng(5).normal(0, 0.05, (44_100 + 77, 2))
    soundfile.write(tmp_path / "in.wav", stereo, 44100, "PCM_24")
    done = denoise(tmp_path / "in.wav", tmp_path / "out.wav")
    assert done.returncode == 0, done.stderr.decode()
    info = soundfile.info(tmp_path / "out.wav")
    assert (info.samplerate, info.channels, info.frames) == (44100, 2, len(stereo))
    assert info.subtype == "PCM_24"


def test_channels_do_not_touch_each_other(tmp_path: Path, noisy, denoised):
    both = np.stack([noisy, np.zeros_like(noisy)], axis=1)
    soundfile.write(tmp_path / "in.wav", both, SAMPLE_RATE_HZ)
    assert denoise(tmp_path / "in.wav", tmp_path / "out.wav").returncode == 0
    out = soundfile.read(tmp_path / "out.wav", dtype="int16")[0]
    np.testing.assert_array_equal(out[:, 0], denoised)


def test_a_file_may_replace_itself(tmp_path: Path, noisy, denoised):
    path = tmp_path / "x.wav"
    soundfile.write(path, noisy, SAMPLE_RATE_HZ)
    assert denoise(path, path).returncode == 0
    np.testing.assert_array_equal(soundfile.read(path, dtype="int16")[0], denoised)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("nowhere.wav", "out.wav"), "no such file"),
        ((ROOT / "README.md", "out.wav"), "not a sound file"),
        ((NOISY, "out.mp3"), "cannot tell the format"),
        ((NOISY, "/nowhere/out.wav"), "does not exist"),
        ((NOISY, "-"), "needs `-` for both"),
        ((NOISY, "out.wav", "--target", "toaster"), "toaster"),
    ],
)
def test_a_mistake_is_told_in_words_and_leaves_nothing(tmp_path: Path, args, words: str):
    done = subprocess.run(
        [*COMMAND, *map(str, args)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 2
    assert words in done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert os.listdir(tmp_path) == []


def opened_in(folder: Path, process: int) -> set[str]:
    """What a process has open in a folder: files that have no name there yet, too."""
    links = set()
    for descriptor in Path(f"/proc/{process}/fd").iterdir():
        with contextlib.suppress(OSError):
            links.add(os.readlink(descriptor))
    return {link for link in links if link.startswith(f"{folder}/")}


def test_ctrl_c_leaves_the_old_output_and_nothing_else(tmp_path: Path):
    source, out = tmp_path / "long.wav", tmp_path / "out.wav"
    soundfile.write(source, np.zeros(1800 * SAMPLE_RATE_HZ, np.int16), SAMPLE_RATE_HZ)
    out.write_bytes(b"the old file")
    program = subprocess.Popen([*COMMAND, source, out], cwd=ROOT, stderr=subprocess.PIPE)
    deadline = time.monotonic() + TIMEOUT_S
    while not opened_in(tmp_path, program.pid) - {str(source)}:
        assert time.monotonic() < deadline
        assert program.poll() is None, program.stderr.read().decode()
        time.sleep(0.01)
    program.send_signal(signal.SIGINT)
    assert b"Traceback" not in program.communicate(timeout=TIMEOUT_S)[1]
    assert program.returncode not in (0, 1)
    assert out.read_bytes() == b"the old file"
    assert sorted(os.listdir(tmp_path)) == ["long.wav", "out.wav"]
