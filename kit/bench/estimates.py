"""What models say of targets that are not here. Neither is a measurement, and both say so.

Kernels: llvm-mca's model of a processor's pipelines runs the inner loop as compiled, with every
load a hit in the first cache. Traffic: the weights of a frame over the bandwidth that a target's
description states; the true cost is at least the larger of both.
"""

import dataclasses
import json
import re
from collections.abc import Mapping
from typing import Any

from kit import console, packages, process
from kit.bench.model import Subject
from kit.build import build
from kit.errors import KitError
from kit.model.quantise import quantise
from kit.paths import BUILD
from kit.target import load_target, load_toolchain, target_names

KERNEL_KIND = "model's estimate (llvm-mca: pipelines, every load a hit)"
TRAFFIC_KIND = "model's estimate (bytes of weights over the target's stated bandwidth)"
KERNEL_TARGET = "qemu_aarch64"

_MCA = "llvm-mca-19"
_TIMEOUT_S = 60.0
_ITERATIONS = 100
# Processors, and the instruction sets of kernels that run on them.
_PROCESSORS = {
    "cortex-a53": ("neon",),
    "cortex-a55": ("neon", "neondot"),
    "neoverse-n1": ("neon", "neondot"),
}
_LOADS = {"q": 16, "d": 8, "s": 4, "x": 8, "w": 4}
_VECTOR_BYTES = 16
_PAIR = 2
_FRAME_S = 0.010
_PACKET_FRAMES = 2


@dataclasses.dataclass(frozen=True)
class Loop:
    """The inner loop of a kernel: instructions as text, and bytes that they load."""

    instructions: tuple[str, ...]
    loaded_bytes: int


def estimate(subject: Subject) -> dict[str, Any]:
    """Both models on a model of the network, as plain data."""
    traffic = weight_traffic(subject)
    return {
        "model": {"name": subject.name, "random": subject.is_random},
        "kernels": {"kind": KERNEL_KIND, "rows": _kernel_rows(traffic["frame"])},
        "traffic": {"kind": TRAFFIC_KIND, **traffic, "rows": _traffic_rows(traffic)},
    }


