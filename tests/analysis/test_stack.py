"""The stack of every board's programs is bounded: no recursion, no frame that grows, and the
deepest chain of calls fits what the target sets aside. GCC says each frame's size and who calls
whom.
"""

import re
from pathlib import Path

import pytest

from kit.target import load_target, load_toolchain, target_names
from tests.analysis.callgraph import CallGraph
from tests.analysis.compiled import Compiled, compiled

PROGRAMS = ("denoise_stream", "device")
# newlib's memcpy and its kind keep a few registers; so does the compiler's own arithmetic.
LIBRARY_BYTES = 64
LIBRARY = re.compile(
    r"mem(cpy|set|move|cmp)|str(len|cmp|ncmp|chr|spn|cspn)|__aeabi_\w+|__gnu_\w+|__builtin_\w+"
)
# What a processor pushes for an interrupt, floating point registers and alignment included.
INTERRUPT_BYTES = 108
FLASH_DRIVERS = ("pn_cfi", "pn_port_flash_none", "virt")
_NOT_OF_PROGRAMS = ("oracle", "profile")


def programs() -> list[tuple[str, str]]:
    """Targets with a stack of their own that GCC compiles, each with those of PROGRAMS it has."""
    targets = map(load_target, target_names())
    boards = [t for t in targets if t.stack_size and load_toolchain(t.toolchain).cc == "gcc"]
    return [(t.name, p) for t in boards for p in PROGRAMS if not t.apps or p in t.apps]


def read_graph(files: list[Compiled], program: str, folder: Path) -> CallGraph:
    """The calls of one program and the library."""
    graph = CallGraph()
    for number, file in enumerate(files):
        part = file.source.parent.name
        if part in _NOT_OF_PROGRAMS or (part == "apps" and file.source.stem != program):
            continue
        output = folder / f"{number}.o"
        done = file.again("-fcallgraph-info=su", output=output)
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        graph.add(file.source, output.with_suffix(".ci").read_text())
    graph.link()
    return graph


def pointed_to(graph: CallGraph) -> dict[str, list[str]]:
    """What the network's and signal path's pointers lead to: kernels; an update's: the program's
    self-test and the port's flash."""
    kernels = [name for name, file in graph.files.items() if "__" in file.stem]
    callbacks = [
        name
        for name in graph.without_callers() - {"main"}
        if graph.files[name].parent.name == "apps" or graph.files[name].stem in FLASH_DRIVERS
    ]
    inner = dict.fromkeys(("core", "dsp", "nn", "kernels", "apps", "include"), kernels)
    return inner | {"update": callbacks}


@pytest.mark.long
@pytest.mark.parametrize(("name", "program"), programs())
def test_the_deepest_chain_of_calls_fits(name: str, program: str, tmp_path: Path) -> None:
    target = load_target(name)
    graph = read_graph(compiled(name), program, tmp_path)
    assert not graph.unbounded, "frames whose size shows at run time"
    strange = {f for f in graph.externals() if not LIBRARY.fullmatch(f) and not f.startswith("*")}
    assert not strange, "functions from nowhere here"
    most = graph.deepest("main", pointed_to(graph), LIBRARY_BYTES) + 2 * INTERRUPT_BYTES
    assert most <= target.stack_size, f"{most} of {target.stack_size} bytes"
    budget = target.budgets.stack_bytes
    assert budget is None or most <= budget, f"{most} of {budget} bytes"
