"""The lock of build/: one at a time, nobody waits for ever, and a file taken away is none."""

import fcntl
from pathlib import Path

import pytest

from kit import lock
from kit.errors import KitError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """In the place of build/, which is not there yet."""
    monkeypatch.setattr(lock, "BUILD", tmp_path / "build")
    return tmp_path / "build"


def test_who_waits_too_long_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "LOCK_TIMEOUT_S", 0.2)
    with lock.build_lock():
        with pytest.raises(KitError, match="another build holds .*build/.lock") as caught:
            lock.acquire_build_lock()
        assert caught.value.hint == "wait for it, or end it"
    with lock.build_lock():
        pass


def test_a_lock_that_was_taken_away_meanwhile_is_taken_anew(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who cleans up holds it, and takes all of build/ away, it too."""
    flock, held = fcntl.flock, []

    def taken_away(file, how: int) -> None:
        if not held:
            (folder / lock.LOCK_NAME).unlink()
        flock(file, how)
        held.append(file)

    monkeypatch.setattr(lock.fcntl, "flock", taken_away)
    with lock.build_lock():
        assert len(held) == 2 and held[0].closed
        assert lock._is_at(held[1], folder / lock.LOCK_NAME)
