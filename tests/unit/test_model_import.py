"""The .tflite reader: recovers any widths, tolerates order, refuses everything else by name."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from kit.errors import ModelError
from kit.model import export
from kit.model.architecture import Architecture
from kit.model.export import write_tflite
from kit.model.import_ import import_tflite, load_model
from kit.model.random_model import random_weights

ODD = Architecture(fc=5, conv1=7, conv2=9, gru=11, gru_strength=3)
WEIGHTS = random_weights(ODD, seed=3)


def tampered(monkeypatch: pytest.MonkeyPatch, change: object) -> bytes:
    """A model whose graph `change` altered just before it was written."""
    serialise = export._Graph.serialise

    def altered(graph: export._Graph, metadata: dict[str, bytes]) -> bytes:
        change(graph)
        return serialise(graph, metadata)

    with monkeypatch.context() as patch:
        patch.setattr(export._Graph, "serialise", altered)
        return write_tflite(WEIGHTS, ODD, {})


def find(graph: export._Graph, kind: str, output: str) -> int:
    for i, operator in enumerate(graph._operators):
        if operator.kind == kind and graph._tensors[operator.outputs[0]].name == output:
            return i
    raise LookupError(output)


@pytest.mark.parametrize(
    "arch",
    [ODD, Architecture(1, 1, 1, 1, 1), Architecture(64, 96, 96, 96, 48)],
    ids=["odd", "ones", "tiny"],
)
def test_a_written_model_reads_back_unchanged(arch: Architecture) -> None:
    weights = random_weights(arch, seed=4)
    model = import_tflite(write_tflite(weights, arch, {"name": "m", "lookahead_frames": 2}))
    assert model.arch == arch
    assert model.metadata == {"format": 1, "name": "m", "lookahead_frames": 2}
    assert model.weights.keys() == weights.keys()
    for name, expected in weights.items():
        np.testing.assert_array_equal(model.weights[name], expected, err_msg=name)


def test_operands_and_operators_may_stand_in_any_order_that_computes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def change(graph: export._Graph) -> None:
        for operator in graph._operators:
            if operator.kind in ("ADD", "MUL"):
                operator.inputs.reverse()
        last = graph._operators.pop(find(graph, "FULLY_CONNECTED", "gru_strength.hh"))
        graph._operators.insert(0, last)
        graph.outputs.reverse()

    model = import_tflite(tampered(monkeypatch, change))
    np.testing.assert_array_equal(model.weights["gru4.weight_hh"], WEIGHTS["gru4.weight_hh"])


def test_the_other_spelling_of_a_gru_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    """(1 - z) n + z h, as other exporters write it."""

    def change(graph: export._Graph) -> None:
        names = {tensor.name: i for i, tensor in enumerate(graph._tensors)}
        at = find(graph, "SUB", "gru2.step")
        z, n, h, end = (names[x] for x in ("gru2.z", "gru2.n", "gru2", "gru2.next"))
        one = graph.constant("one", np.ones(1), np.float32)
        rest = graph._operators[at + 3 :]
        del graph._operators[at:]
        fresh_part = graph.op("SUB", [one, z], "gru2.rest", 11)
        fresh = graph.op("MUL", [fresh_part, n], "gru2.fresh")
        kept = graph.op("MUL", [z, h], "gru2.kept")
        graph._operators.append(export._Operator("ADD", [fresh, kept], [end]))
        graph._operators += rest

    model = import_tflite(tampered(monkeypatch, change))
    np.testing.assert_array_equal(model.weights["gru2.bias_hh"], WEIGHTS["gru2.bias_hh"])


def test_an_operator_of_another_kind_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    positions = []

    def change(graph: export._Graph) -> None:
        positions.append(find(graph, "TANH", "conv1.tanh"))
        old = graph._operators[positions[0]]
        graph._operators[positions[0]] = dataclasses.replace(old, kind="RELU")

    data = tampered(monkeypatch, change)
    with pytest.raises(ModelError, match=rf"operator {positions[0]} \(RELU, tensor `conv1.tanh`\)"):
        import_tflite(data)


@pytest.mark.parametrize(
    ("kind", "output", "inputs"),
    [
        ("FULLY_CONNECTED", "gru3.ih", {"gru2.next": "gru1.next"}),
        ("CONCATENATION", "gru_strength.input", {"gru3.next": "gru2.next"}),
        ("SUB", "gru1.step", {"gru1": "gru1.n", "gru1.n": "gru1"}),
        ("MUL", "gru4.held", {"gru4.z": "gru4.r"}),
        ("ADD", "gru4.n.sum", {"gru4.n.gated": "gru4.hh.n"}),
    ],
)
def test_a_rewired_operator_is_named(
    monkeypatch: pytest.MonkeyPatch, kind: str, output: str, inputs: dict[str, str]
) -> None:
    def change(graph: export._Graph) -> None:
        names = {tensor.name: i for i, tensor in enumerate(graph._tensors)}
        swap = {names[a]: names[b] for a, b in inputs.items()}
        operator = graph._operators[find(graph, kind, output)]
        operator.inputs[:] = [swap.get(i, i) for i in operator.inputs]

    with pytest.raises(ModelError, match=rf"\({kind}, tensor `{output}`\)"):
        import_tflite(tampered(monkeypatch, change))


def test_frames_in_the_wrong_slice_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def change(graph: export._Graph) -> None:
        names = [tensor.name for tensor in graph._tensors]
        at = names.index("conv1.next.begin")
        graph._tensors[at] = dataclasses.replace(graph._tensors[at], data=np.array([0, 4], "<i4"))

    with pytest.raises(ModelError, match=r"SLICE.*conv1.next.*cuts \[4:24\]"):
        import_tflite(tampered(monkeypatch, change))


def test_outputs_that_are_missing_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelError, match="outputs"):
        import_tflite(tampered(monkeypatch, lambda graph: graph.outputs.pop()))


@pytest.mark.parametrize(
    "metadata", [{"lookahead_frames": -1}, {"lookahead_frames": "2"}, {"post_filter": 1}]
)
def test_settings_of_the_wrong_kind_are_refused(metadata: dict[str, object]) -> None:
    with pytest.raises(ModelError, match=next(iter(metadata))):
        import_tflite(write_tflite(WEIGHTS, ODD, metadata))


def test_every_truncation_is_a_model_error() -> None:
    data = write_tflite(WEIGHTS, ODD, {})
    for length in [*range(0, 400, 7), *range(400, len(data) - 1, 701)]:
        with pytest.raises(ModelError):
            import_tflite(data[:length])


def test_damaged_bytes_never_escape_as_another_exception() -> None:
    rng = np.random.Generator(np.random.PCG64(5))
    original = np.frombuffer(write_tflite(WEIGHTS, ODD, {}), np.uint8)
    payload_end = original.size - 20000  # the tables stand first; damage to weights is not an error
    refused = 0
    for _ in range(400):
        damaged = original.copy()
        positions = rng.integers(8, max(payload_end, 6000), 4)
        damaged[positions] = rng.integers(0, 256, 4)
        try:
            import_tflite(damaged.tobytes())
        except ModelError:
            refused += 1
    assert refused > 100


@pytest.mark.parametrize("data", [b"", b"TFL3", b"\0" * 64, b"\xff" * 4 + b"TFL3" + b"\xff" * 64])
def test_garbage_is_a_model_error(data: bytes) -> None:
    with pytest.raises(ModelError):
        import_tflite(data)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="absent.tflite"):
        load_model(tmp_path / "absent.tflite")
