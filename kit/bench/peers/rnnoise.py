"""RNNoise from the package pyrnnoise: another, smaller network, with its own signal path."""

import importlib.util
from pathlib import Path

import cffi
import numpy as np

from kit.bench.contestant import Contestant, timed_in_python
from kit.bench.ours import FRAMES, sound
from kit.denoiser import HOP_SAMPLES
from kit.errors import KitError
from kit.model.import_ import Model

_DECLARATIONS = """
void *rnnoise_create(void *model);
int rnnoise_get_frame_size(void);
float rnnoise_process_frame(void *state, float *out, const float *in);
"""


def contestants(_model: Model) -> list[Contestant]:
    """A frame of the whole denoiser."""
    # Its Python module wants half a sound studio; the library in it is all that is needed.
    found = importlib.util.find_spec("pyrnnoise")
    if found is None or found.origin is None:
        raise KitError(
            "pyrnnoise is not installed",
            hint="install it: .venv/bin/pip install -e '.[bench]'",
        )
    denoiser = _Denoiser(Path(found.origin).with_name("librnnoise.so"))
    call = timed_in_python(denoiser.frame)
    return [Contestant("RNNoise", "frame", call, denoiser.prepare, peer="rnnoise")]


class _Denoiser:
    """A state of RNNoise, which hears `sound` over and over."""

    def __init__(self, library: Path) -> None:
        ffi = cffi.FFI()
        ffi.cdef(_DECLARATIONS)
        self._ffi, self._lib = ffi, ffi.dlopen(str(library))
        if self._lib.rnnoise_get_frame_size() != HOP_SAMPLES:
            raise KitError(f"`{library}` has frames of another length than {HOP_SAMPLES}")
        self._state = self._lib.rnnoise_create(ffi.NULL)
        self._heard = sound().astype(np.float32)
        self._in = self._out = ffi.new(f"float[{HOP_SAMPLES}]")

    def prepare(self, index: int) -> None:
        """Frame `index` comes next."""
        self._in = self._ffi.from_buffer("float[]", self._heard[index % FRAMES])

    def frame(self) -> None:
        """10 ms."""
        self._lib.rnnoise_process_frame(self._state, self._out, self._in)
