"""The stack of the library, with every compiler of every target, and of every board's programs is
bounded: no recursion, no frame that grows, and the deepest chain of calls takes no more than what
`fit` says and what the board sets aside. Read off the machine code that ships; what the compilers
say of each frame, and what calls are seen to take, agree.

Signal handlers, and what a dynamic linker takes to find a function at its first call, come on top.
"""

import functools
import re
from pathlib import Path

import pytest

from kit import packages, process
from kit.build import HOST_TARGET
from kit.model.footprint import costs_of_target
from kit.paths import BUILD, FIRMWARE, LIBRARY_FOLDERS, ROOT
from kit.target import load_target, load_toolchain, target_names
from tests.analysis.callgraph import CallGraph
from tests.analysis.compiled import all_compiled, compiled

TIMEOUT_S = 600.0
PUBLIC = re.findall(r"\b(pn_\w+)\(", (FIRMWARE / "include" / "percepnet.h").read_text())
# Toolchains that compile a target beside its own.
OTHERS = {
    "host_x86_64": "clang_x86_64",
    "qemu_aarch64": "clang_aarch64",
    "qemu_armhf": "clang_armhf",
    "mps2_an500": "clang_arm_none_eabi",
    "mps3_an547": "clang_arm_none_eabi",
    "virt_a15": "clang_arm_none_eabi",
}
EVERYTHING = [*target_names(), *(f"{name}+{other}" for name, other in OTHERS.items())]
# Where a program runs here that looks at its own stack.
PAINTED = [name for name in EVERYTHING if name.startswith(("host_x86_64+", "qemu_a"))]
# `fit` says one figure for a processor, whatever compiles for it.
MOST_ABOVE_PROOF = 1.08
PROGRAMS = ("denoise_stream", "device")
# A function of the C library or of the compiler's own arithmetic: test_library_functions measures.
LIBRARY_BYTES = 128
LIBRARY = re.compile(
    r"mem(cpy|set|move|cmp)|str(len|cmp|ncmp|chr|spn|cspn)|__aeabi_\w+|__gnu_\w+|getauxval"
    r"|__cpu_indicator_init"
)
# What a processor pushes for an interrupt, floating point registers and alignment included.
INTERRUPT_BYTES = 108
FLASH_DRIVERS = ("pn_cfi", "pn_port_flash_none", "virt")


@functools.cache
def library(name: str) -> CallGraph:
    """The library of a target, as it is built; builds it."""
    packages.ensure_package("llvm-19", "reading machine code")
    folder = BUILD / name / "obj"
    objects = [file.object for file in all_compiled(name)]
    parts = (*LIBRARY_FOLDERS, "kernels", "gen")
    return CallGraph([one for one in objects if one.relative_to(folder).parts[0] in parts])


def library_bound(name: str) -> int:
    """Most bytes of stack that a call of the library takes."""
    graph = library(name)
    kernels = graph.pointed_to()
    assert {function.file.parent.name for function in kernels} == {"kernels"}
    by_pointer = dict.fromkeys((*LIBRARY_FOLDERS, "kernels"), kernels)
    roots = [graph.find(name) for name in PUBLIC]
    strange = {f for r in roots for f in graph.externals(r, by_pointer) if not LIBRARY.fullmatch(f)}
    assert not strange, "functions from nowhere here"
    return max(graph.deepest(root, by_pointer, LIBRARY_BYTES) for root in roots)


def check_library(name: str) -> None:
    """What `fit` says is proven, and not much more than that."""
    proven, said = library_bound(name), costs_of_target(load_target(name)).stack_bytes
    assert proven <= said <= proven * MOST_ABOVE_PROOF, f"{name}: proven {proven}, said {said}"


def test_the_library_for_this_computer_takes_no_more_stack_than_fit_says() -> None:
    check_library(HOST_TARGET)


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in EVERYTHING if name != HOST_TARGET])
def test_the_library_takes_no_more_stack_than_fit_says(name: str) -> None:
    check_library(name)


@pytest.mark.long
@pytest.mark.parametrize("name", EVERYTHING)
def test_what_compilers_say_of_frames_agrees(name: str, tmp_path: Path) -> None:
    read = CallGraph(file.object for file in compiled(name))
    for number, file in enumerate(compiled(name)):
        output = tmp_path / f"{number}.o"
        done = file.again("-fstack-usage", output=output)
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        for line in output.with_suffix(".su").read_text().splitlines():
            place, size, kind = line.split("\t")
            function = place.rpartition(":")[2]
            assert "dynamic" not in kind or "bounded" in kind, line
            names = [f for f in read.functions() if f.file == file.object]
            stacks = [
                read.stack(f)
                for f in names
                if f.name == function or f.name.startswith(f"{function}.")
            ]
            assert stacks, line
            assert int(size) <= max(stacks), line


