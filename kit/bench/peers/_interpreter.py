"""The network as a .tflite in an interpreter of TensorFlow Lite or its successor."""

import contextlib
import importlib
import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from kit.bench.contestant import Contestant, timed_in_python
from kit.bench.ours import FRAMES, features
from kit.errors import KitError
from kit.model.architecture import Architecture
from kit.model.export import write_tflite
from kit.model.import_ import Model
from kit.model.random_model import random_weights

# Rehearses the way from Python into the interpreter, and touches next to no memory.
_SMALL = Architecture(fc=16, conv1=16, conv2=16, gru=16, gru_strength=16)
_OUTPUTS_BEFORE_STATES = 2
_INPUTS_BEFORE_STATES = 1


def contestant(module: str, package: str, peer: str, model: Model, int8: str) -> Contestant:
    """The model of one number format in the interpreter of a Python module, one thread.

    Raises KitError, saying what to install, if it is not there.
    """
    try:
        interpreter_class = importlib.import_module(module).Interpreter
    except ImportError as missing:
        raise KitError(
            f"{package} is not installed",
            hint="install it: .venv/bin/pip install -e '.[bench]'",
        ) from missing
    network = _Network(interpreter_class, write_tflite(model.weights, model.arch, {}, int8))
    small = write_tflite(random_weights(_SMALL), _SMALL, {}, int8)
    return Contestant(
        f"{package}, {int8}",
        "network",
        timed_in_python(network.step),
        network.prepare,
        timed_in_python(_Network(interpreter_class, small).step),
        peer=peer,
        run=network.run,
    )


class _Network:
    """An interpreter and its states, which `prepare` carries from step to step."""

    def __init__(self, interpreter_class: Any, data: bytes) -> None:
        with _quiet():
            self._interpreter = interpreter_class(model_content=data, num_threads=1)
            self._interpreter.allocate_tensors()
        inputs = [entry["index"] for entry in self._interpreter.get_input_details()]
        outputs = [entry["index"] for entry in self._interpreter.get_output_details()]
        self._features = self._interpreter.tensor(inputs[0])
        self._gains = self._interpreter.tensor(outputs[0])
        self._states = [self._interpreter.tensor(index) for index in inputs[_INPUTS_BEFORE_STATES:]]
        self._next = [self._interpreter.tensor(index) for index in outputs[_OUTPUTS_BEFORE_STATES:]]
        self._heard = features()
        self.step = self._interpreter.invoke

    def prepare(self, index: int) -> None:
        """Put the features of a frame and the states of the step before in place."""
        for state, following in zip(self._states, self._next, strict=True):
            np.copyto(state(), following())
        np.copyto(self._features(), self._heard[index % FRAMES])

    def run(self, features: np.ndarray) -> np.ndarray:
        """Gains, [steps, 34], of features in real units, [steps, 70], afresh."""
        for following in self._next:
            following()[:] = 0
        gains = []
        for row in features:
            for state, following in zip(self._states, self._next, strict=True):
                np.copyto(state(), following())
            np.copyto(self._features(), row)
            self.step()
            gains.append(self._gains()[0].copy())
        return np.array(gains)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep what C++ code says about its delegates off the terminal."""
    saved = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
