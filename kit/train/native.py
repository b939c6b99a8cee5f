"""What training computes in C: compiled for this processor once, then opened."""

import functools
import hashlib
import pathlib
from typing import Any

import cffi
import torch

from kit import process
from kit.errors import KitError
from kit.files import scratch_folder
from kit.paths import BUILD

_FOLDER = pathlib.Path(__file__).parent
_FLAGS = (
    "-O3",
    "-march=native",
    "-std=gnu11",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-fPIC",
    "-c",
)
# Exponentials of whole vectors; the others count on every bit, or have none to gain.
_MORE_FLAGS = {"recurrence.c": ("-ffast-math",)}
_COMPILE_TIMEOUT_S = 120.0
_DECLARATIONS = """
int products_prepare(void); int multiply(size_t, size_t, size_t, const float *, bool, const float *,
bool, float, const float *, const float *, float *);
int gru_forward(size_t, size_t, size_t, const float *, const float *, const float *, const float *,
float, bool, const float *, float *, float *, float *); int gru_backward(size_t, size_t, size_t,
const float *, const float *, const float *, const float *, bool, float *, float *);
int int8_grid(size_t, size_t, const float *, const int32_t *, size_t, int32_t, float *, double *);
"""


@functools.cache
def has_matrix_tiles() -> bool:
    """Whether this processor multiplies tiles of bfloat16 (AMX), many times faster than float32."""
    try:
        flags = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
    except OSError:
        return False
    return {"amx_bf16", "avx512_bf16"} <= set(flags)


@functools.cache
def library(matrix_tiles: bool) -> tuple[cffi.FFI, Any]:
    """Compile the C of this folder, with products on matrix tiles or without, and open it."""
    products = f"products_{'amx' if matrix_tiles else 'portable'}.c"
    sources = [
        _FOLDER / name for name in ("recurrence.c", "quantisation.c", "products.c", products)
    ]
    content = b"".join(path.read_bytes() for path in (*sources, _FOLDER / "products.h"))
    digest = hashlib.sha256(content + repr((_FLAGS, _MORE_FLAGS)).encode()).hexdigest()[:16]
    path = BUILD / "train" / f"native-{digest}.so"
    if not path.exists():
        _compile(sources, path)
    ffi = cffi.FFI()
    ffi.cdef(_DECLARATIONS)
    opened = ffi.dlopen(str(path))
    if opened.products_prepare():
        raise KitError("this system gives no matrix tiles", "train with --precision float32")
    return ffi, opened


def _compile(sources: list[pathlib.Path], path: pathlib.Path) -> None:
    with scratch_folder(path.parent) as folder:
        objects = [folder / f"{source.stem}.o" for source in sources]
        for source, compiled in zip(sources, objects, strict=True):
            flags = (*_FLAGS, *_MORE_FLAGS.get(source.name, ()))
            command = ["gcc", *flags, str(source), "-o", str(compiled)]
            process.run(command, timeout_s=_COMPILE_TIMEOUT_S)
        # Linked without -ffast-math: with it, loading would flush denormals everywhere.
        linked = folder / "linked.so"
        command = ["gcc", "-shared", *map(str, objects), "-o", str(linked), "-lm"]
        process.run(command, timeout_s=_COMPILE_TIMEOUT_S)
        linked.replace(path)


def pointer(ffi: cffi.FFI, tensor: torch.Tensor | None) -> Any:
    """Where the values of a float32 tensor without gaps are; NULL for none. It keeps no tensor."""
    if tensor is None:
        return ffi.NULL
    assert tensor.dtype == torch.float32 and tensor.is_contiguous()
    return ffi.cast("float *", tensor.data_ptr())
