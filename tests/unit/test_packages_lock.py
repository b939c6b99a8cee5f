"""The lock of Python packages: it is of this pyproject.toml, whole, hashed, and names no place."""

import importlib.metadata
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from kit.paths import ROOT

sys.path.insert(0, str(ROOT / "tools"))

import lock_packages  # noqa: E402

TEXT = lock_packages.LOCK.read_text()
LOCK = tomllib.loads(TEXT)
PROJECT = tomllib.loads(lock_packages.PROJECT.read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
HOW = "make it anew: python tools/lock_packages.py"
# In the group of those two, which the launcher installs beside `train`.
TORCH = {"torch"}


def pins(*groups: str) -> dict[str, set[str]]:
    """Versions by name that are installed here for these groups."""
    found: dict[str, set[str]] = {}
    for line in (line for group in groups for line in LOCK["groups"][group]):
        asked = Requirement(line)
        if not asked.marker or asked.marker.evaluate():
            found.setdefault(canonicalize_name(asked.name), set()).add(str(asked.specifier))
    return found


def test_the_lock_is_of_this_pyproject():
    assert LOCK["project"] == lock_packages.fingerprint(PROJECT), HOW


@pytest.mark.parametrize("extra", ["core", *EXTRAS])
def test_what_pyproject_names_is_pinned_to_the_same_version(extra: str):
    asked = [Requirement(line) for line in [*PROJECT["dependencies"], *EXTRAS.get(extra, ())]]
    found = pins("core", extra, "cuda")
    for one in asked:
        if not one.marker or one.marker.evaluate():
            assert found[canonicalize_name(one.name)] == {str(one.specifier)}


@pytest.mark.parametrize("extra", ["core", *EXTRAS])
def test_what_packages_need_is_locked_too(extra: str):
    found = pins("core", extra)
    for name in found:
        try:
            needs = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue  # of an extra that is not installed here
        for need in map(Requirement, needs):
            if not need.marker or need.marker.evaluate({"extra": ""}):
                missing = {canonicalize_name(need.name)} - found.keys() - TORCH
                assert not missing, f"{name} needs it. {HOW}"


def test_every_package_has_one_version_and_hashes():
    for versions in pins("core", *EXTRAS).values():
        assert len(versions) == 1
    for line in (line for lines in LOCK["groups"].values() for line in lines):
        hashes = LOCK["hashes"][line.partition(" ")[0]]
        assert hashes and all(re.fullmatch("sha256:[0-9a-f]{64}", found) for found in hashes)


def test_the_lock_names_no_index():
    assert not re.search("://|index|find-links", TEXT)


def test_a_package_of_other_bytes_is_refused(tmp_path: Path):
    wheel = tmp_path / "click-8.5.1-py3-none-any.whl"
    wheel.write_bytes(b"not the click that was locked")
    hashes = " ".join(f"--hash={found}" for found in LOCK["hashes"]["click==8.5.1"])
    (tmp_path / "requirements.txt").write_text(f"click==8.5.1 {hashes}\n")
    command = [sys.executable, "-m", "pip", "install", "--no-deps", "--require-hashes"]
    command += ["--isolated", "--no-index", "--find-links", tmp_path, "--target", tmp_path / "to"]
    done = subprocess.run(
        [*command, "-r", tmp_path / "requirements.txt"], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0 and "DO NOT MATCH THE HASHES" in done.stderr
