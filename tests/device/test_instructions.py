"""Instructions of a frame stay within what the targets' descriptions allow: exact counts."""

import dataclasses
import json
from pathlib import Path

import pytest

from kit import cli
from kit.bench.counts import FRAME, check_limits, count
from kit.bench.model import find_subject
from kit.errors import TargetError
from kit.target import Target, load_target, target_names
from kit.verbs import _device

ARM64 = "qemu_aarch64"
LIMITED = [
    (name, model, isa)
    for name in target_names()
    for model, limits in load_target(name).instructions.items()
    for isa in limits
]


def with_limits(name: str, **limits: int) -> Target:
    """A target with these limits alone, on `tiny` with the dot product."""
    return dataclasses.replace(load_target(name), instructions={"tiny": {"neondot": limits}})


def test_boards_and_64_bit_arm_have_limits() -> None:
    assert {
        ("mps2_an386", "tiny", "dsp"),
        ("mps2_an500", "tiny", "dsp"),
        ("mps3_an547", "tiny", "mve"),
        (ARM64, "tiny", "neondot"),
        (ARM64, "full", "neon"),
        (ARM64, "full", "neondot"),
    } <= set(LIMITED)


@pytest.mark.parametrize(("name", "model", "isa"), LIMITED)
def test_a_frame_takes_no_more_than_its_limits(name: str, model: str, isa: str) -> None:
    target = load_target(name)
    checked = check_limits(target, count(target, find_subject(target, model), isa), model)
    assert checked
    assert [(stage, found) for stage, found, limit in checked if found > limit] == []


def test_a_limit_that_is_exceeded_by_one_instruction_fails(
    capsys, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    target = load_target(ARM64)
    counts = count(target, find_subject(target, None), None)
    found = round(counts.stages()[FRAME])
    monkeypatch.setattr(_device, "load_target", lambda _: with_limits(ARM64, frame=found - 1))
    assert cli.main(["bench", "--target", ARM64]) == 1
    assert f"frame, mean: {found} of {found - 1} instructions" in capsys.readouterr().err
    monkeypatch.setattr(_device, "load_target", lambda _: with_limits(ARM64, frame=found))
    path = tmp_path / "bench.json"
    assert cli.main(["bench", "--target", ARM64, "--json", str(path)]) == 0
    facts = json.loads(path.read_text())
    (budget,) = facts["budgets"].items()
    assert (budget[0], budget[1]["value"], budget[1]["limit"]) == ("frame, mean", found, found)
    assert (facts["isa"], facts["out_crc"]) == ("neondot", counts.out_crc)
    assert facts["model"] == {"name": "tiny", "random": False, "hash": counts.boot["model"]}
    assert facts["stages"] == counts.stages()


def test_a_limit_on_a_stage_that_is_none_is_told() -> None:
    target = with_limits(ARM64, tea=1)
    counts = count(target, find_subject(target, None), None)
    with pytest.raises(TargetError, match="limits the instructions of `tea`"):
        check_limits(target, counts, "tiny")
