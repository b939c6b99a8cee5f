"""What bears on a measurement on a Linux device: clusters of cores, clock governors, heat.

One shell script collects it from /sys, /proc and, on Android, its services. A device that does not
tell something leaves that empty; nothing is guessed.
"""

import dataclasses
import re
from collections.abc import Iterator

_NAMES = {1: ("all",), 2: ("little", "big"), 3: ("little", "mid", "big")}
_FACTS = ("kernel", "processor", "load", "product", "android", "board")
# The line of `Vitals.describe` that makes every time measured then invalid.
DISTURBED = "disturbed"
_HOTTEST_ALLOWED = 0  # Android's thermal status: 0 is "none", all above slow the clock

# `word value` lines. A file that cannot be read gives an empty value.
SCRIPT = """
say() { value=; [ ! -r "$2" ] || read -r value 2>/dev/null <"$2"; echo "$1 $value"; }
echo "kernel $(uname -sr)"
echo "processor $(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo 2>/dev/null | head -n 1)"
[ ! -r /proc/loadavg ] || read -r load rest </proc/loadavg && echo "load $load"
command -v getprop >/dev/null && echo "product $(getprop ro.product.model)" \
    && echo "android $(getprop ro.build.version.release)"
[ ! -r /proc/device-tree/model ] || echo "board $(tr -d '\\000' </proc/device-tree/model)"
for policy in /sys/devices/system/cpu/cpufreq/policy*; do
    [ -d "$policy" ] || continue
    say cores "$policy/related_cpus"
    say governor "$policy/scaling_governor"
    say hardware_khz "$policy/cpuinfo_max_freq"
    say allowed_khz "$policy/scaling_max_freq"
    say now_khz "$policy/scaling_cur_freq"
done
for zone in /sys/class/thermal/thermal_zone*; do
    [ -r "$zone/temp" ] && say heat "$zone/temp" && say sensor "$zone/type"
done
command -v dumpsys >/dev/null &&
    dumpsys thermalservice 2>/dev/null | sed -n 's/^Thermal Status: /status /p'
true
"""


@dataclasses.dataclass(frozen=True)
class Cores:
    """A cluster: cores that share a clock. Clocks are in kHz, 0 where the device tells none."""

    name: str
    cpus: tuple[int, ...]
    governor: str
    hardware_khz: int
    allowed_khz: int
    now_khz: int

    @property
    def mask(self) -> str:
        """For `taskset`."""
        return f"{sum(1 << cpu for cpu in self.cpus):x}"

    def __str__(self) -> str:
        clock = f"{self.now_khz // 1000} of" if self.now_khz else "clock not told, up to"
        cpus = ",".join(str(cpu) for cpu in self.cpus)
        governor = self.governor or "not told"
        return f"cpu {cpus}; {clock} {self.hardware_khz // 1000} MHz; governor {governor}"


@dataclasses.dataclass(frozen=True)
class Vitals:
    """The state of a device at one moment.

    temperatures: degrees Celsius by sensor. thermal_status: Android's, 0 (none) to 6 (shutdown);
    None where there is none.
    """

    facts: dict[str, str]
    clusters: tuple[Cores, ...]
    temperatures: dict[str, float]
    thermal_status: int | None

    def describe(self) -> dict[str, str]:
        """Each figure as a line for people; what the device does not tell is said to be missing."""
        lines = dict(self.facts)
        for cores in self.clusters:
            lines[f"cluster {cores.name}"] = str(cores)
        if not self.clusters:
            lines["clocks"] = "not told: no cpufreq in /sys/devices/system/cpu"
        for sensor, degrees in self.temperatures.items():
            lines[f"temperature {sensor}"] = f"{degrees:.1f} °C"
        if not self.temperatures:
            lines["temperature"] = "not told: no /sys/class/thermal"
        if self.thermal_status is not None:
            lines["thermal status"] = str(self.thermal_status)
        if found := self.disturbances():
            lines[DISTURBED] = "; ".join(found)
        return lines

    def disturbances(self) -> list[str]:
        """Why figures measured now would be invalid: what slows the clock."""
        found = [
            f"cluster {cores.name} may run at {cores.allowed_khz // 1000} of "
            f"{cores.hardware_khz // 1000} MHz only"
            for cores in self.clusters
            if 0 < cores.allowed_khz < cores.hardware_khz
        ]
        if self.thermal_status and self.thermal_status > _HOTTEST_ALLOWED:
            found.append(f"the device throttles: thermal status {self.thermal_status}")
        return found


def parse_vitals(text: str) -> Vitals:
    """What SCRIPT printed."""
    words = [line.partition(" ")[::2] for line in text.splitlines()]
    facts = {key: value.strip() for key, value in words if key in _FACTS and value.strip()}
    status = [value for key, value in words if key == "status" and value.strip().isdigit()]
    heat = [value.strip() for key, value in words if key == "heat"]
    sensors = [value.strip() for key, value in words if key == "sensor"]
    return Vitals(
        facts=facts,
        clusters=_named(sorted(_clusters(words), key=lambda c: (c.hardware_khz, c.cpus))),
        temperatures={
            name: int(value) / 1000
            for name, value in zip(sensors, heat, strict=True)
            if re.fullmatch(r"-?\d+", value)
        },
        thermal_status=int(status[0]) if status else None,
    )


def _clusters(words: list[tuple[str, str]]) -> Iterator[Cores]:
    keys = ("cores", "governor", "hardware_khz", "allowed_khz", "now_khz")
    rows = [(key, value.strip()) for key, value in words if key in keys]
    for start in range(0, len(rows), len(keys)):
        row = dict(rows[start : start + len(keys)])
        cpus = tuple(sorted(int(cpu) for cpu in row["cores"].split()))
        if cpus:
            clocks = (int(row[key]) if row[key].isdigit() else 0 for key in keys[2:])
            yield Cores("", cpus, row["governor"], *clocks)


def _named(clusters: list[Cores]) -> tuple[Cores, ...]:
    """Names from the slowest to the fastest; by their cores where there are more than three."""
    names = _NAMES.get(len(clusters), tuple(_span(cores.cpus) for cores in clusters))
    return tuple(
        dataclasses.replace(cores, name=name) for cores, name in zip(clusters, names, strict=True)
    )


def _span(cpus: tuple[int, ...]) -> str:
    return f"cpu{cpus[0]}" if len(cpus) == 1 else f"cpu{cpus[0]}-{cpus[-1]}"