def program_objects(name: str, program: str) -> list[Path]:
    """Objects of a board's program: the library, the port, new weights, and its own."""
    folder = BUILD / name / "obj"
    parts = (*LIBRARY_FOLDERS, "kernels", "gen", "update", "port")
    objects = [file.object for file in all_compiled(name)]
    shared = [one for one in objects if one.relative_to(folder).parts[0] in parts]
    return [*shared, folder / "apps" / f"{program}.o"]


def boards() -> list[str]:
    """Targets with a stack of their own."""
    return [name for name in target_names() if load_target(name).stack_size]


def programs() -> list[tuple[str, str]]:
    """Boards, each with those of PROGRAMS it has."""
    return [(n, p) for n in boards() for p in PROGRAMS if p in (load_target(n).apps or PROGRAMS)]


def program_bound(name: str, program: str) -> int:
    """Most bytes of a board's stack that a program takes, two interrupts included."""
    graph = CallGraph(program_objects(name, program))
    pointed_to = graph.pointed_to()
    kernels = {one for one in pointed_to if one.file.parent.name == "kernels"}
    callbacks = {
        one
        for one in pointed_to
        if one.file.parent.name == "apps" or one.file.stem in FLASH_DRIVERS
    }
    by_pointer = dict.fromkeys((*LIBRARY_FOLDERS, "kernels"), kernels) | {"update": callbacks}
    main = graph.find("main")
    strange = {f for f in graph.externals(main, by_pointer) if not LIBRARY.fullmatch(f)}
    assert not strange, "functions from nowhere here"
    return graph.deepest(main, by_pointer, LIBRARY_BYTES) + 2 * INTERRUPT_BYTES


@pytest.mark.long
@pytest.mark.parametrize(("name", "program"), programs())
def test_the_deepest_chain_of_calls_fits(name: str, program: str) -> None:
    target = load_target(name)
    most = program_bound(name, program)
    assert most <= target.stack_size, f"{most} of {target.stack_size} bytes"
    budget = target.budgets.stack_bytes
    assert budget is None or most <= budget, f"{most} of {budget} bytes"


@pytest.mark.long
@pytest.mark.parametrize("name", boards())
def test_library_functions_take_little(name: str) -> None:
    objects = program_objects(name, "denoise_stream")
    linked = CallGraph([BUILD / name / f"denoise_stream{load_target(name).program_suffix}"])
    own = {function.name for function in CallGraph(objects).functions()}
    from_libraries = [f for f in linked.functions() if LIBRARY.fullmatch(f.name)]
    assert from_libraries
    for function in from_libraries:
        assert function.name not in own
        assert linked.deepest(function, {}, 0) <= LIBRARY_BYTES, function.name


def painted(name: str, folder: Path) -> dict[str, int]:
    """Bytes of stack that calls were seen to take, by instruction set."""
    target = load_target(name)
    toolchain = load_toolchain(target.toolchain)
    like = next(file for file in compiled(name) if file.source.parent.name == "apps")
    program = folder / "painted"
    process.run(
        [
            *like.words,
            Path(__file__).with_name("painted.c"),
            BUILD / name / "libpercepnet.a",
            *toolchain.ldflags,
            "-Wl,-z,now",
            "-o",
            program,
        ],
        cwd=ROOT,
        timeout_s=TIMEOUT_S,
    )
    emulator = [target.emulator.program, *target.emulator.args] if target.emulator else []
    said = process.run([*emulator, program], timeout_s=TIMEOUT_S).text.splitlines()
    return {isa: int(size) for isa, size in (line.split() for line in said)}


def check_painted(name: str, folder: Path) -> None:
    """Calls take no more than proven, and nearly that."""
    seen, proven = painted(name, folder), library_bound(name)
    assert all(0.7 * proven < size <= proven for size in seen.values()), f"{seen}, {proven}"


def test_calls_on_this_computer_are_seen_to_take_no_more_than_proven(tmp_path: Path) -> None:
    check_painted(HOST_TARGET, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("name", PAINTED)
def test_calls_are_seen_to_take_no_more_than_proven(name: str, tmp_path: Path) -> None:
    check_painted(name, tmp_path)
