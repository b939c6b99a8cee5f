"""`percepnet build`: what was built, what it takes, and what the compiler says."""

import json
from pathlib import Path

import pytest

from kit import cli
from kit.build import HOST_LIBRARY, build, program_path
from kit.errors import KitError
from kit.host import HOST_TARGET
from kit.paths import BUILD
from kit.target import load_target


def test_a_target_is_built_and_its_sizes_are_written(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "sizes.json"
    assert cli.main(["build", HOST_TARGET, "--json", str(path)]) == 0
    assert f"{HOST_TARGET} is up to date in build/{HOST_TARGET}/" in capfd.readouterr().out
    assert path.read_bytes() == (BUILD / HOST_TARGET / "size.json").read_bytes()
    assert json.loads(path.read_text())["denoise_stream"]["text"] > 100_000
    assert cli.main(["build", HOST_TARGET]) == 0
    assert "Nothing to be done" in capfd.readouterr().out


def test_sizes_without_a_model_are_none(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Rather than those of an earlier build."""
    path = tmp_path / "sizes.json"
    assert cli.main(["build", HOST_TARGET, "--model", "none", "--json", str(path)]) == 2
    assert "--json is of programs, which take a model" in capfd.readouterr().err
    assert not path.exists()


@pytest.mark.parametrize("show", [False, True])
def test_a_build_that_fails_says_what_was_said(
    show: bool, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(KitError, match="building `host-lib` failed") as caught:
        build(HOST_LIBRARY, model=str(tmp_path / "none.tflite"), show=show)
    said = capfd.readouterr().err if show else caught.value.hint
    assert "none.tflite` does not exist" in said
    assert bool(caught.value.hint) != show


def test_a_program_that_was_not_built_is_answered_with_those_that_were() -> None:
    build(HOST_TARGET)
    with pytest.raises(KitError, match="has no program `selftext`") as caught:
        program_path(load_target(HOST_TARGET), "selftext")
    assert "selftest" in caught.value.hint
