"""Every verb, disturbed at random moments: outputs are old or new, never half, nothing stays
behind, and the same command, said again, does it.

`./tools/percepnet test --long tests/faults` tries every fault on every verb, ROUNDS times.
"""

import functools
import os
import random
import time
from pathlib import Path

import pytest

from kit.build import HOST_TARGET, build
from kit.paths import ROOT
from tests.faults.faults import FAULTS, GOOD
from tests.faults.sandbox import Sandbox
from tests.faults.scenarios import SCENARIOS, make_inputs

ROUNDS = int(os.environ.get("PERCEPNET_FAULT_ROUNDS", "3"))
QUICK = [
    ("denoise", "killed"),
    ("denoise", "interrupted"),
    ("denoise", "full_disk"),
    ("denoise", "two_at_once"),
    ("devices", "killed"),
    ("devices", "read_only"),
    ("fit", "forbidden"),
]
# Mounting is for root. Others, whom a folder's mode binds, have that fault.
if os.getuid() != 0:
    del FAULTS["full_disk"], FAULTS["read_only"]
    QUICK = [case for case in QUICK if case[1] in FAULTS]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    build(HOST_TARGET)
    folder = tmp_path_factory.mktemp("inputs")
    make_inputs(folder)
    return folder


@pytest.fixture(scope="module")
def durations(inputs: Path, tmp_path_factory: pytest.TempPathFactory):
    """Seconds that a verb takes when nothing happens; that it then does its work."""

    @functools.cache
    def measure(verb: str) -> float:
        sandbox = Sandbox(tmp_path_factory.mktemp(verb), inputs, SCENARIOS[verb])
        sandbox.set_old()
        began = time.monotonic()
        assert sandbox.finish(sandbox.start()) == GOOD, sandbox.said()
        sandbox.require_new()
        return time.monotonic() - began

    return measure


def disturb(sandbox: Sandbox, fault: str, seed: str, duration_s: float) -> None:
    sandbox.set_old()
    FAULTS[fault](sandbox, random.Random(seed), duration_s)
    sandbox.require_old_or_new()
    sandbox.set_old()
    assert sandbox.finish(sandbox.start()) == GOOD, sandbox.said()
    sandbox.require_new()


def test_every_verb_has_a_scenario():
    verbs = {path.stem for path in (ROOT / "kit" / "verbs").glob("[a-z]*.py")}
    assert SCENARIOS.keys() == verbs, "give the new verb its line in tests/faults/scenarios.py"


@pytest.mark.parametrize(("verb", "fault"), QUICK)
def test_a_fault_does_no_harm(verb, fault, inputs, durations, tmp_path):
    disturb(Sandbox(tmp_path, inputs, SCENARIOS[verb]), fault, f"{verb} {fault}", durations(verb))


@pytest.mark.long
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("verb", SCENARIOS)
def test_faults_at_random_moments_do_no_harm(verb, fault, inputs, durations, tmp_path):
    for number in range(ROUNDS):
        (tmp_path / str(number)).mkdir()
        sandbox = Sandbox(tmp_path / str(number), inputs, SCENARIOS[verb])
        disturb(sandbox, fault, f"{verb} {fault} {number}", durations(verb))
