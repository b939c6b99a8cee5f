"""Packages: reproducible archives, formats found by their files, and mistakes told clearly."""

import io
import stat
import tarfile
import zipfile

import pytest

from kit import cli
from kit.package import Format, Request, _base, format_names, make_format
from kit.package._archive import Link, Program, tar_gz, write_folder, zip_
from kit.package._libraries import public_functions, version_script
from kit.target import load_target

FILES = {"b.txt": b"bee" * 100, "bin/run": Program(b"#!/bin/sh\n"), "a": Link("b.txt")}


def test_archives_do_not_depend_on_the_order_of_their_files():
    backwards = dict(reversed(FILES.items()))
    assert tar_gz(FILES) == tar_gz(backwards)
    assert zip_(FILES) == zip_(backwards)


def test_a_tarball_is_sorted_dateless_and_keeps_links_and_modes():
    with tarfile.open(fileobj=io.BytesIO(tar_gz(FILES))) as archive:
        members = archive.getmembers()
        content = archive.extractfile("b.txt").read()
    assert [m.name for m in members] == ["a", "b.txt", "bin/run"]
    assert {(m.mtime, m.uid, m.gid, m.uname, m.gname) for m in members} == {(0, 0, 0, "", "")}
    assert members[0].issym() and members[0].linkname == "b.txt"
    assert [m.mode for m in members[1:]] == [0o644, 0o755]
    assert content == FILES["b.txt"]


def test_a_zip_is_sorted_dateless_and_keeps_links_and_modes():
    with zipfile.ZipFile(io.BytesIO(zip_(FILES))) as archive:
        members = archive.infolist()
        content = [archive.read(name) for name in ("a", "b.txt")]
    assert [m.filename for m in members] == ["a", "b.txt", "bin/run"]
    assert {m.date_time for m in members} == {(1980, 1, 1, 0, 0, 0)}
    modes = [m.external_attr >> 16 for m in members]
    assert stat.S_ISLNK(modes[0]) and stat.S_ISREG(modes[1])
    assert [stat.S_IMODE(mode) for mode in modes[1:]] == [0o644, 0o755]
    assert content == [b"b.txt", FILES["b.txt"]]


def test_a_folder_replaces_the_one_before_and_leaves_nothing_else(tmp_path):
    write_folder(tmp_path / "p", {"old": b"1"})
    write_folder(tmp_path / "p", FILES)
    assert [path.name for path in tmp_path.iterdir()] == ["p"]
    assert sorted(path.name for path in (tmp_path / "p").iterdir()) == ["a", "b.txt", "bin"]
    assert (tmp_path / "p" / "a").read_bytes() == FILES["b.txt"]


def test_a_folder_that_cannot_be_written_leaves_the_one_before(tmp_path):
    write_folder(tmp_path / "p", {"old": b"1"})
    with pytest.raises(OSError):
        write_folder(tmp_path / "p", {"a": b"", "a/b": b""})
    assert (tmp_path / "p" / "old").read_bytes() == b"1"
    assert [path.name for path in tmp_path.iterdir()] == ["p"]


def test_public_functions_are_the_declarations_and_nothing_else():
    header = (
        "/* pn_old(x); */ #define PN_X 1\ntypedef struct pn_state pn_state_t;\n"
        "size_t pn_size(void);\nvoid pn_do(pn_state_t *s,\n  const int *x);\nconst char *pn_s(int);"
    )
    assert public_functions(header) == ["pn_size", "pn_do", "pn_s"]
    assert "pn_size;\n" in version_script(["pn_size"])


@pytest.mark.parametrize("name", format_names())
def test_every_format_says_what_it_is_and_fits_some_target(name):
    made = make_format(name)
    assert made.description
    assert not made.suffix or made.suffix in _base.PACKERS


class Fussy(Format):
    description, suffix = "never", ".zip"

    def unfit(self, target):
        return "too small"

    def files(self, request):
        raise AssertionError("an unfit target has no files")


def test_an_unfit_target_is_told_why_and_nothing_is_written(tmp_path):
    with pytest.raises(_base.KitError, match="`host_x86_64`: too small"):
        Fussy().write(Request(load_target("host_x86_64")), tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_list_says_what_suits_a_target_and_why_the_rest_does_not(capsys, tmp_path):
    assert cli.main(["package", "host_x86_64", "--list", "--out", str(tmp_path / "out")]) == 0
    suits = {line.split()[0]: line.rstrip() for line in capsys.readouterr().out.splitlines()[1:]}
    assert list(suits) == format_names()
    assert suits["tarball"].endswith(" yes") and suits["amalgamation"].endswith(" yes")
    assert suits["aar"].endswith("it is no Android phone")
    assert not (tmp_path / "out").exists()


def test_a_model_that_is_not_there_is_told(tmp_path):
    with pytest.raises(_base.KitError, match="there is no model `.*none.tflite`"):
        Request(load_target("host_x86_64"), tmp_path / "none.tflite").documents()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nonesuch"], "unknown target `nonesuch`"),
        (["host_x86_64", "--format", "tarbal"], "unknown format `tarbal`"),
        (["host_x86_64", "--model", "/no/such.tflite"], "/no/such.tflite"),
    ],
)
def test_mistakes_are_one_clear_message(capsys, tmp_path, words, said):
    assert cli.main(["package", *words, "--out", str(tmp_path / "out")]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
