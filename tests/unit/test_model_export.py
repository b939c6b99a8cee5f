"""The .tflite writer: what it writes runs in TensorFlow Lite and equals the float reference."""

import json

import numpy as np
import pytest
import tflite

from kit.errors import ModelError
from kit.model.architecture import ARCHITECTURES, Architecture
from kit.model.export import write_tflite
from kit.model.float_reference import FloatReference
from kit.model.random_model import random_weights

try:
    from tflite_runtime.interpreter import Interpreter
except ImportError:  # Its successor, where pyproject.toml installs that: from Python 3.12 on.
    from ai_edge_litert.interpreter import Interpreter

ODD = Architecture(fc=5, conv1=7, conv2=9, gru=11, gru_strength=3)


def run_tflite(data: bytes, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    interpreter = Interpreter(model_content=data)
    interpreter.allocate_tensors()
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    states = [np.zeros(detail["shape"], np.float32) for detail in inputs[1:]]
    rows = []
    for row in features:
        for detail, value in zip(inputs, [row[None].astype(np.float32), *states], strict=True):
            interpreter.set_tensor(detail["index"], value)
        interpreter.invoke()
        gains, strengths, *states = [interpreter.get_tensor(d["index"]) for d in outputs]
        rows.append((gains[0], strengths[0]))
    return np.array([g for g, _ in rows]), np.array([s for _, s in rows])


@pytest.mark.parametrize("arch", [ODD, ARCHITECTURES["tiny"]], ids=["odd", "tiny"])
def test_tensorflow_lite_equals_the_float_reference(arch: Architecture) -> None:
    weights = random_weights(arch, seed=1)
    features = np.random.Generator(np.random.PCG64(2)).uniform(-2, 2, (20, 70))
    got = run_tflite(write_tflite(weights, arch, {}), features)
    expected = FloatReference(weights, arch).run(features)
    assert np.std(expected[0]) > 0.05, "the comparison is only worth something on moving outputs"
    for ours, theirs in zip(expected, got, strict=True):
        np.testing.assert_allclose(theirs, ours, atol=2e-5)


def test_inputs_and_outputs_stand_in_the_documented_order() -> None:
    interpreter = Interpreter(model_content=write_tflite(random_weights(ODD), ODD, {}))
    names = [detail["name"] for detail in interpreter.get_input_details()]
    grus = ["gru1", "gru2", "gru3", "gru4", "gru_strength"]
    assert names == ["features", "conv1", "conv2", *grus]
    shapes = [tuple(detail["shape"]) for detail in interpreter.get_output_details()]
    assert shapes == [(1, 34), (1, 34), *ODD.state_shapes().values()]


def test_metadata_is_stored_as_json() -> None:
    data = write_tflite(random_weights(ODD), ODD, {"name": "x", "post_filter": True})
    model = tflite.Model.GetRootAs(data)
    entry = model.Metadata(0)
    assert entry.Name() == b"percepnet"
    stored = json.loads(model.Buffers(entry.Buffer()).DataAsNumpy().tobytes())
    assert stored == {"format": 1, "name": "x", "post_filter": True}


def test_the_same_model_gives_the_same_bytes() -> None:
    weights = random_weights(ODD)
    reversed_order = dict(reversed(weights.items()))
    assert write_tflite(weights, ODD, {"a": 1, "b": 2}) == write_tflite(
        reversed_order, ODD, {"b": 2, "a": 1}
    )


def test_weights_that_do_not_fit_are_refused_by_name() -> None:
    weights = random_weights(ODD)
    with pytest.raises(ModelError, match="conv1.bias"):
        write_tflite({k: v for k, v in weights.items() if k != "conv1.bias"}, ODD, {})
    with pytest.raises(ModelError, match="gru2.weight_hh"):
        write_tflite(weights | {"gru2.weight_hh": np.zeros((3, 3))}, ODD, {})
    with pytest.raises(ModelError, match="finite"):
        write_tflite(weights | {"fc.bias": np.full(5, np.nan)}, ODD, {})


def test_full_has_the_published_number_of_weights() -> None:
    assert ARCHITECTURES["full"].weights_count() == pytest.approx(8.0e6, rel=0.01)
    assert ARCHITECTURES["tiny"].weights_count() <= 350_000


@pytest.mark.parametrize("width", [0, -1, 4097, 1.5])
def test_a_width_out_of_range_is_refused(width: object) -> None:
    with pytest.raises(ModelError, match="gru"):
        Architecture(fc=5, conv1=7, conv2=9, gru=width, gru_strength=3)
