"""Tests that start at once: in forks of a process that has loaded all but the code under test.

    python -m tests.mutation.warm TEST...

Runs each test once, learns what it imports and takes, and says what failed of it in a line; then
runs the test that each line of its input names, and answers in the same way. An empty line: nothing
failed. The tests see the files of the current folder as they are at that moment.
"""

import contextlib
import dataclasses
import fcntl
import importlib
import json
import os
import resource
import select
import signal
import sys
import time

import pytest

_OURS = {"kit", "tests", "conftest", "__main__"}
# What a mutant may take before the machine suffers.
_MEMORY_BYTES = 8 << 30
_MOST_TOLD = 1 << 20
_LOADED = "could not be loaded"


@dataclasses.dataclass(frozen=True)
class Limits:
    """What a run of a test may take, in seconds."""

    cpu: int = 600
    wall: float = 1800.0

    @classmethod
    def after(cls, cpu: float, wall: float) -> "Limits":
        """For a test that took so long with nothing broken: a busy machine has more time."""
        return cls(round(3 * cpu) + 3, 5 * wall + 60)


@dataclasses.dataclass(eq=False)
class Findings:
    """A plugin of pytest: the first failure. modules: what the test has imported of others."""

    failed: str = ""
    modules: list[str] = dataclasses.field(default_factory=list)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed = self.failed or report.nodeid

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.failed = self.failed or f"{report.nodeid} {_LOADED}"


def main() -> None:
    """See above."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    limits = {}
    for test in sys.argv[1:]:
        findings, limits[test] = _measured(test)
        _import(findings.modules)
        print(findings.failed, file=answers)
    # From now on files may be broken: what is compiled of them is not to outlive them.
    sys.dont_write_bytecode = True
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    for line in sys.stdin:
        print(_run(line.strip(), limits[line.strip()]).failed, file=answers)


def _measured(test: str) -> tuple[Findings, Limits]:
    def cpu_s() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    cpu, wall = cpu_s(), time.monotonic()
    findings = _run(test, Limits())
    return findings, Limits.after(cpu_s() - cpu, time.monotonic() - wall)


def _import(modules: list[str]) -> None:
    for name in modules:
        if name.split(".")[0] not in _OURS:
            with contextlib.suppress(ImportError):
                importlib.import_module(name)


def _run(test: str, limits: Limits) -> Findings:
    """The test in a fork of its own, in a process group of its own, none of which is left."""
    receiver, sender = os.pipe()
    fcntl.fcntl(sender, fcntl.F_SETPIPE_SZ, _MOST_TOLD)
    child = os.fork()
    if child == 0:
        _test_and_tell(test, limits, sender)
    os.close(sender)
    ended = os.pidfd_open(child)
    select.select([ended], [], [], limits.wall)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(ended)
    os.set_blocking(receiver, False)
    with os.fdopen(receiver, "rb") as told, contextlib.suppress(BlockingIOError):
        if text := told.read():
            return Findings(**json.loads(text))
    return Findings(failed=f"{test} did not end")


def _test_and_tell(test: str, limits: Limits, sender: int) -> None:
    """Runs the test, writes its findings, never returns."""
    try:
        os.setpgid(0, 0)
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu, limits.cpu))
        findings = Findings()
        options = ["-x", "-p", "no:cacheprovider", "-p", "tests.mutation.library"]
        options += ["--timeout", str(limits.wall)]
        if pytest.main([*options, test], [findings]) and not findings.failed:
            findings.failed = f"{test} {_LOADED}"
        findings.modules = list(sys.modules)
        os.write(sender, json.dumps(dataclasses.asdict(findings)).encode())
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
