"""The firmware's own C code in Python: libpercepnet.so through cffi, built when needed."""

import fcntl
import functools
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cffi

from kit import console, process
from kit.build import HOST_LIBRARY, HOST_TARGET, build
from kit.errors import KitError
from kit.files import write_atomically
from kit.paths import BUILD, FIRMWARE, MODELS, ROOT
from kit.target import load_target, load_toolchain

DEFAULT_HEADERS = ("percepnet.h", "pn_oracle.h")
COMPILER_TIMEOUT_S = 30.0

GENERATED = BUILD / HOST_TARGET / "gen"
_LIBRARY = BUILD / HOST_TARGET / "libpercepnet.so"
_STAMP = BUILD / HOST_TARGET / ".libpercepnet.stamp"
_SUFFIXES = {".c", ".h", ".S", ".toml", ".py"}


@functools.cache
def load(*headers: str) -> tuple[cffi.FFI, Any]:
    """Open the host library.

    headers: file names below firmware_src whose declarations `lib` is to have, beside percepnet.h
    and pn_oracle.h. Returns (ffi, lib). Raises KitError when the library does not build or a header
    is not to be found.
    """
    return open_library(ensure_library(), GENERATED, *DEFAULT_HEADERS, *headers)


def open_library(library: Path, generated: Path, *headers: str) -> tuple[cffi.FFI, Any]:
    """Open any build of the library; `generated` is the folder of the headers made for it."""
    names = list(dict.fromkeys(headers))
    ffi = cffi.FFI()
    ffi.cdef(declarations(*names, generated=generated))
    _check_layouts(ffi, names, generated)
    return ffi, ffi.dlopen(str(library))


def ensure_library() -> Path:
    """Path of an up-to-date libpercepnet.so; asks SCons only when an input has changed."""
    BUILD.mkdir(exist_ok=True)
    with (BUILD / ".host.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        inputs = _inputs_fingerprint()
        if _LIBRARY.is_file() and _STAMP.is_file() and _STAMP.read_text() == _stamp(inputs):
            return _LIBRARY
        console.note("building libpercepnet.so for this computer")
        model = MODELS / f"{load_target(HOST_TARGET).model}.tflite"
        build(HOST_LIBRARY, "" if model.is_file() else "none")
        write_atomically(_STAMP, _stamp(inputs).encode())
    return _LIBRARY


def _stamp(inputs: str) -> str:
    """The inputs, and which library came of them: another build of it makes the stamp void."""
    return f"{inputs} {_LIBRARY.stat().st_mtime_ns}"


def _inputs_fingerprint() -> str:
    """Changes when a file that the library may depend on comes, goes or is written."""
    inputs = [ROOT / "SConstruct", *MODELS.glob("*.tflite")]
    for folder in (
        "firmware_src",
        "targets",
        "kit/codegen",
        "kit/model",
        "kit/dsp",
        "kit/scons",
        "kit/target",
    ):
        inputs += (path for path in (ROOT / folder).rglob("*.*") if path.suffix in _SUFFIXES)
    digest = hashlib.sha256()
    for path in sorted(inputs):
        status = path.stat()
        digest.update(f"{path} {status.st_mtime_ns} {status.st_size}\n".encode())
    return digest.hexdigest()


def declarations(*headers: str, generated: Path = GENERATED) -> str:
    """C declarations of headers below firmware_src and of those they include, fit for cffi's cdef.

    The C preprocessor expands macros and drops comments; what came from system headers, inline
    functions, static assertions and attributes is left out; macros that are plain integers become
    constants.
    """
    preprocessed = _compiler(["-E", "-dD"], headers, "", generated).text
    return _own_declarations(preprocessed)


def _compiler(
    options: list[str], headers: Sequence[str], code: str, generated: Path
) -> process.Result:
    """Run the host compiler over a source that includes headers and goes on with code."""
    folders = [
        *sorted({path.parent for path in FIRMWARE.rglob("*.h")}),
        generated,
    ]
    for name in headers:
        if not any((folder / name).is_file() for folder in folders):
            raise KitError(f"no header `{name}` in {FIRMWARE.name}/ or among the generated ones")
    source = "".join(f'#include "{name}"\n' for name in headers) + code
    compiler = load_toolchain(load_target(HOST_TARGET).toolchain).prefix + "gcc"
    includes = [f"-I{folder}" for folder in folders]
    command = [compiler, *options, "-x", "c", "-std=c11", *includes, "-"]
    return process.run(command, stdin=source.encode(), timeout_s=COMPILER_TIMEOUT_S)


def _check_layouts(ffi: cffi.FFI, headers: Sequence[str], generated: Path) -> None:
    """Let the compiler confirm the size of every struct; KitError where cffi is wrong."""
    checks = []
    for name in ffi.list_types()[0]:
        # Of a function's type only a pointer can be asked for.
        pointer = ffi.typeof(f"{name} *")
        kind = pointer.item if pointer.kind == "pointer" else pointer
        if kind.kind == "struct" and kind.fields is not None:
            checks.append(
                f'_Static_assert(sizeof({name}) == {ffi.sizeof(kind)}, "cffi: {name}");\n'
            )
    _compiler(["-fsyntax-only"], headers, "".join(checks), generated)


def _own_declarations(preprocessed: str) -> str:
    """Keep what line markers say comes from our own files, in cffi's words."""
    code: list[str] = []
    constants: dict[str, str] = {}
    ours = False
    for line in preprocessed.splitlines():
        if marker := re.match(r'# \d+ "([^"]*)"', line):
            ours = Path(marker[1]).is_relative_to(ROOT)
        elif ours and (
            macro := re.match(r"#define (\w+) \(?(-?(?:0[xX][0-9a-fA-F]+|\d+))\)?$", line)
        ):
            constants[macro[1]] = macro[2]
        elif ours and not line.startswith("#"):
            code.append(line)
    text = _without_inline_functions("\n".join(code))
    text = re.sub(r"_Static_assert\s*\([^;]*\)\s*;", "", text)
    text = re.sub(r"\bextern const\b", "extern", text)  # cffi reads a constant only when compiled
    text = re.sub(r"__attribute__\s*\(\([^;{]*?\)\)", "", text)
    text = re.sub(r"_Alignas\s*\((\d+)\)([^;]*;)", _aligned_member, text)
    return "".join(f"#define {name} {value}\n" for name, value in constants.items()) + text


def _aligned_member(match: re.Match[str]) -> str:
    """cffi ignores _Alignas: a union with a type of that alignment does the same."""
    aligner = {"8": "long long", "16": "long double"}.get(match[1])
    if aligner is None:
        raise KitError(
            f"_Alignas({match[1]}) in a header for Python", hint="8 and 16 are supported"
        )
    return f"union {{ {aligner} align_{match.start()}; {match[2]} }};"


def _without_inline_functions(text: str) -> str:
    """Drop `static inline` function definitions, their braces matched."""
    while match := re.search(r"\bstatic\s+inline\b[^;{]*", text):
        end = match.end()
        if text[end] == "{":
            depth = 1
            while depth:
                end += 1
                depth += {"{": 1, "}": -1}.get(text[end], 0)
        text = text[: match.start()] + text[end + 1 :]
    return text
