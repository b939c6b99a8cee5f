"""What the machine code of an object file says of its functions: how much stack each takes, whom
each calls, and whose address is taken. For x86-64, AArch64 and 32-bit Arm, as GCC and Clang write
them with a section for each function.

A function takes what all its instructions together take off the stack pointer, those that give
back left out: at least what is in use at any time, whatever its branches. An instruction that
changes the stack pointer in a way that is not known here makes its function unbounded.
"""

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

from kit import process

TIMEOUT_S = 60.0
OBJDUMP = "llvm-objdump-19"
# On x86-64 the call itself takes the stack for the way back.
RETURN_ADDRESS_BYTES = {"x86-64": 8}
# What a function may use below its stack pointer as long as it calls nobody.
RED_ZONE_BYTES = {"x86-64": 128}

_FORMAT = re.compile(r"file format elf\d+-(?P<machine>[\w-]+)")
_MACHINES = {"x86-64": "x86-64", "littleaarch64": "aarch64", "littlearm": "arm"}
_SYMBOL = re.compile(
    r"^(?P<address>[0-9a-f]+) (?P<scope>[lgw ]).{5}F (?P<section>\S+)\t[0-9a-f]+ (?:\.\w+ )?"
    r"(?P<name>\S+)$",
    re.M,
)
_SECTION = re.compile(r"^Disassembly of section (?P<section>.+):$")
_HEAD = re.compile(r"^(?P<address>[0-9a-f]+) <[^>]+>:$")
_INSTRUCTION = re.compile(r"^ *[0-9a-f]+: +\t(?P<code>[^<]*)(?:<(?P<at>[^>]+)>)?")
_COMMENT = re.compile(r"\s(# |// |@ ).*")
_RELOCATION = re.compile(r"^\t+[0-9a-f]+: +R_\w+\t(?P<to>\S+)$")
_RECORDS = re.compile(r"^RELOCATION RECORDS FOR \[(?P<section>[^]]+)\]:$")
_RECORD = re.compile(r"^[0-9a-f]+ +R_\w+ +(?P<to>\S+)$")
_OFFSET = re.compile(r"[-+]0x[0-9a-f]+$")
# Sections that nothing calls through.
_TOLD = re.compile(r"\.(debug|eh_frame|ARM\.ex|llvm|note|comment)")

_BRANCH = re.compile(r"(call|j|b(?!ic|f|if|kpt)|cbn?z|tbn?z)")
_CALL = re.compile(r"(callq?|blx?)(?!\w*ne\b) ")
_INDIRECT = re.compile(
    r"(notrack )?(callq?|jmpq?) \*.*"
    r"|(blr|br) x\d+"
    r"|(blx|bx)\w* (?!lr)(r\d+|ip)"
    r"|(mov|ldr)\w*(\.w)? pc, (?!lr|\[sp|\[pc).*"
)
_NUMBER = r"#?\$?(-?(?:0x)?[0-9a-f]+)"
# What takes a number of bytes, by machine.
_TAKES = {
    "x86-64": (rf"subq {_NUMBER}, %rsp",),
    "aarch64": (rf"sub sp, sp, {_NUMBER}", rf"st[rp] [^[]*\[sp, {_NUMBER}\]!"),
    "arm": (rf"sub\w*(?:\.w)? sp, (?:sp, )?{_NUMBER}", rf"str\w*(?:\.w)? [^[]*\[sp, {_NUMBER}\]!"),
}
# What gives bytes back; with a negative number, `add` and `lea` take them.
_GIVES = {
    "x86-64": (rf"addq {_NUMBER}, %rsp", rf"leaq {_NUMBER}\(%rsp\), %rsp"),
    "aarch64": (rf"add sp, sp, {_NUMBER}", rf"ld[rp] [^[]*\[sp\], {_NUMBER}"),
    "arm": (rf"add\w*(?:\.w)? sp, (?:sp, )?{_NUMBER}", rf"ldr\w*(?:\.w)? [^[]*\[sp\], {_NUMBER}"),
}
# What goes back to where the function was once before.
_RETURNS = {
    "x86-64": r"(pop|leave|ret).*|movq %rbp, %rsp|leaq -?0x[0-9a-f]+\(%(rbp|r10)\), %rsp",
    "aarch64": r"mov sp, x29|sub sp, x29, .*",
    "arm": r"v?pop.*|v?ldm\w*(\.w)? sp!, .*|mov sp, (r7|r11)|(subs?(\.w)? sp, r(7|11), .*)",
}
_CHANGES = {
    "x86-64": r"push.*|pop.*|leave.*|(?!cmp|test)\w+ .*%[re]?sp",
    "aarch64": r"(?!cmp|st|cmn)[\w.]+ sp,.*|.*\[sp.*\]!|.*\[sp\], .*",
    "arm": r"v?push.*|v?pop.*|(?!cmp|st|tst|ldm)[\w.]+ sp,.*|.*\[sp.*\]!|.*\[sp\], .*|.* sp!.*",
}


