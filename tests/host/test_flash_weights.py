"""`flash --weights` as people call it, on this computer: a file stands for the flash."""

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from kit import cli, host, process
from kit.build import BUILD, HOST_TARGET, build
from kit.devtest.protocol import parse_line
from kit.errors import DeviceError
from kit.remote import FRAME, QUIT, packet
from kit.runner import Session, _session, make_runner, open_session
from kit.target import load_target
from kit.update import Transfer, send_weights, session, update_weights
from kit.update.weights import source_hash
from tests.host.update_device import host_packing, make_blob, sealed

HOP = 480
FRAMES = 30
OTHER_LAYOUT = {"nr32c4": "rm16", "rm16": "nr32c4"}


@pytest.fixture(scope="module", autouse=True)
def programs() -> Iterator[None]:
    """Built once, not by every command."""
    build(HOST_TARGET)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_session, "build", lambda *_words: None)
        yield


@pytest.fixture(autouse=True)
def flash_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The device of this test: its flash, erased."""
    monkeypatch.setattr(session, "FLASH_FILE", str(tmp_path / "weights.flash"))
    return tmp_path / "weights.flash"


def flash(capsys: pytest.CaptureFixture[str], weights: Path | str) -> tuple[int, str, str]:
    code = cli.main(["flash", "--weights", str(weights), "--target", HOST_TARGET])
    return code, *capsys.readouterr()


def written(folder: Path, blob: bytes) -> Path:
    path = folder / "weights.pnwb"
    path.write_bytes(blob)
    return path


def device(flash_file: Path) -> Session:
    return open_session(
        HOST_TARGET, session.APP, settings={"PN_FLASH": str(flash_file)}, rebuild=False
    )


def running(flash_file: Path) -> str:
    """Hash of the model that a device says at its start to run."""
    with device(flash_file) as started:
        boot = parse_line(next(started.lines()))
        started.write(packet(QUIT, 0))
    return boot.fields["model"]


def test_a_model_s_name_is_enough(capsys, flash_file: Path) -> None:
    name = load_target(HOST_TARGET).model
    blob = (BUILD / HOST_TARGET / "gen" / "model.pnwb").read_bytes()
    code, out, err = flash(capsys, name)
    assert code == 0, err
    assert f"runs weights {source_hash(blob)}: {len(blob)} bytes; self-test passed" in out
    code, out, _ = flash(capsys, name)
    assert (code, "already" in out) == (0, True)


def test_the_new_weights_are_those_that_denoise(capsys, tmp_path: Path, flash_file: Path) -> None:
    blob = make_blob(1)
    assert flash(capsys, written(tmp_path, blob))[0] == 0
    assert running(flash_file) == source_hash(blob)
    rng = np.random.Generator(np.random.PCG64(3))
    pcm = rng.integers(-20000, 20000, HOP * FRAMES, np.int16)
    expected = denoised_here(pcm, blob)
    assert (expected != denoised_here(pcm, None)).any()
    got = []
    with device(flash_file) as started:
        next(started.lines())
        for number in range(FRAMES):
            payload = pcm[HOP * number : HOP * (number + 1)].astype("<i2").tobytes()
            started.write(packet(FRAME, number, payload))
            got.append(started.read_exact(len(payload) + 8)[4:-4])
        started.write(packet(QUIT, 0))
    np.testing.assert_array_equal(np.frombuffer(b"".join(got), "<i2"), expected)


def denoised_here(pcm: np.ndarray, blob: bytes | None) -> np.ndarray:
    """By the library in this process, with a blob or its own weights."""
    ffi, lib = host.load()
    memory = ffi.new("long double[]", lib.pn_state_size() // 16 + 1)
    state = ffi.cast("pn_state_t *", memory)
    assert lib.pn_init(state, 48000, ffi.NULL) == 0
    aligned = ffi.new("uint8_t[]", len(blob or b"") + 64)
    view = aligned + -int(ffi.cast("uintptr_t", aligned)) % 64
    if blob:
        ffi.memmove(view, blob, len(blob))
        assert lib.pn_load_weights(state, view, len(blob)) == 0
    out = np.empty_like(pcm)
    for start in range(0, len(pcm), HOP):
        hop = slice(start, start + HOP)
        lib.pn_process(state, *(ffi.from_buffer("int16_t[]", x[hop]) for x in (pcm, out)))
    return out


def test_an_update_that_was_cut_off_goes_on(capsys, tmp_path: Path, flash_file: Path) -> None:
    """The device is killed in the middle, as by a power loss."""
    blob = make_blob(2)

    def die(done: int, total: int) -> None:
        if done > total * 0.7:
            started.kill()

    started = device(flash_file)
    with pytest.raises(DeviceError):
        send_weights(started, Transfer(blob), die)
    built_in = (BUILD / HOST_TARGET / "gen" / "model.pnwb").read_bytes()
    assert running(flash_file) == source_hash(built_in)
    code, out, err = flash(capsys, written(tmp_path, blob))
    assert code == 0, err
    there = int(out.partition("the first ")[2].partition(" ")[0])
    assert there > len(blob) * 0.3
    assert running(flash_file) == source_hash(blob)


def with_word(at: int, value: int) -> bytes:
    blob = make_blob(2)
    return sealed(blob[:at] + struct.pack("<I", value) + blob[at + 4 :])


REFUSED = {
    "of another format version": lambda: with_word(4, 99),
    "of another network": lambda: with_word(16, 99),
    "packed for other kernels": lambda: make_blob(2, layout=OTHER_LAYOUT[host_packing().name]),
    "a matrix of the blob is damaged": lambda: with_word(64 + 4, 99),
    "it went back to the old ones": lambda: with_word(48, 99),
    "is damaged: its checksum is wrong": lambda: make_blob(2)[:-70] + b"?" + make_blob(2)[-69:],
    "is cut short": lambda: make_blob(2)[:-1],
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_is_wrong_with_weights_is_said(
    capsys, tmp_path: Path, flash_file: Path, words: str
) -> None:
    assert flash(capsys, written(tmp_path, make_blob(1)))[0] == 0
    code, out, err = flash(capsys, written(tmp_path, REFUSED[words]()))
    assert (code, out) == (2, "")
    assert words in err
    assert running(flash_file) == source_hash(make_blob(1))


def test_weights_that_are_not_there_are_named(capsys) -> None:
    code, _, err = flash(capsys, "tinny")
    assert code == 2
    assert "no weights `tinny`" in err
    assert "tiny" in err


def test_a_program_and_weights_at_once_are_refused(capsys) -> None:
    code = cli.main(["flash", "bench", "--weights", "tiny", "--target", HOST_TARGET])
    assert code == 2
    assert "either APP or --weights" in capsys.readouterr().err


def test_a_signature_is_checked_for_its_size(capsys, tmp_path: Path) -> None:
    (tmp_path / "signature").write_bytes(b"yours sincerely")
    words = ["--signature", str(tmp_path / "signature"), "--target", HOST_TARGET]
    assert cli.main(["flash", "--weights", "tiny", *words]) == 2
    assert "is no Ed25519 signature" in capsys.readouterr().err
    assert cli.main(["flash", *words]) == 2
    assert "--signature is of --weights" in capsys.readouterr().err


def test_a_dry_run_sends_nothing(capsys, flash_file: Path, monkeypatch) -> None:
    monkeypatch.setattr(process, "dry_run", False)
    code = cli.main(["flash", "--weights", "tiny", "--target", HOST_TARGET, "--dry-run"])
    assert code == 0
    assert "nothing was done" in capsys.readouterr().out
    assert not flash_file.exists()


def test_a_flash_file_of_another_size_is_left_alone(flash_file: Path) -> None:
    flash_file.write_bytes(b"my diary")
    with pytest.raises(DeviceError, match="which stands for its flash"):
        update_weights(make_runner(load_target(HOST_TARGET)), make_blob(1))
    assert flash_file.read_bytes() == b"my diary"
