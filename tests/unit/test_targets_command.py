"""`targets` and `doctor`: nobody is told that a board works which was never tried."""

import json
import re
from pathlib import Path

import pytest

from kit import cli, packages


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = cli.main(words)
    out, err = capsys.readouterr()
    return code, out, err


def test_the_list_tells_how_far_each_target_is_proven(capsys, tmp_path: Path):
    code, out, err = run(capsys, "targets", "list", "--json", str(tmp_path / "all.json"))
    assert code == 0
    proven = {line.split()[1]: line.split()[-1] for line in out.splitlines()[1:]}
    assert proven["nucleo_h743zi"] == "compiled"
    assert proven["mps3_an547"] == "emulated"
    assert "compiled: built and checked for size; never run anywhere" in err
    listed = json.loads((tmp_path / "all.json").read_text())
    assert {name: facts["proven"] for name, facts in listed.items()} == proven


def test_one_target_is_explained_with_its_sources(capsys):
    code, out, _ = run(capsys, "targets", "show", "nucleo_h743zi")
    assert code == 0
    assert "compiled: built and checked for size; never run anywhere" in out
    assert "on a device alone" in out
    assert "2048 KiB at 0x08000000: vectors, text, weights, rodata" in out
    assert "2 MB flash, 512 kB AXI SRAM, 128 kB DTCM. [ST RM0433" in out


def test_an_emulated_target_is_explained_and_written_for_programs(capsys, tmp_path: Path):
    path = tmp_path / "one.json"
    code, out, _ = run(capsys, "targets", "show", "mps3_an547", "--json", str(path))
    assert code == 0
    assert "qemu-system-arm" in out
    assert json.loads(path.read_text())["name"] == "mps3_an547"


def test_this_computer_runs_its_programs_itself(capsys):
    code, out, _ = run(capsys, "targets", "show", "host_x86_64")
    assert code == 0
    assert re.search(r"^  runs +local$", out, re.MULTILINE)


def test_targets_alone_lists_them(capsys):
    code, out, _ = run(capsys, "targets")
    assert code == 0
    assert out == run(capsys, "targets", "list")[1]


def test_an_unknown_target_is_answered_with_near_names(capsys):
    code, _, err = run(capsys, "targets", "show", "nucleo_h743")
    assert code == 2
    assert "did you mean `nucleo_h743zi`?" in err


def test_doctor_names_what_a_target_lacks_and_the_line_that_installs_it(capsys, monkeypatch):
    monkeypatch.setattr(packages, "is_present", lambda package: package != "clang-19")
    code, out, err = run(capsys, "doctor", "ek_ra8m1")
    assert code == 1
    assert "compiling for ek_ra8m1" in out
    assert "install them: sudo apt-get install -y clang-19" in err


def test_a_package_that_no_program_gives_away_is_looked_up_in_debians_list():
    assert packages.is_present("dpkg")
    assert not packages.is_present("no-such-package")
