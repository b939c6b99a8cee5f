"""Generated sources as SCons nodes: the kit's pure functions give bytes, actions write them."""

import importlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from SCons.Script import Action, Environment

from kit import console
from kit.codegen.linker import render_linker_script
from kit.errors import KitError
from kit.files import write_atomically
from kit.paths import ROOT
from kit.scons.sources import Kernel
from kit.target import Target

# Of generated files, below the build folder.
_FOLDER = "gen"

MODEL_FILES = ("pn_model.h", "pn_model.c", "model.pnwb", "model.json")


def text_node(env: Environment, name: str, text: str, folder: str = _FOLDER) -> Any:
    """A generated file whose text is known when SCons starts."""
    return _command(env, [name], [env.Value(text)], lambda _: {name: text.encode()}, folder)


def kernel_list(env: Environment, kernels: Sequence[Kernel]) -> Any:
    """pn_kernel_list.h: one PN_KERNEL(family, isa) per kernel, by family, the best ISA last."""
    lines = ["/* Generated: PN_KERNEL(family, isa) per kernel here, by family, best ISA last. */"]
    lines += [f"PN_KERNEL({kernel.family}, {kernel.isa})" for kernel in kernels]
    return text_node(env, "pn_kernel_list.h", "\n".join(lines) + "\n")


def build_info(env: Environment, target: Target, firmware: str) -> Any:
    """pn_build_info.h: which target and which firmware this is."""
    text = (
        "/* Generated: what this build is; programs put it into their first line. */\n"
        "#ifndef PN_BUILD_INFO_H\n#define PN_BUILD_INFO_H\n\n"
        f'#define PN_BUILD_TARGET "{target.name}"\n#define PN_BUILD_FW "{firmware}"\n\n'
        "#endif\n"
    )
    return text_node(env, "pn_build_info.h", text)


def linker_script(env: Environment, target: Target) -> Any:
    """link.ld, from the target's memory regions."""
    return text_node(env, "link.ld", render_linker_script(target))


def tables(env: Environment) -> list[Any]:
    """pn_tables.h and pn_tables.c; made anew when a generator or the float reference changes."""

    def render(_: list[Any]) -> dict[str, bytes]:
        module = importlib.import_module("kit.codegen.tables")
        return {
            "pn_tables.h": module.render_header().encode(),
            "pn_tables.c": module.render_source().encode(),
        }

    return _command(env, ["pn_tables.h", "pn_tables.c"], _python("codegen", "dsp"), render)


def model(env: Environment, target: Target, path: Path) -> list[Any]:
    """pn_model.h, pn_model.c, the weight blob and its manifest, from a .tflite file."""
    # SCons compares what a function has captured: no more than a text, the same in all folders.
    layout = target.layout

    def render(source: list[Any]) -> dict[str, bytes]:
        module = importlib.import_module("kit.codegen.model")
        return module.generate(Path(source[0].abspath), layout)

    # Not env.File: it would take what follows a `$` for a variable of its own.
    file = env.fs.File(str(path))
    sources = [file, env.Value(layout), *_python("codegen", "model")]
    return _command(env, list(MODEL_FILES), sources, render)


def _python(*packages: str) -> list[str]:
    """The Python files of some of the kit's packages."""
    return [str(path) for name in packages for path in sorted((ROOT / "kit" / name).rglob("*.py"))]


def _command(
    env: Environment,
    names: list[str],
    sources: list[Any],
    render: Callable[[list[Any]], dict[str, bytes]],
    folder: str = _FOLDER,
) -> Any:
    paths = [f"{env['BUILD_FOLDER']}/{folder}/{name}" for name in names]

    def write(target: list[Any], source: list[Any], env: Environment) -> int:
        try:
            files = render(source)
        except KitError as mistake:
            console.error(mistake.message, mistake.hint)
            return mistake.exit_code
        for node, name in zip(target, names, strict=True):
            write_atomically(Path(node.abspath), files[name])
        return 0

    nodes = env.Command(paths, sources, Action(write, "  gen   $TARGETS"))
    return nodes if len(names) > 1 else nodes[0]
