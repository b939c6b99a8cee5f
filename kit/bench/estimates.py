"""What models say of targets that are not here. Neither is a measurement, and both say so.

Kernels: llvm-mca's model of a processor's pipelines runs the inner loop as compiled, with every
load a hit in the first cache. Traffic: the weights of a frame over the bandwidth that a target's
description states. The true cost is at least the larger of both.
"""

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from kit import console, packages, process
from kit.bench.model import Subject
from kit.build import build
from kit.codegen.weights import find_packing, pack_matrix, pad_model
from kit.model.quantise import QuantisedModel, quantise
from kit.paths import BUILD
from kit.target import load_target, load_toolchain, target_names

KERNEL_KIND = "model's estimate (llvm-mca: pipelines, every load a hit)"
TRAFFIC_KIND = "model's estimate (bytes of weights over the target's stated bandwidth)"
KERNEL_TARGET = "qemu_aarch64"

_MCA = "llvm-mca-19"
_TIMEOUT_S = 60.0
_ITERATIONS = 100
# Processors, and the instruction sets of kernels that run on them.
PROCESSORS = {
    "cortex-a53": ("neon",),
    "cortex-a55": ("neon", "neondot"),
    "neoverse-n1": ("neon", "neondot"),
}
# What is in the names of kernels that read matrices.
_MATRIX_KERNELS = ("gemv", "spmv")
# Multiplications of an instruction, by its name and the lanes of its result.
_MACS = {("sdot", "4s"): 16, ("smull", "8h"): 8, ("smlal", "8h"): 8, ("smlal", "4s"): 4}
_FRAME_S = 0.010
_PACKET_FRAMES = 2
_ROW_BYTES = 8  # bias and multiplier, int32


@dataclasses.dataclass(frozen=True)
class Loop:
    """The inner loop of a kernel: instructions as text, and multiplications of an iteration."""

    instructions: tuple[str, ...]
    macs: int


def estimate(subject: Subject) -> dict[str, Any]:
    """Both models on a model of the network, as plain data."""
    model = quantise(subject.load())
    return {
        "model": {"name": subject.name, "random": subject.is_random},
        "kernels": {"kind": KERNEL_KIND, "rows": _kernel_rows()},
        "traffic": {"kind": TRAFFIC_KIND, "rows": _traffic_rows(model)},
    }


def weight_traffic(model: QuantisedModel, layout: str) -> tuple[int, int]:
    """Bytes of weights read for a frame of 10 ms: alone, and in packets of two frames, for which
    all but the recurrent matrices are read once."""
    packing = find_packing(layout)
    sizes = {
        name: pack_matrix(name, matrix.weight, packing).size + len(matrix.weight) * _ROW_BYTES
        for name, matrix in pad_model(model).items()
    }
    recurrent = sum(size for name, size in sizes.items() if name.endswith(".hh"))
    total = sum(sizes.values())
    return total, recurrent + (total - recurrent) // _PACKET_FRAMES


def _traffic_rows(model: QuantisedModel) -> list[dict[str, Any]]:
    """A row for each target that states its bandwidth."""
    targets = [target for name in target_names() if (target := load_target(name)).bandwidth_mb_s]
    traffic = {layout: weight_traffic(model, layout) for layout in {t.layout for t in targets}}
    rows = []
    for target in targets:
        row: dict[str, Any] = {"target": target.name, "bandwidth_mb_s": target.bandwidth_mb_s}
        for key, size in zip(("frame", "packet"), traffic[target.layout], strict=True):
            seconds = size / (target.bandwidth_mb_s * 1e6)
            row[f"{key}_bytes"] = size
            row[f"{key}_us"] = round(seconds * 1e6, 1)
            row[f"{key}_core_percent"] = round(100 * seconds / _FRAME_S, 2)
        rows.append(row)
    return rows


