"""The whole library as one C99 file: sources, kernels of every processor, tables and a model.

Each source keeps its text. Private headers (those that kernels alone include) are read once per
kernel, all others once; names that several sources define for themselves get the source's name in
front. Kernels stand in one block per instruction set, which the compiler's own macros switch on;
where one program can ask the processor at run time, the block is compiled for that instruction set
whatever the flags are.
"""

import dataclasses
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from kit.codegen import tables
from kit.codegen.c_names import macros, private_names, rename, tokens, without_include_guard
from kit.codegen.model import render_portable
from kit.codegen.weights import Packing
from kit.errors import KitError
from kit.model.quantise import QuantisedModel
from kit.paths import FIRMWARE, LIBRARY_FOLDERS

PUBLIC_HEADER = "percepnet.h"
KERNEL_LIST = "pn_kernel_list.h"
_GENERATED = ("pn_tables.h", "pn_model.h")
_INCLUDE = re.compile(r'^#include (?:"(\S+)"|<(\S+)>)[^\n]*\n', re.MULTILINE)
_LAYOUT = re.compile(r"^#define LAYOUT_(\w+) (\w+)$", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Isa:
    """When an instruction set's kernels are compiled, and what for if the flags do not say it."""

    condition: str
    target: str = ""


# The least capable first, as in pn_cpu.h.
_ISAS = {
    "scalar": Isa("1"),
    "dsp": Isa("defined(__ARM_FEATURE_DSP) && __ARM_ARCH_PROFILE == 'M'"),
    "mve": Isa("defined(__ARM_FEATURE_MVE)"),
    "neon": Isa("defined(__ARM_NEON)"),
    "neondot": Isa(
        "defined(__aarch64__) && (defined(__ARM_FEATURE_DOTPROD) || defined(__linux__))",
        "arch=armv8.2-a+dotprod",
    ),
    "avx2": Isa("defined(__x86_64__)", "avx2"),
    "avxvnni": Isa("defined(__x86_64__)", "avx2,avxvnni"),
    "avx512vnni": Isa("defined(__x86_64__)", "avx512f,avx512bw,avx512vl,avx512vnni"),
}

_BANNER = """\
/*
 * PercepNet {version}, one file: the whole library with the model `{model}`.
 *
 * Compile it as C99 or later with GCC or Clang and add it to your program; percepnet.h beside it
 * says how to use it. No other flags are needed. Kernels: {isas};
 * weights in the layout `{layout}`.
 *
 * Generated from the sources of the PercepNet kit. Apache-2.0, see LICENSE.
 */
"""

_PRELUDE = """\
#define PN_ALIGNAS(bytes) __attribute__((aligned(bytes)))
#define PN_STATIC_ASSERT(condition, reason) extern char pn_static_assert[(condition) ? 1 : -1]

/* Kernels come from headers that not every one of them uses in full. */
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wunused-function"
#endif
"""


class Sources:
    """The firmware's library sources, found by folder as the build finds them.

    layout: of the weights; kernels of other layouts are left out.
    """

    def __init__(self, layout: str) -> None:
        kernels = sorted((FIRMWARE / "kernels").glob("*.c"))
        common = [
            path for name in LIBRARY_FOLDERS for path in sorted((FIRMWARE / name).glob("*.c"))
        ]
        self.common = common + [path for path in kernels if "__" not in path.stem]
        layouts = dict(_LAYOUT.findall((FIRMWARE / "kernels" / "pn_dispatch.c").read_text()))
        fitting = (f"PN_LAYOUT_{layout.upper()}", "ANY_LAYOUT")
        self.kernels = [
            path
            for path in kernels
            if "__" in path.stem and layouts[path.stem.partition("__")[0]] in fitting
        ]
        self.headers = {path.name: path for path in FIRMWARE.rglob("*.h")}
        for path in self.kernels:
            if isa_of(path) not in _ISAS:
                raise KitError(f"the amalgamation does not know the ISA of `{path.name}`")

    def text(self, name: str) -> str:
        """A header's text, without its guard."""
        return without_include_guard(self.headers[name].read_text(encoding="utf-8"))

    def private_headers(self) -> set[str]:
        """Headers that no source but kernels includes, not even through another header."""
        shared: set[str] = set()
        waiting = [path.read_text(encoding="utf-8") for path in self.common]
        while waiting:
            for name, _ in _INCLUDE.findall(waiting.pop()):
                if name in self.headers and name not in shared:
                    shared.add(name)
                    waiting.append(self.text(name))
        kernels = {path for path in self.headers if path not in shared}
        return {name for name in kernels if self.headers[name].parent.name == "kernels"}


def isa_of(kernel: Path) -> str:
    """The instruction set in a kernel file's name."""
    return kernel.stem.partition("__")[2]


@dataclasses.dataclass
class _Unit:
    """One source in the making: text without includes, and the system headers that it wants."""

    name: str
    text: str
    system: list[str] = dataclasses.field(default_factory=list)
    seen: set[str] = dataclasses.field(default_factory=set)


def render_amalgamation(model: QuantisedModel, packing: Packing, version: str) -> str:
    """Text of percepnet.c. A pure function of the firmware's sources, the model and the layout.

    Raises KitError for a kernel file of an ISA that it does not know.
    """
    sources = Sources(packing.name)
    private = sources.private_headers()
    model_header, model_source = render_portable(model, packing)
    generated = {"pn_tables.h": tables.render_header(), "pn_model.h": model_header}
    units = [_read(path, sources, private) for path in sources.common]
    kernels = [_read(path, sources, private) for path in sources.kernels]
    constants = [
        _Unit(name, _split_includes(text)[0])
        for name, text in (("tables", tables.render_source()), ("model", model_source))
    ]
    shared, system = _shared_headers([*units, *kernels], sources, private, generated)
    taken = Counter(name for unit in [*units, *kernels] for name in private_names(unit.text))
    taken.update(private_names(shared))
    clashing = {name for name, count in taken.items() if count > 1}
    system |= {name for unit in units for name in unit.system}
    list_text = _kernel_list(sources)
    isas = [isa for isa in _ISAS if any(isa_of(path) == isa for path in sources.kernels)]
    banner = _BANNER.format(
        version=version,
        model=model.metadata.get("name", "unnamed"),
        isas=", ".join(isas),
        layout=packing.name,
    )
    parts = [
        banner,
        f'#include "{PUBLIC_HEADER}"\n\n',
        "".join(f"#include <{name}>\n" for name in sorted(system)),
        "\n" + _PRELUDE,
        *(_conditions(isa) for isa in isas),
        shared,
        *(_finish(unit, clashing) for unit in constants + units),
        *_kernel_blocks(isas, sources, kernels, clashing),
    ]
    text = "".join(parts).replace(f'#include "{KERNEL_LIST}"\n', list_text)
    return _as_c99(re.sub(r"\n{3,}", "\n\n", text))


def _read(path: Path, sources: Sources, private: set[str]) -> _Unit:
    """A source with its private headers in place, without all other includes."""
    unit = _Unit(path.stem.removeprefix("pn_"), "")
    unit.text = _inline(path.read_text(encoding="utf-8"), unit, sources, private)
    return unit


def _inline(text: str, unit: _Unit, sources: Sources, private: set[str]) -> str:
    text, system = _split_includes(text, keep=private)
    unit.system += system

    def replace(match: re.Match[str]) -> str:
        name = match[1]
        if name not in private:
            return match[0]
        if name in unit.seen:
            return ""
        unit.seen.add(name)
        return _inline(sources.text(name), unit, sources, private)

    return _INCLUDE.sub(replace, text)


def _split_includes(text: str, keep: set[str] = frozenset()) -> tuple[str, list[str]]:
    """A text without includes, and the system headers among them.

    What stands inside #if stays, as do the headers to keep and the list of kernels.
    """
    lines, system, depth = [], [], 0
    for line in text.splitlines(keepends=True):
        depth += line.startswith("#if") - line.startswith("#endif")
        match = _INCLUDE.match(line)
        if not match or depth or match[1] in {*keep, KERNEL_LIST}:
            lines.append(line)
        elif match[2]:
            system.append(match[2])
    return "".join(lines), system


def _shared_headers(
    units: list[_Unit], sources: Sources, private: set[str], generated: Mapping[str, str]
) -> tuple[str, set[str]]:
    """All other headers, each after those that it includes, and the system headers they want."""
    done: list[str] = []
    system: set[str] = set()
    texts: list[str] = []

    def visit(text: str) -> None:
        for name, _ in _INCLUDE.findall(text):
            if not name or name in done or name in (*private, PUBLIC_HEADER, KERNEL_LIST):
                continue
            done.append(name)
            whole = without_include_guard(generated.get(name) or sources.text(name))
            visit(whole)
            bare, wanted = _split_includes(whole)
            system.update(wanted)
            texts.append(_heading(name) + bare)

    for path in [*sources.common, *sources.kernels]:
        visit(path.read_text(encoding="utf-8"))
    for name in sorted(private):
        visit(sources.text(name))
    return "".join(texts), system


def _heading(name: str) -> str:
    return f"\n/* ---- {name} ---- */\n\n"


def _finish(unit: _Unit, clashing: set[str]) -> str:
    """A unit under its heading, its clashing names made its own, its macros undefined."""
    text = rename(unit.text, private_names(unit.text) & clashing, f"{unit.name}_")
    undefined = "".join(f"#undef {name}\n" for name in macros(text))
    return f"{_heading(unit.name)}{text}\n{undefined}"


def _kernel_list(sources: Sources) -> str:
    """What the build generates as pn_kernel_list.h: by family, the best ISA last."""
    order = list(_ISAS)
    families = sorted(
        sources.kernels, key=lambda path: (path.stem.partition("__")[0], order.index(isa_of(path)))
    )
    return "".join(
        f"#if PN_HAVE_{isa_of(path)}\n"
        f"PN_KERNEL({path.stem.partition('__')[0]}, {isa_of(path)})\n#endif\n"
        for path in families
    )


def _conditions(isa: str) -> str:
    return (
        f"\n#if {_ISAS[isa].condition}\n#define PN_HAVE_{isa} 1\n#else\n"
        f"#define PN_HAVE_{isa} 0\n#endif\n"
    )


def _kernel_blocks(
    isas: list[str], sources: Sources, kernels: list[_Unit], clashing: set[str]
) -> Iterator[str]:
    for isa in isas:
        own = [
            unit for path, unit in zip(sources.kernels, kernels, strict=True) if isa_of(path) == isa
        ]
        system = sorted({name for unit in own for name in unit.system})
        yield f"\n/* ======== {isa} ======== */\n\n#if PN_HAVE_{isa}\n"
        yield "".join(f"#include <{name}>\n" for name in system)
        yield _target_begins(_ISAS[isa].target)
        yield from (_finish(unit, clashing) for unit in own)
        yield _target_ends(_ISAS[isa].target)
        yield f"#endif /* PN_HAVE_{isa} */\n"


def _target_begins(target: str) -> str:
    if not target:
        return ""
    return f"""\
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("{target}"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("{target}")
#endif
"""


def _target_ends(target: str) -> str:
    if not target:
        return ""
    return """\

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
"""


def _as_c99(text: str) -> str:
    """The two words of C11 in the sources, as the prelude spells them."""
    names = {"_Alignas": "PN_ALIGNAS", "_Static_assert": "PN_STATIC_ASSERT"}
    return "".join(names.get(token, token) for token in tokens(text))
