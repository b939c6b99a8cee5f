"""What compilers write is read right: recursion, growing frames and pointers do not pass."""

from pathlib import Path

import pytest

from kit import packages, process
from tests.analysis.callgraph import CallGraph, Recursion, Unbounded

TIMEOUT_S = 60.0
COMPILERS = {
    "gcc": ("gcc", "gcc"),
    "clang": ("clang-19", "clang-19"),
    "gcc, AArch64": ("gcc-aarch64-linux-gnu", "aarch64-linux-gnu-gcc"),
    "clang, AArch64": ("clang-19", "clang-19", "--target=aarch64-linux-gnu"),
    "gcc, Thumb": ("gcc-arm-none-eabi", "arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb"),
    "gcc, Arm": ("gcc-arm-none-eabi", "arm-none-eabi-gcc", "-mcpu=cortex-a15", "-marm"),
    "clang, Thumb": ("clang-19", "clang-19", "--target=arm-none-eabi", "-mcpu=cortex-m4"),
}
ALONE = "__attribute__((noipa)) "
LEAF = ALONE + "int leaf(int a) { volatile char x[400]; x[a] = 1; return x[0]; }\n"
DEEP = LEAF + ALONE + "int mid(int a) { volatile char y[300]; y[a] = 2; return leaf(a) + y[0]; }\n"
RED_ZONE = 128


@pytest.fixture(params=COMPILERS)
def compiler(request: pytest.FixtureRequest) -> tuple[str, ...]:
    package, *words = COMPILERS[request.param]
    packages.ensure_package("llvm-19", "reading machine code")
    packages.ensure_package(package, "compiling for another processor")
    return tuple(words)


def graph_of(code: str, folder: Path, compiler: tuple[str, ...] = ("gcc",)) -> CallGraph:
    source, made = folder / "code.c", folder / "code.o"
    source.write_text(code.replace("noipa", "noinline") if compiler[0] != "gcc" else code)
    flags = ["-O1", "-ffunction-sections", "-fno-optimize-sibling-calls", "-ffreestanding"]
    process.run([*compiler, *flags, "-c", source, "-o", made], timeout_s=TIMEOUT_S)
    return CallGraph([made])


def deepest(graph: CallGraph, root: str = "start", by_pointer: tuple[str, ...] = ()) -> int:
    folders = {function.file.parent.name for function in graph.functions()}
    found = [graph.find(name) for name in by_pointer]
    return graph.deepest(graph.find(root), dict.fromkeys(folders, found), 0)


def test_frames_along_a_chain_add_up(tmp_path: Path, compiler: tuple[str, ...]) -> None:
    graph = graph_of(f"{DEEP}int start(int n) {{ return mid(n) * 3; }}", tmp_path, compiler)
    sizes = [graph.stack(graph.find(name)) for name in ("start", "mid", "leaf")]
    assert sizes[1] > 300
    below = deepest(graph) - sum(sizes)
    # A leaf may lie in the red zone, which is added to what it takes.
    assert below in (0, RED_ZONE)
    assert 400 <= sizes[2] + below < 400 + 2 * RED_ZONE


@pytest.mark.parametrize(
    "code",
    [
        "int start(int n) { return n < 2 ? n : n * start(n - 1) + start(n - 2); }",
        "int odd(int n);\n"
        "__attribute__((noinline)) int even(int n) { return n == 0 || odd(n - 1) == 1; }\n"
        "__attribute__((noinline)) int odd(int n) { return n != 0 && even(n - 1) == 1; }\n"
        "int start(int n) { return even(n) + 1; }",
        "static __attribute__((noinline)) int one(int n) { return n < 2 ? n : n * one(n / 3); }\n"
        "int start(int n) { return one(n) + 1; }",
    ],
)
def test_recursion_is_found_whatever_its_circle(
    code: str, tmp_path: Path, compiler: tuple[str, ...]
) -> None:
    with pytest.raises(Recursion):
        deepest(graph_of(code, tmp_path, compiler))


def test_recursion_through_a_pointer_is_found(tmp_path: Path, compiler: tuple[str, ...]) -> None:
    graph = graph_of("int start(int n, int (**f)(int)) { return n + f[0](n); }", tmp_path, compiler)
    with pytest.raises(Recursion):
        deepest(graph, by_pointer=("start",))


def test_a_pointer_leads_to_every_function_that_may_be_in_it(
    tmp_path: Path, compiler: tuple[str, ...]
) -> None:
    tables = (
        "int other(int a) { return a * 7; }\n"
        "static int third(int a) { return a * 5; }\n"
        "static int (*const table[])(int) = {leaf, third};\n"
        "int (*chosen(int n))(int) { return n ? table[n] : other; }\n"
        "int start(int n) { return 1 + table[n](n); }\n"
    )
    graph = graph_of(LEAF + tables, tmp_path, compiler)
    pointed_to = {function.name for function in graph.pointed_to()}
    assert pointed_to == {"leaf", "third", "other"}
    assert deepest(graph, by_pointer=("leaf", "other")) > 400


def test_a_jump_through_a_pointer_is_a_call(tmp_path: Path, compiler: tuple[str, ...]) -> None:
    jump = "-foptimize-sibling-calls"
    code = "int start(int n, int (**f)(int)) { return f[n](n); }"
    graph = graph_of(LEAF + code, tmp_path, (*compiler, jump))
    assert deepest(graph, by_pointer=("leaf",)) >= 400


def test_a_switch_is_no_call(tmp_path: Path, compiler: tuple[str, ...]) -> None:
    cases = " ".join(f"case {n}: return use({n * n * 7919 % 1000}) + n;" for n in range(12))
    code = f"int use(int); int start(int n) {{ switch (n) {{ {cases} }} return 0; }}"
    assert deepest(graph_of(code, tmp_path, compiler), by_pointer=("start",)) < 200


def test_a_frame_whose_size_shows_at_run_time_is_named(
    tmp_path: Path, compiler: tuple[str, ...]
) -> None:
    grows = "void use(char *);\nint start(int n) { char x[n]; use(x); return n; }"
    with pytest.raises(Unbounded, match="start"):
        deepest(graph_of(grows, tmp_path, compiler))


def test_a_large_frame_and_an_aligned_one_are_counted_whole(
    tmp_path: Path, compiler: tuple[str, ...]
) -> None:
    code = (
        "void use(char *);\n"
        "int start(int n) { char x[70001]; use(x); return n; }\n"
        "int aligned(int n) { _Alignas(64) char x[128]; use(x); return n; }"
    )
    graph = graph_of(code, tmp_path, compiler)
    assert 70001 <= deepest(graph) < 70001 + 300
    # An unlucky caller costs all of the alignment but its own.
    assert 128 + 48 <= deepest(graph, "aligned") < 500


def test_other_names_of_a_function_are_the_function(tmp_path: Path) -> None:
    code = DEEP + 'int start(int n) __attribute__((alias("mid")));'
    graph = graph_of(code, tmp_path)
    assert deepest(graph) == deepest(graph, "mid") > 600