def _kernel_rows() -> list[dict[str, Any]]:
    packages.ensure_package("llvm-19", "models of processors")
    build(KERNEL_TARGET)
    target = load_target(KERNEL_TARGET)
    objdump = load_toolchain(target.toolchain).prefix + "objdump"
    rows = []
    for path in sorted((BUILD / target.name / "obj" / "kernels").glob("*__*.o")):
        isa = path.stem.split("__")[1]
        processors = [name for name, isas in PROCESSORS.items() if isa in isas]
        if processors:
            listing = process.run([objdump, "-d", path], timeout_s=_TIMEOUT_S).text
            rows += [_kernel_row(*found, isa, processors) for found in find_loops(listing).items()]
    return rows


def _kernel_row(name: str, loop: Loop, isa: str, processors: list[str]) -> dict[str, Any]:
    """cycles: of an iteration, by processor; cycles_per_kmac where multiplying is what it does."""
    cycles = {processor: loop_cycles(loop, processor) for processor in processors}
    multiplies = any(word in name for word in _MATRIX_KERNELS)
    return {
        "kernel": name if name.endswith(isa) else f"{name}, {isa}",
        "instructions": len(loop.instructions),
        "macs": loop.macs,
        "cycles": {key: round(value, 2) for key, value in cycles.items()},
        "cycles_per_kmac": {
            key: round(1000 * value / loop.macs, 1) for key, value in cycles.items() if multiplies
        },
    }


def find_loops(listing: str) -> dict[str, Loop]:
    """The loop of each function of a disassembled AArch64 object that multiplies most, of those
    without branches; of several, the longest. Functions without such a loop are left out."""
    found = {}
    for name, text in re.findall(r"^[0-9a-f]+ <(\w+)[^>]*>:\n((?:.+\n?)*)", listing, re.MULTILINE):
        loops = [
            Loop(code, sum(_macs(instruction) for instruction in code))
            for code in _straight_loops(_instructions(text))
        ]
        if loops:
            found[name] = max(loops, key=lambda loop: (loop.macs, len(loop.instructions)))
    return found


def _straight_loops(code: list[tuple[int, str]]) -> Iterator[tuple[str, ...]]:
    """Instructions of each loop without branches, but for that at its end, which is left out."""
    places = {address: index for index, (address, _) in enumerate(code)}
    for end, (_, text) in enumerate(code):
        branch = re.match(r"(?:b\.\w+|cbn?z\s+\w+,|tbn?z\s+\w+, #\d+,)\s*([0-9a-f]+) <", text)
        start = places.get(int(branch[1], 16), end) if branch else end
        loop = tuple(text for _, text in code[start:end])
        if loop and not any("<" in instruction for instruction in loop):
            yield loop


def _instructions(listing: str) -> list[tuple[int, str]]:
    """(address, text) of each instruction."""
    found = re.findall(r"^\s*([0-9a-f]+):\t[0-9a-f ]+\t(.*)$", listing, re.MULTILINE)
    return [(int(a, 16), t.split("//")[0].replace("\t", " ").strip()) for a, t in found]


def _macs(text: str) -> int:
    """Multiplications of an instruction; `smull2` is the other half of what `smull` does."""
    match = re.match(r"(sdot|smull|smlal)2? v\d+\.(\w+),", text)
    return _MACS.get(match.groups(), 0) if match else 0


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
    model, kernels, traffic = found["model"], found["kernels"], found["traffic"]
    rows = [
        [
            row["kernel"],
            row["instructions"],
            *(row["cycles"].get(processor, "") for processor in PROCESSORS),
            *(row["cycles_per_kmac"].get(processor, "") for processor in PROCESSORS),
        ]
        for row in kernels["rows"]
    ]
    headings = ["kernel", "instructions", *PROCESSORS, *(f"{name}, kMAC" for name in PROCESSORS)]
    title = f"{kernels['kind']}: cycles of the inner loop's iteration, and for 1000 multiplications"
    console.table(headings, rows, title=title)
    rows = [list(row.values()) for row in traffic["rows"]]
    headings = [
        "target",
        "MB/s",
        "bytes",
        "us",
        "% of core",
        "in packets: bytes",
        "us",
        "% of core",
    ]
    title = f"{traffic['kind']}: `{model['name']}`, a frame each 10 ms; two each 20 ms in packets"
    console.table(headings, rows, title=title)
