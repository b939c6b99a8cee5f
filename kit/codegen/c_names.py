"""What a C file in the firmware's style defines for itself alone, and giving it other names.

Not a C parser: it knows the declarations that firmware_src has, and the tests compile the result.
"""

import re
from collections.abc import Collection

_TOKEN = re.compile(
    r"""
      /\*.*?\*/ | //[^\n]*                 # comments
    | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'
    | [A-Za-z_]\w*
    | \.?\d(?:[eEpP][+-]|[\w.])*           # numbers
    | -> | \#\#
    | \s+ | .
    """,
    re.VERBOSE | re.DOTALL,
)
_DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n\\]|\\.)*$", re.MULTILINE | re.DOTALL)
_MACRO = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)", re.MULTILINE)
_MACRO_WITH_PARAMETERS = re.compile(r"^#define (\w+)\(([^)]*)\)((?:[^\n\\]|\\.)*)", re.M | re.S)
_STATIC_FUNCTION = re.compile(r"\bstatic\s[\w\s*\\]*?\b(\w+(?:##\w+)*)\(")
_INCLUDE_GUARD = re.compile(r"^#ifndef (\w+_H)\n#define \1\n(.*)^#endif[^\n]*\n\Z", re.M | re.S)


def tokens(text: str) -> list[str]:
    """Tokens, comments and white space, which together are the text."""
    return _TOKEN.findall(text)


def is_word(token: str) -> bool:
    """Whether a token is an identifier or keyword."""
    return token[0].isalpha() or token[0] == "_"


def without_include_guard(text: str) -> str:
    """A header's text without the lines that keep it from being read twice."""
    return _INCLUDE_GUARD.sub(r"\2", text)


def macros(text: str) -> list[str]:
    """Names of the macros that a text defines, in order."""
    return list(dict.fromkeys(_MACRO.findall(text)))


def private_names(text: str) -> set[str]:
    """Static functions and variables, types and enumerators of a text's own; no macros."""
    names = _defined_by_macros(text)
    for declaration in _declarations(_DIRECTIVE.sub("", text)):
        names |= _declared(declaration)
    return names


def rename(text: str, names: Collection[str], prefix: str) -> str:
    """Put a prefix before names, wherever they do not follow `.` or `->`.

    The first part of a name that a macro pastes together (`name##parameter`) gets it, too.
    """
    words = tokens(text)
    for i, word in enumerate(words):
        if not is_word(word) or (i and words[i - 1] in (".", "->")):
            continue
        pasted = words[i + 1 : i + 2] == ["##"] and any(name.startswith(word) for name in names)
        if word in names or pasted:
            words[i] = prefix + word
    return "".join(words)


def _defined_by_macros(text: str) -> set[str]:
    """Static functions that macros define: from their bodies, and the arguments that they get."""
    names = set()
    for macro, parameters, body in _MACRO_WITH_PARAMETERS.findall(text):
        for name in _STATIC_FUNCTION.findall(body):
            for arguments in re.findall(rf"^{macro}\(([^)]*)\)", text, re.MULTILINE):
                given = dict(zip(_words(parameters), _words(arguments), strict=True))
                names.add("".join(given.get(part, part) for part in name.split("##")))
    return names


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",")]


def _declarations(text: str) -> list[list[str]]:
    """Tokens of each declaration and definition at file scope."""
    found: list[list[str]] = []
    current: list[str] = []
    depth = 0
    for token in tokens(text):
        if token.isspace() or token.startswith(("/*", "//")):
            continue
        current.append(token)
        depth += (token == "{") - (token == "}")
        if depth == 0 and (token == ";" or (token == "}" and _is_function(current))):
            found.append(current)
            current = []
    return found


def _head(declaration: list[str]) -> list[str]:
    """What comes before the first brace."""
    return declaration[: declaration.index("{")] if "{" in declaration else declaration


def _is_function(declaration: list[str]) -> bool:
    head = _head(declaration)
    return head[-1:] == [")"] and "=" not in head


def _declared(declaration: list[str]) -> set[str]:
    """Private names of one declaration."""
    head = _head(declaration)
    names = _enumerators(declaration) if "enum" in head else set()
    if declaration[0] == "typedef":
        names |= {_declarator(head if head[-1] == ";" else declaration[_last(declaration, "}") :])}
    elif "static" in head:  # macros that define functions may stand in front
        names |= {_declarator(_without_alignment(head[head.index("static") :]))}
    return names


def _last(declaration: list[str], token: str) -> int:
    return len(declaration) - 1 - declaration[::-1].index(token)


def _without_alignment(head: list[str]) -> list[str]:
    if "_Alignas" not in head:
        return head
    start = head.index("_Alignas")
    return head[:start] + head[head.index(")", start) + 1 :]


def _declarator(words: list[str]) -> str:
    """The name that is declared: in front of its parameters, sizes or value."""
    end = next((i for i, word in enumerate(words) if word in "([=;"), len(words))
    if words[end : end + 2] == ["(", "*"]:
        return words[end + 2]
    return [word for word in words[:end] if is_word(word)][-1]


def _enumerators(declaration: list[str]) -> set[str]:
    inside = declaration[declaration.index("{") : _last(declaration, "}")]
    return {b for a, b in zip(inside, inside[1:], strict=False) if a in "{," and is_word(b)}
