"""Who calls whom and with how much stack, out of the machine code of object files."""

import dataclasses
import functools
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.analysis.machine_code import Function, Object, read_object


class Recursion(Exception):
    """Functions that reach themselves: their stack has no bound."""


class Unbounded(Exception):
    """A function whose stack only shows at run time, or changes in a way that is not known."""


@dataclasses.dataclass(frozen=True, order=True)
class Name:
    """A function: where it is defined, and what it is called there."""

    file: Path
    name: str


class CallGraph:
    """Functions of object files that make a program or a library."""

    def __init__(self, files: Iterable[Path]) -> None:
        self._objects = {file: read_object(file) for file in files}
        weak, strong = {}, {}
        for file, read in self._objects.items():
            weak |= {name: Name(file, name) for name in read.weak}
            strong |= {name: Name(file, name) for name in read.globals - read.weak}
        self._globals = weak | strong

    def functions(self) -> Iterator[Name]:
        """All that are defined."""
        for file, read in self._objects.items():
            yield from (Name(file, name) for name in read.functions)

    def find(self, name: str) -> Name:
        """A function that all files see."""
        return self._globals[name]

    def stack(self, name: Name) -> int:
        """Bytes that a function takes by itself, of the call to it too."""
        return self._function(name).stack

    def pointed_to(self) -> set[Name]:
        """Functions whose address is taken anywhere."""
        return {
            found
            for file, read in self._objects.items()
            for takes in (read.takes, *(one.takes for one in read.functions.values()))
            for found in self._at(file, takes)
            if isinstance(found, Name)
        }

    def externals(self, root: Name, by_pointer: dict[str, Iterable[Name]]) -> set[str]:
        """What a call of `root` may come to that is defined nowhere here."""
        seen, todo = {root}, [root]
        while todo:
            new = self._calls(todo.pop(), by_pointer) - seen
            seen |= new
            todo += [one for one in new if isinstance(one, Name)]
        return {one for one in seen if isinstance(one, str)}

    def deepest(self, root: Name, by_pointer: dict[str, Iterable[Name]], external: int) -> int:
        """Most bytes of stack in use by a call of `root`.

        by_pointer: by folder of the caller, what its pointers to functions may lead to. external:
        bytes that a function from elsewhere takes. Raises Recursion with the circle, and Unbounded.
        """
        path: list[Name] = []

        @functools.cache
        def below(name: Name | str) -> int:
            if isinstance(name, str):
                return external
            if name in path:
                circle = [*path[path.index(name) :], name]
                raise Recursion(" -> ".join(one.name for one in circle))
            if unread := self._function(name).unread:
                raise Unbounded(f"{name.name}: {'; '.join(unread)}")
            path.append(name)
            deepest = max(map(below, self._calls(name, by_pointer)), default=0)
            path.pop()
            return self.stack(name) + max(deepest, self._objects[name.file].red_zone)

        return below(root)

    def _function(self, name: Name) -> Function:
        return self._objects[name.file].functions[name.name]

    def _calls(self, name: Name, by_pointer: dict[str, Iterable[Name]]) -> set[Name | str]:
        function = self._function(name)
        called = set(self._at(name.file, function.calls))
        return called | set(by_pointer[name.file.parent.name] if function.by_pointer else ())

    def _at(self, file: Path, places: Iterable[str]) -> Iterator[Name | str]:
        """The functions that a file's words for them, or for their sections, mean."""
        own: Object = self._objects[file]
        for place in places:
            here = [n for n, f in own.functions.items() if place in (n, f.section)]
            if here:
                yield from (Name(file, name) for name in here)
            else:
                yield self._globals.get(place, place)
