"""What GCC says of calls and frames is read right: recursion and growing frames do not pass."""

from pathlib import Path

import pytest

from kit import process
from tests.analysis.callgraph import CallGraph, Recursion

TIMEOUT_S = 60.0
LEAF = "__attribute__((noipa)) int leaf(int a) { volatile char x[400]; x[a] = 1; return x[0]; }\n"
DEEP = LEAF + "int mid(int a) { volatile char y[300]; y[a] = 2; return leaf(a) + y[0]; }\n"


def graph_of(code: str, folder: Path) -> CallGraph:
    source = folder / "code.c"
    source.write_text(code)
    command = ["gcc", "-O1", "-fcallgraph-info=su", "-c", source, "-o", folder / "code.o"]
    process.run(command, timeout_s=TIMEOUT_S)
    graph = CallGraph()
    graph.add(source, (folder / "code.ci").read_text())
    graph.link()
    return graph


def test_frames_along_a_chain_add_up(tmp_path: Path) -> None:
    graph = graph_of(f"{DEEP}int main(int n, char **v) {{ (void)v; return mid(n) * 3; }}", tmp_path)
    assert not graph.unbounded
    most = graph.deepest("main", {}, 0)
    assert most == graph.stack["main"] + graph.stack["mid"] + graph.stack["leaf"] > 600


@pytest.mark.parametrize(
    "code",
    [
        "int main(int n, char **v) { return n < 2 ? n : n * main(n - 1, v) + main(n - 2, v); }",
        "__attribute__((noipa)) int odd(int n);\n"
        "__attribute__((noipa)) int even(int n) { return n == 0 || odd(n - 1) == 1; }\n"
        "int odd(int n) { return n != 0 && even(n - 1) == 1; }\n"
        "int main(int n, char **v) { (void)v; return even(n) + 1; }",
    ],
)
def test_recursion_is_found_whatever_its_circle(code: str, tmp_path: Path) -> None:
    with pytest.raises(Recursion):
        graph_of(code, tmp_path).deepest("main", {}, 0)


def test_recursion_through_a_pointer_is_found(tmp_path: Path) -> None:
    graph = graph_of("int main(int n, int (**f)(int)) { return n + f[0](n); }", tmp_path)
    with pytest.raises(Recursion):
        graph.deepest("main", {tmp_path.name: ["main"]}, 0)


def test_a_frame_whose_size_shows_at_run_time_is_named(tmp_path: Path) -> None:
    grows = "void use(char *);\nint main(int n, char **v) { char x[n]; use(x); return v != 0; }"
    assert graph_of(grows, tmp_path).unbounded == {"main"}
