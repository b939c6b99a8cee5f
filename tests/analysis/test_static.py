"""Static analysis of the firmware: clang-tidy, cppcheck, GCC's -fanalyzer, and warnings that stop.

What is suppressed is listed here, in .clang-tidy or beside the line, each with its reason.
"""

import os
import re
from pathlib import Path

import pytest

from kit import packages, process
from kit.build import HOST_TARGET
from kit.paths import FIRMWARE, ROOT, TARGETS
from kit.target import load_toolchain, target_names
from tests.analysis.compiled import Compiled, compiled

TOOL_TIMEOUT_S = 1800.0
STOPPING_WARNINGS = {"-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Werror"}
# Targets that Clang reads, each with the folder of the firmware that it is read for.
CLANG_READS = {
    "host_x86_64+clang_x86_64": "",
    "mps3_an547+clang_arm_none_eabi": "",
    "qemu_aarch64+clang_aarch64": "kernels",
    "virt_a15+clang_arm_none_eabi": "port",
    **{
        f"{path.stem}+clang_arm_none_eabi": "port/cortex_m/boards"
        for path in sorted((FIRMWARE / "port" / "cortex_m" / "boards").glob("*.c"))
        if path.stem in target_names()
    },
    "android_arm64": "android",
}
# All that a target can name; gcc_base is what they share.
TOOLCHAINS = sorted({path.stem for path in (TARGETS / "toolchains").iterdir()} - {"gcc_base"})

# Of cppcheck.
NO_FINDINGS = {
    "missingIncludeSystem": "it does not read the C library's headers",
    "unusedStructMember": "a packet's number is read with the bytes around it",
    "redundantContinue": "says that a loop's body is meant to be empty",
}
# Of GCC's -fanalyzer: file, and what it says there.
FALSE_ALARMS = {
    ("nn/pn_blob.c", "dereference of NULL"): "a list of a length has an address",
    ("core/pn_gains.c", "pn_scaled, mantissa"): "what a function returned; at -O3 alone",
}


@pytest.mark.parametrize("name", TOOLCHAINS)
def test_warnings_stop_every_compiler(name: str) -> None:
    assert set(load_toolchain(name).common_cflags) >= STOPPING_WARNINGS


@pytest.mark.long
@pytest.mark.parametrize(("target", "folder"), CLANG_READS.items())
def test_clang_tidy_finds_nothing(target: str, folder: str) -> None:
    packages.ensure_package("clang-tidy-19", "static analysis")
    files = [file for file in compiled(target) if file.source.is_relative_to(FIRMWARE / folder)]
    assert files, f"{target} compiles nothing of {folder}"
    for file in files:
        command = ["clang-tidy-19", "--quiet", file.source, "--", *file.flags]
        done = process.run(command, cwd=ROOT, timeout_s=TOOL_TIMEOUT_S, check=False)
        assert done.returncode == 0, done.text


@pytest.mark.long
def test_cppcheck_finds_nothing() -> None:
    packages.ensure_package("cppcheck", "static analysis")
    files = compiled(HOST_TARGET)
    command = [
        "cppcheck",
        "--quiet",
        "--std=c11",
        "--inline-suppr",
        "--enable=warning,style,performance,portability",
        "--error-exitcode=1",
        f"-j{len(os.sched_getaffinity(0))}",
        "-D__x86_64__",
        "-D__GNUC__=12",
        *(f"--suppress={name}" for name in NO_FINDINGS),
        *sorted({word for file in files for word in file.flags if word.startswith("-I")}),
        *(file.source for file in files),
    ]
    done = process.run(command, cwd=ROOT, timeout_s=TOOL_TIMEOUT_S, check=False)
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.long
def test_gccs_analyzer_finds_no_more_than_is_explained(tmp_path: Path) -> None:
    found = [line for file in compiled(HOST_TARGET) for line in analyzed(file, tmp_path)]
    known = {
        (where, what)
        for where, what in FALSE_ALARMS
        if any(where in line and what in line for line in found)
    }
    new = [line for line in found if not any(w in line and t in line for w, t in known)]
    assert not new, new
    assert known == set(FALSE_ALARMS), "an explanation of what is no longer said"


def analyzed(file: Compiled, folder: Path) -> list[str]:
    """What -fanalyzer says of a file, a line each: the file's name, and the line that it says."""
    done = file.again("-fanalyzer", "-Wno-error", output=folder / "analyzed.o")
    said = done.stderr.decode(errors="replace")
    assert done.returncode == 0, said
    warnings = re.findall(r"^.*warning: .*(?:-Wanalyzer|CWE-).*$", said, re.MULTILINE)
    return [f"{file.source}: {line}" for line in warnings]
