"""The machine that measures: what it is, one core of it, its caches."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from kit.errors import KitError

_CACHES = Path("/sys/devices/system/cpu/cpu0/cache")


def describe() -> dict[str, object]:
    """Processor, clock governor, load: what bears on a timing and travels with it."""
    facts: dict[str, object] = {"processor": processor(), "load": round(os.getloadavg()[0], 2)}
    governor = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    if governor.is_file():
        facts["governor"] = governor.read_text().strip()
    facts["last_cache_bytes"] = last_cache_bytes()
    return facts


def processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "")


@contextlib.contextmanager
def pinned(core: int | None) -> Iterator[int]:
    """Stay on one core, the last one this process may use if None; yields which.

    Raises KitError for a core that this process may not use.
    """
    allowed = os.sched_getaffinity(0)
    chosen = max(allowed) if core is None else core
    if chosen not in allowed:
        known = ", ".join(str(number) for number in sorted(allowed))
        raise KitError(f"no core {chosen} here", hint=f"cores: {known}")
    os.sched_setaffinity(0, {chosen})
    try:
        yield chosen
    finally:
        os.sched_setaffinity(0, allowed)


def last_cache_bytes() -> int:
    """Size of the largest cache of a core; 0 where the system does not say."""
    sizes = [path.read_text().strip() for path in _CACHES.glob("index*/size")]
    scale = {"K": 1 << 10, "M": 1 << 20}
    return max((int(size[:-1]) * scale[size[-1]] for size in sizes), default=0)