@dataclasses.dataclass
class Function:
    """What one function's code says.

    stack: bytes that it takes, of the call to it too. calls: whom, by name or section. by_pointer:
    whether it calls through one. takes: what it takes the address of. unread: instructions that
    leave its stack without a bound.
    """

    section: str
    stack: int
    calls: set[str] = dataclasses.field(default_factory=set)
    by_pointer: bool = False
    takes: set[str] = dataclasses.field(default_factory=set)
    unread: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Object:
    """An object file: its functions by name, several names of one included; the names that other
    files see, and those of them that another file may define better; and what its data has the
    address of."""

    machine: str
    functions: dict[str, Function]
    globals: set[str]
    weak: set[str]
    takes: set[str]

    @property
    def red_zone(self) -> int:
        """Bytes below the stack pointer that a function may use while it calls nobody."""
        return RED_ZONE_BYTES.get(self.machine, 0)


def read_object(path: Path) -> Object:
    """Read one object file."""
    text = process.run([OBJDUMP, "-dr", "-t", "--no-show-raw-insn", path], timeout_s=TIMEOUT_S).text
    symbols = [found.groupdict() for found in _SYMBOL.finditer(text)]
    machine = _MACHINES[_FORMAT.search(text)["machine"]]
    bodies = dict(_bodies(text))
    functions: dict[str, Function] = {}
    # A part of a function that the compiler put elsewhere is read after it, as more of it.
    for symbol in sorted(symbols, key=lambda symbol: _is_part(symbol["name"])):
        name = _whole(symbol["name"])
        code = bodies[symbol["section"], int(symbol["address"], 16)]
        new = Function(symbol["section"], RETURN_ADDRESS_BYTES.get(machine, 0))
        _read_body(name, code, machine, functions.setdefault(name, new))
    seen = {symbol["name"] for symbol in symbols if symbol["scope"] != "l"}
    weak = {symbol["name"] for symbol in symbols if symbol["scope"] == "w"}
    return Object(machine, functions, seen, weak, set(_addresses_in_data(path)))


def _is_part(name: str) -> bool:
    return name != _whole(name)


def _whole(name: str) -> str:
    """A function's name without what its part is called after."""
    return re.sub(r"\.cold(\.\d+)?$", "", name)


def _bodies(text: str) -> Iterator[tuple[tuple[str, int], list[str]]]:
    """The lines of each function, by its section and address: it may have several names."""
    section, address, lines = "", 0, []
    for line in text.splitlines():
        if found := _SECTION.match(line) or _HEAD.match(line):
            yield (section, address), lines
            section = found.groupdict().get("section", section)
            address = int(found.groupdict().get("address", "0"), 16)
            lines = []
        else:
            lines.append(line)
    yield (section, address), lines


def _addresses_in_data(path: Path) -> Iterator[str]:
    """What relocations of data name. A function's own jump table names places within it."""
    section = ""
    for line in process.run([OBJDUMP, "-r", path], timeout_s=TIMEOUT_S).text.splitlines():
        if head := _RECORDS.match(line):
            section = head["section"]
        elif (found := _RECORD.match(line)) and not _TOLD.match(section):
            to = _OFFSET.sub("", found["to"])
            of_itself = section.replace(".rodata.", ".text.") == to
            if not section.startswith(".text") and not of_itself:
                yield to


def _read_body(name: str, lines: list[str], machine: str, function: Function) -> None:
    """Add what a function's disassembly says."""
    stack = _Stack(machine)
    code, at, before, has_table = "", "", "", False
    for line in [*lines, ""]:
        if found := _RELOCATION.match(line):
            to = _OFFSET.sub("", found["to"])
            (function.calls if _BRANCH.match(code) else function.takes).add(to)
            code, at = "", ""
            continue
        _follow(name, code, at, function)
        code, at = "", ""
        if found := _INSTRUCTION.match(line):
            code = " ".join(_COMMENT.sub("", found["code"]).split())
            at = found["at"] or ""
            stack.read(code)
            function.by_pointer |= bool(_INDIRECT.fullmatch(code)) and not _is_switch(before, code)
            before = code
        if re.match(r"ldr\w* pc, \[pc, ", before):
            has_table = True
    if has_table:
        function.takes.discard(function.section)
    function.stack += stack.taken
    function.unread += stack.unread


