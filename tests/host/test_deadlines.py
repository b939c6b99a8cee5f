"""Deadlines in paced mode, on a processor that others want too: those that it counts as missed are
those that it missed, by what the program itself asked of the clock."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kit import process
from kit.build import build, program_path
from kit.devtest.protocol import Report, read_report
from kit.host import HOST_TARGET
from kit.target import load_target

ROUNDS = 2
FRAME_NS = 10_000_000
FRAMES_PER_ROUND = 100
STOP_S, GO_S = 0.035, 0.15
HOGS = 2
TIMEOUT_S = 600.0
WATCH = Path(__file__).with_name("watch_clock.c")


@pytest.fixture(scope="module")
def watch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that writes down what a program asks of the clock."""
    library = tmp_path_factory.mktemp("watch") / "watch_clock.so"
    process.run(["gcc", "-O1", "-shared", "-fPIC", WATCH, "-o", library], timeout_s=60)
    return library


@contextlib.contextmanager
def hogs(cpu: int) -> Iterator[None]:
    """Programs that never rest, on one processor."""
    command = ["taskset", "-c", str(cpu), "sh", "-c", "while :; do :; done"]
    running = [subprocess.Popen(command) for _ in range(HOGS)]
    try:
        yield
    finally:
        for hog in running:
            hog.kill()
            hog.wait()


def interrupt(program: subprocess.Popen[bytes]) -> int:
    """Stop a program for more than three frames, again and again; returns how often."""
    stops = 0
    while program.poll() is None:
        time.sleep(GO_S)
        program.send_signal(signal.SIGSTOP)
        time.sleep(STOP_S)
        program.send_signal(signal.SIGCONT)
        stops += 1
    return stops


def run_paced(watch: Path, folder: Path) -> tuple[Report, list[str]]:
    """Run `bench` paced, among hogs and interrupted; its report, and what it asked of the clock."""
    build(HOST_TARGET)
    bench = program_path(load_target(HOST_TARGET), "bench")
    cpu = min(os.sched_getaffinity(0))
    log, out = folder / "clock", folder / "out"
    settings = {"PN_PACED": "1", "PN_ROUNDS": str(ROUNDS), "PN_RUN": "1"}
    settings |= {"LD_PRELOAD": str(watch), "WATCH_CLOCK": str(log)}
    words = ["taskset", "-c", str(cpu), "env", *map("=".join, settings.items())]
    with hogs(cpu), out.open("wb") as stdout:
        program = subprocess.Popen([*words, bench], stdout=stdout)
        interrupt(program)
    assert program.wait(TIMEOUT_S) == 0
    return read_report(out.read_text().splitlines(), "1"), log.read_text().splitlines()


def missed(log: list[str], calls: int, period_ns: int) -> int:
    """Of the first calls, those that ended after their deadline.

    A call sleeps until its sound is there, and reads the clock three times: when it woke, when it
    began and when it ended.
    """
    late = 0
    for _ in range(calls):
        while not log[0].startswith("sleep"):
            del log[0]
        slept_until, *readings = (int(line.split()[1]) for line in log[:4])
        late += readings[2] > slept_until + period_ns
        del log[:4]
    return late


@pytest.mark.timeout(TIMEOUT_S)
def test_missed_deadlines_are_counted_right(watch: Path, tmp_path: Path) -> None:
    report, log = run_paced(watch, tmp_path)
    benches = {bench.name: bench for bench in report.benches if bench.mode == "paced"}
    for name, hops in (("frame", 1), ("packet", 2)):
        calls = ROUNDS * FRAMES_PER_ROUND // hops
        counted = benches[name].number("missed")
        assert counted == missed(log, calls, hops * FRAME_NS), name
        assert counted >= 3, "it was stopped for longer than that"
        rounds = [r for r in report.records("PN_ROUND") if r.fields["name"] == name]
        assert sum(r.number("missed") for r in rounds if r.fields["mode"] == "paced") == counted
    assert not any(line.startswith("sleep") for line in log), "all calls were looked at"
