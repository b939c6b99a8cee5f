"""`train` with wrong words: one clear error, exit code 2, nothing written."""

import pathlib

import pytest

from kit.cli import main


def run(tmp_path: pathlib.Path, *words: object) -> int:
    """Exit code of `train` over folders that are not there, unless words say otherwise."""
    folders = ("--speech", tmp_path / "speech", "--noise", tmp_path / "noise")
    places = ("--cache", tmp_path / "cache", "--out", tmp_path / "out")
    return main([str(word) for word in ("train", *folders, *places, *words)])


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ((), "no such folder"),
        (("--device", "tpu"), "no device `tpu`"),
        (("--device", "cuda:64"), "no CUDA device 64"),
        (("--speech", "absent.csv"), "cannot read the manifest absent.csv"),
        (("--precision", "int3"), "'int3' is not one of"),
        (("--start-from", "absent.tflite"), "does not exist"),
    ],
)
def test_wrong_words_end_with_one_error(
    words: tuple[str, ...],
    complaint: str,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(tmp_path, *words) == 2
    said = capsys.readouterr().err
    assert complaint in said.replace("\n", " ") and "Traceback" not in said
    assert not (tmp_path / "out").exists()


def test_a_run_is_not_overwritten_by_mistake(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "checkpoint.pt").write_bytes(b"hours of work")
    assert run(tmp_path) == 2
    said = capsys.readouterr().err
    assert "holds a run already" in said and "--resume" in said