def _is_switch(before: str, code: str) -> bool:
    """Whether a jump goes to a place that was just computed from a table of distances."""
    jump = re.fullmatch(r"(?:notrack )?jmpq \*(%\w+)|br (x\d+)", code)
    return bool(jump) and bool(
        re.fullmatch(rf"addq %\w+, {jump[1]}" if jump[1] else rf"add {jump[2]}, x\d+, .*", before)
    )


def _follow(name: str, code: str, at: str, function: Function) -> None:
    """Take in a branch that was resolved within its section; a jump within a function is none."""
    to = _OFFSET.sub("", at)
    if to and _BRANCH.match(code) and (_whole(to) != name or _CALL.match(code)):
        function.calls.add(to)


class _Stack:
    """What the instructions of one function take off the stack pointer."""

    def __init__(self, machine: str) -> None:
        self.taken = 0
        self.unread: list[str] = []
        self._machine = machine
        # By register of Arm's: how many bytes below the stack pointer it points; its constant.
        self._below: dict[str, int] = {}
        self._constant: dict[str, int] = {}

    def read(self, code: str) -> None:
        """Read the next instruction."""
        self._note_register(code)
        if not re.fullmatch(_CHANGES[self._machine], code):
            return
        taken = self._bytes(code)
        if taken is None:
            self.unread.append(code)
        else:
            self.taken += max(taken, 0)

    def _bytes(self, code: str) -> int | None:
        """Bytes that an instruction takes, None if that is not known."""
        machine = self._machine
        for sign, forms in ((1, _TAKES[machine]), (-1, _GIVES[machine])):
            for form in forms:
                if found := re.fullmatch(rf"{form}(, lsl #12)?", code):
                    scale = 4096 if found[2] else 1
                    # A store says how far it moves the pointer, downwards being negative.
                    down = -1 if "]!" in code else 1
                    return sign * down * scale * int(found[1], 0)
        if re.fullmatch(_RETURNS[machine], code):
            return 0
        return self._x86_bytes(code) if machine == "x86-64" else self._arm_bytes(code)

    def _x86_bytes(self, code: str) -> int | None:
        if code.startswith("push"):
            return 8
        if found := re.fullmatch(r"andq \$-(0x[0-9a-f]+), %rsp", code):
            return int(found[1], 0) - 8
        return None

    def _arm_bytes(self, code: str) -> int | None:
        if found := re.fullmatch(r"(?:v?push|v?stmdb)(?:\.w)? (?:sp!, )?\{(.*)\}", code):
            registers = found[1].split(", ")
            return sum(8 if register.startswith("d") else 4 for register in registers)
        if found := re.fullmatch(r"mov sp, (\w+)", code):
            return self._below.get(found[1])
        if found := re.fullmatch(r"sub sp, sp, (\w+)", code):
            return self._constant.get(found[1])
        if re.fullmatch(r"add sp, sp, \w+", code):
            return 0
        if found := re.fullmatch(rf"(?:and|bic) sp, (\w+), {_NUMBER}", code):
            return _plus(self._below.get(found[1], 0 if found[1] == "sp" else None), code)
        return None

    def _note_register(self, code: str) -> None:
        """Keep in mind what the stack pointer may be set to from a register of Arm's."""
        found = re.match(r"([\w.]+) ([rx]\d+), (.*)", code)
        if not found or self._machine == "x86-64":
            return
        name, register, rest = found.groups()
        constant = re.fullmatch(_NUMBER, rest) if name.startswith("mov") else None
        if constant and name != "movt":
            self._constant[register] = int(constant[1], 0)
        elif not name.startswith("st"):
            self._constant.pop(register, None)
        if name == "mov" and rest == "sp":
            self._below[register] = 0
        elif (down := re.fullmatch(rf"(?:sp|r7|r11|x29), {_NUMBER}", rest)) and name[:3] == "sub":
            self._below[register] = int(down[1], 0) if rest.startswith("sp") else 0
        elif name in ("bfc", "bic", "and") and register in self._below:
            self._below[register] = _plus(self._below[register], code)
        elif not name.startswith("st"):
            self._below.pop(register, None)


def _plus(below: int | None, code: str) -> int | None:
    """Bytes below, and what rounding down to a multiple costs at most."""
    if found := re.fullmatch(r"bfc \w+, #0, #(\d+)", code):
        lost = (1 << int(found[1])) - 1
    elif found := re.fullmatch(rf"bic \w+, \w+, {_NUMBER}", code):
        lost = int(found[1], 0)
    else:
        lost = ~int(code.rpartition("#")[2], 0) & 0xFFFF
    return None if below is None else below + lost
