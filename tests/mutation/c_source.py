"""Mutants of C: operators, comparisons, shifts, constants, indices, statements, intrinsics.

The code is clang-formatted, which tells a binary operator (blanks around it) from a unary one.
"""

import re
from collections.abc import Iterator

_BINARY = {
    "+": "-", "-": "+", "*": "+", "/": "*", "%": "/", "<<": ">>", ">>": "<<", "&": "|", "|": "&",
    "^": "|", "<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "&&": "||",
    "||": "&&", "+=": "-=", "-=": "+=", "*=": "+=", "/=": "*=", "<<=": ">>=", ">>=": "<<=",
    "|=": "&=", "&=": "|=", "^=": "|=",
}  # fmt: skip
_OPERATOR = re.compile(r"(?<= )(?:<<=|>>=|[-+*/|&^]=|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^<>])(?=\s)")
_STEP = re.compile(r"\+\+|--")
_NUMBER = re.compile(r"(?<![\w.])(0[xX][0-9a-fA-F]+|[0-9]+)([uUlL]*)\b(?!\.)")
_INDEX = re.compile(r"(?<=[\w\])])\[([^\][]+)\]")
_DECLARED = re.compile(
    r"(?:^|[(,{;])\s*(?:(?:static|const|_Alignas\(\w+\)|struct)\s+)*\w+\s+\**\w+(?:\[\w+\], \w+)*$"
    r"|\(\*\)$"
)
_STATEMENT = re.compile(r"^ +(\*?\w[^\s=]* (?:[-+*/|&^]|<<|>>)?= .*;|\w+\(.*\);|continue;)$", re.M)
_WORDS = {
    "add": "sub", "sub": "add", "min": "max", "max": "min", "slli": "srli", "srli": "slli",
    "srai": "srli", "unpacklo": "unpackhi", "unpackhi": "unpacklo",
}  # fmt: skip
_CALL = re.compile(r"\b(?:_mm(?:256)?_|pn_)([a-z]+)(?=_|[0-9])")


def edits(text: str) -> Iterator[tuple[int, str, str]]:
    """Places of mutants in a C file: (start, original, replacement)."""
    code = _without_array_sizes(_blanked(text))
    for found in _OPERATOR.finditer(code):
        if not _is_declarator(code, found):
            yield found.start(), found[0], _BINARY[found[0]]
    for found in _STEP.finditer(code):
        yield found.start(), found[0], "--" if found[0] == "++" else "++"
    for found in _NUMBER.finditer(code):
        yield found.start(), found[0], f"{int(found[1], 0) + 1}{found[2]}"
        if int(found[1], 0):
            yield found.start(), found[0], f"{int(found[1], 0) - 1}{found[2]}"
    for found in _INDEX.finditer(code):
        if not found[1].isdigit():
            yield found.start(), found[0], f"[{found[1]} + 1]"
            yield found.start(), found[0], f"[{found[1]} - 1]"
    for found in _STATEMENT.finditer(code):
        if found[1].count("(") == found[1].count(")"):
            yield found.start(1), text[found.start(1) : found.end(1)], ";"
    for found in _CALL.finditer(code):
        if found[1] in _WORDS:
            yield found.start(1), found[1], _WORDS[found[1]]


def _is_declarator(code: str, operator: re.Match[str]) -> bool:
    """Whether `*` or `&` stands in a type or a cast, as in `const int8_t *w` or `void *`."""
    return operator[0] in "*&" and code[operator.end()] != " "


def _blanked(text: str) -> str:
    """The same text with blanks for what is no code of a release: checks, probes of a profile."""
    hidden = re.compile(
        r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\])+\'|PN_FIXED_REQUIRE\(.*?\);'
        r"|PN_PROBE(?:_AT)?\([^;]*\);"
        r"|^#define \w+(?:\([^)]*\))?|^#(?!define)[^\n]*",
        re.S | re.M,
    )
    return hidden.sub(_blanks, text)


def _without_array_sizes(code: str) -> str:
    """Blanks for the sizes of arrays where these are declared."""
    return _INDEX.sub(lambda found: _blanks(found) if _declares(code, found) else found[0], code)


def _declares(code: str, index: re.Match[str]) -> bool:
    return bool(_DECLARED.search(code[code.rfind("\n", 0, index.start()) + 1 : index.start()]))


def _blanks(found: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", found[0])
