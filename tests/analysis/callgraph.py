"""Who calls whom and with how much stack, out of what GCC writes with -fcallgraph-info=su."""

import dataclasses
import functools
import re
from collections.abc import Iterable
from pathlib import Path

INDIRECT = "__indirect_call"
_NODE = re.compile(r'node: \{ title: "([^"]*)" label: "([^"]*)"')
_EDGE = re.compile(r'edge: \{ sourcename: "([^"]*)" targetname: "([^"]*)"')
_BYTES = re.compile(r"(\d+) bytes \(([a-z,]+)\)")


class Recursion(Exception):
    """Functions that reach themselves: their stack has no bound."""


@dataclasses.dataclass
class CallGraph:
    """Functions by name (statics: FILE:NAME), with the file that each is of.

    stack: bytes of a frame. calls: whom each calls, INDIRECT for a pointer. unbounded: frames whose
    size only shows at run time.
    """

    stack: dict[str, int] = dataclasses.field(default_factory=dict)
    files: dict[str, Path] = dataclasses.field(default_factory=dict)
    calls: dict[str, set[str]] = dataclasses.field(default_factory=dict)
    unbounded: set[str] = dataclasses.field(default_factory=set)

    def add(self, source: Path, text: str) -> None:
        """Take in one file's graph; `link` follows the last."""
        for name, label in _NODE.findall(text):
            if frame := _BYTES.search(label):
                self.stack[name] = int(frame[1])
                self.files[name] = source
                if frame[2] == "dynamic":
                    self.unbounded.add(name)
        for caller, callee in _EDGE.findall(text):
            self.calls.setdefault(caller, set()).add(callee)

    def link(self) -> None:
        """Let calls by name find weak functions, which GCC calls FILE:NAME as it does statics."""
        weak = {name.rpartition(":")[2]: name for name in self.stack if ":" in name}
        for caller, callees in self.calls.items():
            missing = (callees - self.stack.keys()) & weak.keys()
            self.calls[caller] = (callees - missing) | {weak[name] for name in missing}

    def externals(self) -> set[str]:
        """Functions that are called and defined nowhere here."""
        called = {callee for callees in self.calls.values() for callee in callees}
        return called - self.stack.keys() - {INDIRECT}

    def without_callers(self) -> set[str]:
        """Functions that nobody calls by name: entry points, and what pointers lead to."""
        return self.stack.keys() - {c for callees in self.calls.values() for c in callees}

    def deepest(self, root: str, pointed_to: dict[str, Iterable[str]], external: int) -> int:
        """Most bytes of stack in use below a call of `root`.

        pointed_to: by folder of the caller, what its pointers to functions may lead to. external:
        bytes that a function from elsewhere takes. Raises Recursion with the circle.
        """
        path: list[str] = []

        @functools.cache
        def below(name: str) -> int:
            if name in path:
                raise Recursion(" -> ".join([*path[path.index(name) :], name]))
            if name not in self.stack:
                return external
            path.append(name)
            callees = set(self.calls.get(name, ()))
            if INDIRECT in callees:
                callees = (callees - {INDIRECT}) | set(pointed_to[self.files[name].parent.name])
            deepest = max(map(below, sorted(callees)), default=0)
            path.pop()
            return self.stack[name] + deepest

        return below(root)
