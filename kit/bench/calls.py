"""calls.c through cffi: calls timed in C, and the pass over memory that is everybody's limit."""

import functools
import hashlib
from pathlib import Path
from typing import Any

import cffi
import numpy as np

from kit import process
from kit.bench.machine import last_cache_bytes, processor
from kit.files import scratch_folder
from kit.paths import BUILD, FIRMWARE

_SOURCE = Path(__file__).with_name("calls.c")
_FLAGS = ("-O3", "-march=native", "-std=c11", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared")
_COMPILE_TIMEOUT_S = 60.0
_LEAST_EVICTION_BYTES = 64 << 20
_STREAM_MULTIPLE = 512
# Pointers to the firmware's types come from another cffi object: here they are addresses.
_DECLARATIONS = """
uint64_t timed_stream(void *memory, size_t size, uint64_t *sum);
uint64_t timed_process(void *process, void *state, void *in, void *out);
uint64_t timed_network(void *step, void *model, void *state, void *features, void *gains,
                       void *strengths);
uint64_t timed_packet(void *packet, void *model, void *state, void *features, void *gains,
                      void *strengths);
uint64_t timed_s8_gemv(void *kernels, void *matrix, void *x, void *y);
uint64_t timed_s8_gemv_2col(void *kernels, void *matrix, void *x, void *y);
uint64_t timed_s16s8_gemv(void *kernels, void *matrix, void *x, void *y);
uint64_t timed_s32_tanh(void *kernels, void *matrix, void *sums, void *table, void *y);
uint64_t timed_s32_gru(void *kernels, void *matrix, void *sums, void *table, void *h, void *h_s8);
"""


@functools.cache
def timed() -> tuple[cffi.FFI, Any]:
    """Compile calls.c for this processor and these headers, once, and open it."""
    headers = sorted(FIRMWARE.rglob("*.h"))
    digest = hashlib.sha256(f"{_FLAGS} {processor()}".encode())
    for path in (_SOURCE, *headers):
        digest.update(path.read_bytes())
    library = BUILD / "bench" / f"calls-{digest.hexdigest()[:16]}.so"
    if not library.exists():
        folders = sorted({path.parent for path in headers})
        with scratch_folder(library.parent) as folder:
            fresh = folder / "calls.so"
            includes = [f"-I{path}" for path in folders]
            command = ["gcc", *_FLAGS, *includes, str(_SOURCE), "-o", str(fresh)]
            process.run(command, timeout_s=_COMPILE_TIMEOUT_S)
            fresh.replace(library)
    ffi = cffi.FFI()
    ffi.cdef(_DECLARATIONS)
    return ffi, ffi.dlopen(str(library))


class Stream:
    """One pass over memory of a given size with the widest loads of this processor."""

    def __init__(self, size: int) -> None:
        """size: bytes, rounded up to whole passes of the loop."""
        self.size = -(-size // _STREAM_MULTIPLE) * _STREAM_MULTIPLE
        ffi, self._lib = timed()
        self._memory = _aligned_bytes(self.size)
        self._start = ffi.cast("void *", self._memory.ctypes.data)
        self._sum = ffi.new("uint64_t *")

    def run(self) -> int:
        """Read it all; nanoseconds."""
        return self._lib.timed_stream(self._start, self.size, self._sum)


@functools.cache
def evictor() -> Stream:
    """A pass that leaves nothing in the caches but itself: twice the largest cache."""
    return Stream(max(_LEAST_EVICTION_BYTES, 2 * last_cache_bytes()))


def _aligned_bytes(size: int) -> np.ndarray:
    """Bytes that differ (so that no two pages can be one), aligned to 64."""
    memory = np.empty(size + 64, np.uint8)
    start = -memory.ctypes.data % 64
    memory = memory[start : start + size]
    memory.view(np.uint64)[:] = np.arange(size // 8, dtype=np.uint64)
    return memory
