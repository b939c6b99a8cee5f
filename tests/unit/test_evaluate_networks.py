"""The quick networks of the evaluation answer as the references that define them."""

import dataclasses

import numpy as np
import pytest

from kit.errors import ModelError
from kit.evaluate.firmware_network import FirmwareNetwork
from kit.evaluate.float_network import FloatNetwork
from kit.model.architecture import Architecture
from kit.model.float_reference import FloatReference
from kit.model.import_ import Model, load_model
from kit.model.integer_reference import IntegerReference
from kit.model.quantise import quantise
from kit.model.random_model import random_weights
from kit.model.sparsify import sparsify
from kit.paths import MODELS

ODD = Architecture(fc=13, conv1=21, conv2=7, gru=35, gru_strength=9)
SPARSE = Architecture(fc=32, conv1=48, conv2=48, gru=80, gru_strength=32)


def shipped() -> Model:
    """The smallest trained model."""
    return load_model(MODELS / "tiny.tflite")


def odd() -> Model:
    """Widths that are multiples of nothing."""
    return Model(random_weights(ODD), ODD, {}, bytes(32))


def sparse() -> Model:
    """A model that is stored block by block."""
    return Model(sparsify(random_weights(SPARSE), SPARSE, 0.6), SPARSE, {}, bytes(32))


def features_q12(steps: int) -> np.ndarray:
    """Random features of usual size, extremes among them."""
    rng = np.random.default_rng(6)
    features = np.rint(rng.normal(0.0, 3000.0, (steps, 70))).clip(-32768, 32767).astype(np.int16)
    features[steps // 2] = 32767
    return features


@pytest.mark.parametrize("make", [shipped, odd, sparse])
def test_the_firmwares_network_has_the_references_bits(make) -> None:  # noqa: ANN001
    model = quantise(make())
    features = features_q12(120)
    network = FirmwareNetwork(model)
    network.run(features[::-1])
    network.reset()
    for got, expected in zip(
        network.run(features), IntegerReference(model).run(features), strict=True
    ):
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("make", [shipped, odd])
def test_the_float_network_answers_as_the_reference_does(make) -> None:  # noqa: ANN001
    model = make()
    features = features_q12(120) / 4096.0
    network = FloatNetwork(model.weights, model.arch)
    network.run(features[::-1])
    expected = FloatReference(model.weights, model.arch).run(features)
    for got, wanted in zip(network.run(features), expected, strict=True):
        np.testing.assert_allclose(got, wanted, atol=2e-5)


def test_a_model_that_the_firmware_refuses_is_told_why() -> None:
    """One whose sums could overflow, which quantising never makes."""
    model = quantise(odd())
    bias = np.full_like(model.matrices["fc"].bias, 2**31 - 1)
    forged = dataclasses.replace(model.matrices["fc"], bias=bias)
    model = dataclasses.replace(model, matrices={**model.matrices, "fc": forged})
    with pytest.raises(ModelError, match="the firmware refuses the model: .*matrix"):
        FirmwareNetwork(model)
