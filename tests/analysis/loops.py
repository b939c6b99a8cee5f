"""Which loops of C code end by their form alone, whatever the data.

Such a loop is `for (...; condition; step)` whose condition has a comparison that must hold with a
counter, whose step moves that counter by a constant towards the bound, and whose body names neither
to change it. (`<=` takes a bound below the counter's largest value.) `do ... while (0)` is a block.
"""

import dataclasses
import re
from collections.abc import Iterator

_COMMENT_OR_STRING = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'', re.S)
_KEYWORD = re.compile(r"\b(for|while|do|goto)\b")
# A variable, or a member of a member of one.
_PLACE = re.compile(r"(?<![\w.>])[A-Za-z_]\w*(?:(?:->|\.)\w+)*")
_SIZE = re.compile(r"\bsizeof\s+\w+(?:\[\w+\])?")
_CONSTANT = r"(?:[1-9]\w*|[A-Z][A-Z0-9_]*)(?:\s*\*\s*(?:[1-9]\w*|[A-Z][A-Z0-9_]*))*"
_UP = re.compile(rf"(?P<counter>\w+)(?:\s*\+\s*{_CONSTANT})?\s*<=?\s*(?P<bound>[^<>=].*)", re.S)
_DOWN = re.compile(r"(?P<counter>\w+)\s*>=?\s*(?P<bound>[^<>=].*)", re.S)
_TO_ZERO = re.compile(r"(?P<counter>\w+)(?P<bound>)")
_CHANGE = r"(?:\+\+|--|[-+*/%&|^]=|<<=|>>=|=(?!=))"


@dataclasses.dataclass(frozen=True)
class Loop:
    """A loop's first line, as it is written but for its spaces, and why it may not end."""

    head: str
    doubt: str


def doubtful(code: str) -> list[Loop]:
    """Loops, and jumps, of C code that need more than their form to end."""
    return [loop for loop in _loops(_bare(code)) if loop.doubt]


def count(code: str) -> int:
    """How many loops and jumps C code has."""
    return len(list(_loops(_bare(code))))


def _bare(code: str) -> str:
    """Without comments, strings and what goes on in the next line."""
    return _COMMENT_OR_STRING.sub(" ", code).replace("\\\n", " ")


def _loops(code: str) -> Iterator[Loop]:
    ends_of_do = set()
    for found in _KEYWORD.finditer(code):
        if found[1] == "goto":
            yield Loop(_line(code[found.start() : code.index(";", found.end())]), "it jumps")
        elif found[1] == "do":
            end = _end_of_statement(code, found.end())
            ends_of_do.add(code.index("while", end))
        else:
            head_end = _end_of_brackets(code, code.index("(", found.end()))
            head = code[found.start() : head_end]
            if found.start() in ends_of_do:
                doubt = "" if re.sub(r"\s", "", head) == "while(0)" else "a condition that may stay"
            elif found[1] == "while":
                doubt = "a condition that may stay"
            else:
                doubt = _doubt(head, code[head_end : _end_of_statement(code, head_end)])
            yield Loop(_line(head), doubt)


def _line(text: str) -> str:
    return " ".join(text.split())


def _end_of_brackets(code: str, start: int) -> int:
    """Behind the bracket that closes the one at start."""
    closing = {"(": ")", "{": "}", "[": "]"}
    opened = []
    for at in range(start, len(code)):
        if code[at] in closing:
            opened.append(closing[code[at]])
        elif code[at] in closing.values():
            assert opened.pop() == code[at], f"brackets cross: {code[start : at + 1]}"
            if not opened:
                return at + 1
    raise AssertionError(f"a bracket stays open: {code[start : start + 80]}")


def _end_of_statement(code: str, start: int) -> int:
    """Behind the statement that begins at start; of `if`, what `else` says is left out."""
    start += len(code[start:]) - len(code[start:].lstrip())
    if code[start] == "{":
        return _end_of_brackets(code, start)
    if control := re.compile(r"(for|while|if|switch)\s*(?=\()").match(code, start):
        body = _end_of_statement(code, _end_of_brackets(code, control.end()))
        otherwise = re.compile(r"\s*else\b").match(code, body) if control[1] == "if" else None
        return _end_of_statement(code, otherwise.end()) if otherwise else body
    at = start
    while code[at] != ";":
        at = _end_of_brackets(code, at) if code[at] in "([{" else at + 1
    return at + 1


def _doubt(head: str, body: str) -> str:
    """Why a `for` may not end; empty if it does."""
    _, condition, step = head[head.index("(") + 1 : -1].split(";")
    if "||" in condition:
        return "a condition that may stay"
    doubts = [_doubt_of_term(term.strip(), step, body) for term in condition.split("&&")]
    return "" if "" in doubts else doubts[0]


def _doubt_of_term(term: str, step: str, body: str) -> str:
    for form, move in (
        (_UP, rf"{{0}}\+\+|\+\+{{0}}|{{0}}\s*\+=\s*{_CONSTANT}"),
        (_DOWN, rf"{{0}}--|--{{0}}|{{0}}\s*-=\s*{_CONSTANT}"),
        (_TO_ZERO, "{0}--|--{0}"),
    ):
        if not (found := form.fullmatch(term)):
            continue
        counter = found["counter"]
        moves = [part.strip() for part in step.split(",") if re.search(rf"\b{counter}\b", part)]
        if len(moves) != 1 or not re.fullmatch(move.format(counter), moves[0]):
            return f"its step does not bring `{counter}` to its bound"
        held = {counter, *_PLACE.findall(_SIZE.sub("", found["bound"]))}
        rest = step.replace(moves[0], "", 1)
        changed = sorted(place for place in held if _changes(place, f"{rest};{body}"))
        return f"it changes `{changed[0]}` on its way" if changed else ""
    return "no counter is compared with a bound"


def _changes(place: str, code: str) -> bool:
    """Whether code names a place, or what it is a member of, to give it another value; or lends
    the address of a variable."""
    parts = re.split(r"(->|\.)", place)
    within = [re.escape("".join(parts[:end])) for end in range(1, len(parts) + 1, 2)]
    name = rf"(?<![\w.>])(?:{'|'.join(within)})(?!\s*(?:\w|\[|->|\.))"
    return bool(
        re.search(rf"{name}\s*{_CHANGE}", code)
        or re.search(rf"(?:\+\+|--)\s*{name}", code)
        or re.search(rf"(?<![&\w)\]])\s*&\s*{parts[0]}(?!\s*(?:\w|\[|->|\.))", code)
    )
