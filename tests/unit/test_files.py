"""Outputs appear whole or not at all; what is on its way has no name and is nobody else's."""

import errno
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from kit import files
from kit.errors import KitError
from kit.files import (
    atomic_output,
    replace_folder,
    scratch_folder,
    write_atomically,
    write_json,
)
from kit.paths import ROOT

FILLS_AND_WAITS = """
import sys, time
from pathlib import Path
from kit.files import atomic_output, scratch_folder
with scratch_folder(Path(sys.argv[1])) as folder, atomic_output(Path(sys.argv[2])) as output:
    (folder / "half").touch()
    output.write_bytes(b"half")
    print("ready", flush=True)
    time.sleep(60)
"""


@pytest.fixture(params=["nameless", "named"])
def system(request, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both kinds of file system: those that know files without a name, and the others."""
    if request.param == "named":
        original = os.open

        def refusing(path, flags, *words, **more):
            if flags & os.O_TMPFILE == os.O_TMPFILE:
                raise OSError(errno.EOPNOTSUPP, "not here")
            return original(path, flags, *words, **more)

        monkeypatch.setattr(files.os, "open", refusing)
    return request.param


def test_a_clean_exit_puts_the_new_file_in_the_old_one_s_place(system: str, tmp_path: Path):
    path = tmp_path / "out"
    for content in (b"first", b"second"):
        with atomic_output(path) as temporary:
            temporary.write_bytes(content)
            assert not path.exists() or path.read_bytes() == b"first"
        assert path.read_bytes() == content
    assert os.listdir(tmp_path) == ["out"]


def test_an_error_leaves_what_was_there(system: str, tmp_path: Path):
    path = tmp_path / "out"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), atomic_output(path) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["out"]


def test_the_mode_is_that_of_the_file_before_or_what_the_umask_says(system: str, tmp_path: Path):
    path = tmp_path / "out"
    mask = os.umask(0o027)
    try:
        write_atomically(path, b"new")
    finally:
        os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    path.chmod(0o604)
    write_atomically(path, b"newer")
    assert stat.S_IMODE(path.stat().st_mode) == 0o604


def test_a_file_on_its_way_is_nobody_else_s(tmp_path: Path):
    with atomic_output(tmp_path / "out") as temporary:
        temporary.write_text("secret")
        assert os.listdir(tmp_path) == []


def test_a_long_name_can_be_written(system: str, tmp_path: Path):
    name = "ä" * 127
    write_atomically(tmp_path / name, b"new")
    assert os.listdir(tmp_path) == [name]


def test_a_folder_s_missing_parents_are_made_but_not_through_a_file(tmp_path: Path):
    write_atomically(tmp_path / "a" / "b" / "c", b"new")
    with pytest.raises(KitError, match="cannot write"):
        write_atomically(tmp_path / "a" / "b" / "c" / "d", b"new")
    with pytest.raises(KitError, match="it is a folder"):
        write_atomically(tmp_path / "a", b"new")


def test_a_folder_that_came_meanwhile_stays(system: str, tmp_path: Path):
    path = tmp_path / "out"
    with pytest.raises((KitError, OSError)), atomic_output(path) as temporary:
        temporary.write_text("new")
        path.mkdir()
    assert os.listdir(tmp_path) == ["out"]
    assert path.is_dir()


def test_a_folder_that_has_gone_takes_no_other_s_place(tmp_path: Path):
    path = tmp_path / "path"
    path.mkdir()
    with pytest.raises(KitError, match="cannot write"):
        replace_folder(tmp_path / "gone", path)
    assert os.listdir(tmp_path) == ["path"]


def test_another_account_s_scratch_folder_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    left = tmp_path / f"{files._SCRATCH}left"
    left.mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(files.os, "getuid", lambda: os.geteuid() + 1)
        with scratch_folder(tmp_path):
            assert left.is_dir()
    with scratch_folder(tmp_path):
        assert not left.exists()


def test_a_folder_takes_another_s_place_in_one_step(tmp_path: Path):
    new, path = tmp_path / "new", tmp_path / "path"
    for content in ("first", "second"):
        new.mkdir()
        (new / "file").write_text(content)
        replace_folder(new, path)
        assert (path / "file").read_text() == content
    assert (new / "file").read_text() == "first"


def test_a_scratch_folder_is_private_and_goes(tmp_path: Path):
    with scratch_folder(tmp_path / "made") as folder:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        with scratch_folder(tmp_path / "made") as other:
            assert folder.is_dir() and other.is_dir() and folder != other
    assert os.listdir(tmp_path / "made") == []


def test_the_next_one_takes_away_what_a_killed_process_left(tmp_path: Path):
    child = subprocess.Popen(
        [sys.executable, "-c", FILLS_AND_WAITS, tmp_path, tmp_path / "out"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    with child:
        assert child.stdout.readline() == b"ready\n"
        with scratch_folder(tmp_path):
            assert len(os.listdir(tmp_path)) == 2, "one that is in use stays"
        child.kill()
    assert len(os.listdir(tmp_path)) == 1
    with scratch_folder(tmp_path) as folder:
        assert os.listdir(tmp_path) == [folder.name]


def test_figures_are_json_for_everybody(tmp_path: Path):
    path = tmp_path / "figures.json"
    write_json(path, {"a\x1b\udcff": (1.5, float("nan"), [float("-inf"), "\u202e", None, True])})
    text = path.read_bytes()
    assert text.isascii() and not set(text) & (set(range(32)) - {10})
    read = json.loads(text, parse_constant=pytest.fail)
    assert read == {"a\x1b\udcff": [1.5, None, [None, "\u202e", None, True]]}