def weight_traffic(subject: Subject) -> dict[str, int]:
    """Bytes of weights read for a frame: by itself, and in packets of two frames, where all but
    the recurrent matrices are read once for both."""
    sizes = {name: m.weight.size for name, m in quantise(subject.load()).matrices.items()}
    recurrent = sum(size for name, size in sizes.items() if name.endswith(".hh"))
    total = sum(sizes.values())
    return {"frame": total, "packet_frame": recurrent + (total - recurrent) // _PACKET_FRAMES}


def _traffic_rows(traffic: Mapping[str, int]) -> list[dict[str, Any]]:
    rows = []
    for name in target_names():
        target = load_target(name)
        if target.bandwidth_mb_s:
            seconds = {key: size / (target.bandwidth_mb_s * 1e6) for key, size in traffic.items()}
            rows.append(
                {
                    "target": name,
                    "bandwidth_mb_s": target.bandwidth_mb_s,
                    **{f"{key}_us": round(s * 1e6, 1) for key, s in seconds.items()},
                    **{
                        f"{key}_percent": round(100 * s / _FRAME_S, 2) for key, s in seconds.items()
                    },
                }
            )
    return rows


def _kernel_rows(frame_bytes: int) -> list[dict[str, Any]]:
    packages.ensure_package("llvm-19", "models of processors")
    build(KERNEL_TARGET)
    target = load_target(KERNEL_TARGET)
    objdump = load_toolchain(target.toolchain).prefix + "objdump"
    rows = []
    for path in sorted((BUILD / target.name / "obj" / "kernels").glob("pn_s8_gemv_*__neon*.o")):
        isa = path.stem.split("__")[1]
        loop = find_loop(process.run([objdump, "-d", path], timeout_s=_TIMEOUT_S).text)
        for processor, isas in _PROCESSORS.items():
            if isa in isas:
                cycles = loop_cycles(loop, processor)
                per_kb = 1000 * cycles / loop.loaded_bytes
                rows.append(
                    {
                        "kernel": path.stem,
                        "processor": processor,
                        "instructions": len(loop.instructions),
                        "loaded_bytes": loop.loaded_bytes,
                        "cycles": round(cycles, 2),
                        "cycles_per_kb": round(per_kb, 1),
                        "pass_megacycles": round(per_kb * frame_bytes / 1e9, 3),
                    }
                )
    return rows


def find_loop(listing: str) -> Loop:
    """The loop of a disassembled AArch64 object that loads most, of those that hold no other.

    Raises KitError if there is none.
    """
    code = _instructions(listing)
    places = {address: index for index, (address, _) in enumerate(code)}
    spans = []
    for index, (_, text) in enumerate(code):
        branch = re.match(r"(?:b\.\w+|cbn?z\s+\w+,|tbn?z\s+\w+, #\d+,)\s*([0-9a-f]+) <", text)
        if branch and (start := places.get(int(branch[1], 16), index + 1)) <= index:
            spans.append((start, index))
    inner = [s for s in spans if not any(o != s and s[0] <= o[0] and o[1] <= s[1] for o in spans)]
    loops = [
        Loop(texts, sum(map(_loaded, texts)))
        for start, end in inner
        if (texts := tuple(text for _, text in code[start:end]))
    ]
    if not loops:
        raise KitError("no loop in a kernel's code", hint="has the disassembler's output changed?")
    return max(loops, key=lambda loop: loop.loaded_bytes)


def _instructions(listing: str) -> list[tuple[int, str]]:
    """(address, text) of each instruction."""
    found = re.findall(r"^\s*([0-9a-f]+):\t[0-9a-f ]+\t(.*)$", listing, re.MULTILINE)
    return [(int(a, 16), t.split("//")[0].replace("\t", " ").strip()) for a, t in found]


def _loaded(text: str) -> int:
    """Bytes that an instruction loads."""
    if match := re.match(r"ld1r? \{(v\d+)\.\w+(?:-(v\d+)\.\w+)?(?:, v[^}]*)?\}", text):
        if text.startswith("ld1r"):
            return 0
        last = match[2] or match[1]
        return _VECTOR_BYTES * (int(last[1:]) - int(match[1][1:]) + 1)
    if match := re.match(r"(ldp|ldr|ldur|ldnp) ([qdsxw])\d+", text):
        return _LOADS[match[2]] * (_PAIR if "p" in match[1] else 1)
    return 0


def loop_cycles(loop: Loop, processor: str) -> float:
    """Cycles of one iteration, the loop's branch left out, as llvm-mca sees it."""
    source = "\n".join(loop.instructions) + "\n"
    command = [
        _MCA,
        "-mtriple=aarch64",
        f"-mcpu={processor}",
        "-mattr=+dotprod",
        f"-iterations={_ITERATIONS}",
        "-json",
    ]
    done = process.run(command, timeout_s=_TIMEOUT_S, stdin=source.encode())
    summary = json.loads(done.text)["CodeRegions"][0]["SummaryView"]
    return summary["TotalCycles"] / summary["Iterations"]


def show_estimates(found: Mapping[str, Any]) -> None:
    """Both as tables, each under its kind."""
    kernels, traffic = found["kernels"], found["traffic"]
    name = found["model"]["name"]
    rows = [list(row.values()) for row in kernels["rows"]]
    headings = ["kernel", "processor", "instructions", "bytes", "cycles", "cycles per kB"]
    title = f"{kernels['kind']}: an iteration of the inner loop; megacycles of `{name}`'s weights"
    console.table([*headings, "megacycles a frame"], rows, title=title)
    rows = [list(row.values()) for row in traffic["rows"]]
    headings = [
        "target",
        "MB/s",
        "frame, us",
        "in packets, us",
        "frame, % of core",
        "in packets, %",
    ]
    title = (
        f"{traffic['kind']}: `{name}`, {traffic['frame'] / 1e6:.2f} MB a frame, "
        f"{traffic['packet_frame'] / 1e6:.2f} MB in packets of 20 ms"
    )
    if rows:
        console.table(headings, rows, title=title)
    else:
        console.note("no target states its bandwidth (bandwidth_mb_s)")
