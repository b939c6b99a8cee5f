"""The Java class and its native methods on this computer's JVM, against the C library itself.

The library is built as Android's is (the same JNI code, exports and linker flags), for this
computer. tests/java/PercepnetTest.java has the tests; each runs in a JVM of its own, where the JVM
checks every call of native code.
"""

import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

import kit
from kit import host, java
from kit.build import HOST_JNI, build
from kit.denoiser import Denoiser
from kit.errors import KitError
from kit.paths import BUILD, FIRMWARE, ROOT

JVM_TIMEOUT_S = 120
FRAMES = 100
HOST = BUILD / "host_x86_64"
SOURCES = sorted((FIRMWARE / "android" / "java").rglob("*.java"))


@pytest.fixture(scope="module")
def classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The class and its tests, compiled; the native library built."""
    build(HOST_JNI)
    folder = tmp_path_factory.mktemp("classes")
    made = java.compile_classes([*SOURCES, *(ROOT / "tests" / "java").glob("*.java")])
    for name, content in made.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture(scope="module")
def noisy() -> np.ndarray:
    """A second of the demo recording at 48 kHz, int16."""
    return soundfile.read(ROOT / "kit/demo/noisy.flac", frames=FRAMES * 480, dtype="int16")[0]


def run(classes: Path, *words: object) -> None:
    """Run one test of PercepnetTest; fail with what it said."""
    options = ["-Xcheck:jni", "-Xmx64m", "-XX:MaxDirectMemorySize=16m", "-ea"]
    command = ["java", *options, f"-Djava.library.path={HOST / 'jni'}", "-cp", str(classes)]
    done = subprocess.run(
        [*command, "PercepnetTest", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=JVM_TIMEOUT_S,
        check=False,
        cwd=classes,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert f"passed {words[0]}" in done.stdout
    assert "WARNING" not in said, said


def denoised(classes: Path, folder: Path, sound: np.ndarray, *words: object) -> np.ndarray:
    """What Java makes of sound; words: rate, ISA, kind of samples, frames in each call."""
    source, result = folder / "in.raw", folder / "out.raw"
    source.write_bytes(sound.tobytes())
    run(classes, "denoise", source, result, *words)
    return np.frombuffer(result.read_bytes(), sound.dtype)


def test_a_jdk_without_headers_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiler = tmp_path / "jdk" / "bin" / "javac"
    compiler.parent.mkdir(parents=True)
    compiler.touch(0o755)
    monkeypatch.setenv("PATH", str(compiler.parent))
    with pytest.raises(KitError, match="`.*/jdk` has no include/jni.h") as caught:
        java.include_folders()
    assert "default-jdk-headless" in caught.value.hint


@pytest.mark.parametrize(
    ("rate_hz", "isa", "frames"),
    [(48000, "best", 1), (48000, "scalar", 2), (16000, "best", 5), (8000, "best", 1)],
)
def test_java_gives_the_bytes_of_the_c_library(
    classes: Path, tmp_path: Path, noisy: np.ndarray, rate_hz: int, isa: str, frames: int
) -> None:
    out = denoised(classes, tmp_path, noisy, rate_hz, isa, "pcm16", frames)
    np.testing.assert_array_equal(out, Denoiser(sample_rate_hz=rate_hz).process(noisy))


def test_floats_in_java_are_floats_in_c(classes: Path, tmp_path: Path, noisy: np.ndarray) -> None:
    sound = (noisy / 32768).astype(np.float32)
    out = denoised(classes, tmp_path, sound, 48000, "best", "float", 1)
    ffi, lib = host.load()
    memory = ffi.new("char[]", lib.pn_state_size() + 16)
    state = ffi.cast("pn_state_t *", memory + -int(ffi.cast("uintptr_t", memory)) % 16)
    assert lib.pn_init(state, 48000, ffi.NULL) == 0
    expected = sound.copy()
    for start in range(0, len(sound), 480):
        frame = ffi.from_buffer("float[]", expected[start : start + 480])
        lib.pn_process_float(state, frame, frame)
    np.testing.assert_array_equal(out, expected)


def test_the_sample_app_uses_the_class_as_it_is(tmp_path: Path) -> None:
    """Android's own classes are not at hand: of what javac says, only what is ours counts."""
    sample = sorted((FIRMWARE / "android" / "sample").rglob("*.java"))
    command = ["javac", "--release", "8", "-XDshould-stop.ifError=FLOW", "-Xmaxerrs", "1000"]
    done = subprocess.run(
        [*command, "-d", tmp_path, *SOURCES, *sample], capture_output=True, text=True, check=False
    )
    assert len(sample) == 2
    assert "package android.media does not exist" in done.stderr
    ours = ("variable percepnet", "variable loop", "class Percepnet", "expected", "incompatible")
    assert not [line for line in done.stderr.splitlines() if any(word in line for word in ours)]


def test_getters_tell_what_c_tells(classes: Path) -> None:
    ffi, lib = host.load()
    run(classes, "facts", Denoiser().isa, ffi.string(lib.pn_version()).decode())


@pytest.mark.parametrize("name", ["closed", "race", "allocation", "arguments", "forgotten"])
def test_the_java_class_holds_against(classes: Path, name: str) -> None:
    run(classes, name)


def test_weights_are_read_in_place_or_copied_from_any_buffer(
    classes: Path, tmp_path: Path, noisy: np.ndarray
) -> None:
    (tmp_path / "in.raw").write_bytes(noisy.tobytes())
    blob = HOST / "gen" / "model.pnwb"
    run(classes, "weights", blob, tmp_path / "in.raw", tmp_path / "out.raw")
    out = np.frombuffer((tmp_path / "out.raw").read_bytes(), np.int16)
    np.testing.assert_array_equal(out, kit.Denoiser().process(noisy))


def test_damaged_weights_are_refused_and_change_nothing(
    classes: Path, tmp_path: Path, noisy: np.ndarray
) -> None:
    (tmp_path / "in.raw").write_bytes(noisy.tobytes())
    blob = HOST / "gen" / "model.pnwb"
    run(classes, "damage", blob, tmp_path / "in.raw", tmp_path / "out.raw")
    out = np.frombuffer((tmp_path / "out.raw").read_bytes(), np.int16)
    np.testing.assert_array_equal(out, kit.Denoiser().process(noisy))
