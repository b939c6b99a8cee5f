"""Tries changed seeds on a parser of the kit, as a process of its own with little memory.

`python -m tests.fuzz.guess PARSERS SECONDS SEED` gives each of the parsers (a comma between them)
so many seconds, and prints how many inputs it tried. It ends with 1 and
the smallest input that it found where a parser did anything but return or raise a KitError; with a
signal where the interpreter itself went down.
"""

import faulthandler
import resource
import signal
import sys
import tempfile
import time
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

from kit.errors import KitError
from tests.fuzz.mutations import mutated
from tests.fuzz.parsers import PARSERS

MEMORY_BYTES = 1 << 30
"""What one input may make the process take beyond what it has."""
INPUT_TIMEOUT_S = 10
"""Of the processor's time: others may have it meanwhile."""
INPUTS_AT_ONCE = 25


def limit_memory() -> None:
    """From here on, asking for much more memory fails."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def guess(name: str, seconds: float, first_seed: int) -> int:
    """How many inputs were tried until `seconds` were over."""
    parse, make_seeds = PARSERS[name]
    seeds = make_seeds()
    tried = 0
    started = time.monotonic()

    @settings(
        max_examples=INPUTS_AT_ONCE,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(data=mutated(seeds))
    def try_one(data: bytes) -> None:
        nonlocal tried
        if tried and time.monotonic() - started > seconds:
            return
        tried += 1
        signal.setitimer(signal.ITIMER_PROF, INPUT_TIMEOUT_S)
        try:
            parse(data, Path(folder))
        except KitError:
            pass
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)

    with tempfile.TemporaryDirectory() as folder:
        while time.monotonic() - started < seconds:
            seed(first_seed + tried)(try_one)()
    return tried


def _too_slow(*_: object) -> None:
    raise TimeoutError(f"one input took more than {INPUT_TIMEOUT_S} s")


def main() -> None:
    """What the module says."""
    names, seconds, first_seed = sys.argv[1].split(","), float(sys.argv[2]), int(sys.argv[3])
    faulthandler.enable()
    signal.signal(signal.SIGPROF, _too_slow)
    limit_memory()
    for name in names:
        tried = guess(name, seconds, first_seed)
        assert tried, f"{name}: not one input"
        sys.stdout.write(f"{name}: {tried} inputs\n")


if __name__ == "__main__":
    main()
