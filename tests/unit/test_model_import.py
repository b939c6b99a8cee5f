"""The .tflite reader: recovers any widths, tolerates order, refuses everything else by name."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import tflite

from kit.errors import ModelError
from kit.model import export, tflite_file
from kit.model import import_ as importing
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


def test_gates_that_are_cut_out_one_by_one_are_understood(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Three slices in the place of a split; the last one to the end."""

    def change(graph: export._Graph) -> None:
        names = {tensor.name: i for i, tensor in enumerate(graph._tensors)}
        at = find(graph, "SPLIT", "gru1.ih.r")
        rest = graph._operators[at + 1 :]
        del graph._operators[at:]
        for gate, (start, width) in zip("rzn", ((0, 11), (11, 11), (22, -1)), strict=True):
            cut = graph.slice(names["gru1.ih"], start, width, f"gru1.{gate}.cut")
            graph._operators[-1].outputs[:] = [names[f"gru1.ih.{gate}"]]
            assert cut
        graph._operators += rest

    model = import_tflite(tampered(monkeypatch, change))
    np.testing.assert_array_equal(model.weights["gru1.weight_ih"], WEIGHTS["gru1.weight_ih"])


def test_a_slice_that_is_no_gate_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def change(graph: export._Graph) -> None:
        names = {tensor.name: i for i, tensor in enumerate(graph._tensors)}
        at = find(graph, "SPLIT", "gru1.ih.r")
        rest = graph._operators[at + 1 :]
        del graph._operators[at:]
        graph.slice(names["gru1.ih"], 5, 11, "gru1.r.cut")
        graph._operators[-1].outputs[:] = [names["gru1.ih.r"]]
        graph._operators += rest

    with pytest.raises(ModelError, match=r"cuts \[5:16\] out of `gru1.ih` of 33"):
        import_tflite(tampered(monkeypatch, change))


def reshape(graph: export._Graph, name: str, *shape: int) -> None:
    """Give a tensor another shape, and zeros where it holds data."""
    at = [tensor.name for tensor in graph._tensors].index(name)
    old = graph._tensors[at]
    data = None if old.data is None else np.zeros(shape, np.float32)
    graph._tensors[at] = dataclasses.replace(old, shape=shape, data=data)


def operator(graph: export._Graph, kind: str, output: str) -> export._Operator:
    return graph._operators[find(graph, kind, output)]


def without_bias(graph: export._Graph) -> None:
    operator(graph, "FULLY_CONNECTED", "fc.dense").inputs.pop()


def matrix_of_another_width(graph: export._Graph) -> None:
    reshape(graph, "fc.weight", 5, 71)


def split_of_another_axis(graph: export._Graph) -> None:
    at = [tensor.name for tensor in graph._tensors].index("gru1.ih.axis")
    graph._tensors[at] = dataclasses.replace(graph._tensors[at], data=np.array(0, np.int32))


def split_of_something_else(graph: export._Graph) -> None:
    split = operator(graph, "SPLIT", "gru1.ih.r")
    split.inputs[1] = operator(graph, "TANH", "conv2.tanh").outputs[0]


def split_in_two(graph: export._Graph) -> None:
    operator(graph, "SPLIT", "gru1.ih.r").outputs.pop()


def outputs_too_many(graph: export._Graph) -> None:
    tanh = operator(graph, "TANH", "conv1.tanh")
    tanh.outputs.append(graph._add("more", graph._tensors[tanh.outputs[0]].shape))


def gates_of_two_widths(graph: export._Graph) -> None:
    reshape(graph, "gru1.weight_hh", 36, 11)
    reshape(graph, "gru1.bias_hh", 36)
    reshape(graph, "gru1.hh", 1, 36)
    for gate in "rzn":
        reshape(graph, f"gru1.hh.{gate}", 1, 12)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (without_bias, r"FULLY_CONNECTED, tensor `fc.dense`\) has no bias"),
        (matrix_of_another_width, r"`fc.dense`\) multiplies shapes \(5, 71\) and \(70,\)"),
        (split_of_another_axis, "SPLIT.* splits along another axis"),
        (split_of_something_else, r"SPLIT.* takes \['gru1.ih.axis', 'conv2.tanh'\]"),
        (split_in_two, "splits 33 into 2"),
        (outputs_too_many, r"TANH.* should have 1 new output"),
        (gates_of_two_widths, r"ADD, tensor `gru1.r.sum`\) combines widths \[11, 12\]"),
        (lambda graph: graph._inputs.pop(), "model has the inputs"),
    ],
)
def test_a_graph_that_is_nearly_right_is_refused_with_what_is_wrong(
    monkeypatch: pytest.MonkeyPatch, change: object, words: str
) -> None:
    with pytest.raises(ModelError, match=words):
        import_tflite(tampered(monkeypatch, change))


def test_a_fused_activation_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """As converters make of a dense layer and a ReLU behind it."""

    def fused(builder) -> int:
        tflite.FullyConnectedOptionsStart(builder)
        relu = tflite.ActivationFunctionType.RELU
        tflite.FullyConnectedOptionsAddFusedActivationFunction(builder, relu)
        return tflite.FullyConnectedOptionsEnd(builder)

    kind = tflite.BuiltinOptions.FullyConnectedOptions
    monkeypatch.setitem(export._OPTIONS, "FULLY_CONNECTED", (kind, fused))
    with pytest.raises(ModelError, match="a fused activation"):
        import_tflite(write_tflite(WEIGHTS, ODD, {}))


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        (b"not JSON", "is not JSON"),
        (b"[" * 100_000, "is not JSON|bytes, more than"),
        (b"[" * 5000, "is not JSON"),
        (b"[1]", "not of format 1"),
        (b'{"format": 2}', "not of format 1"),
        (b" " * (1 << 20), "metadata has 1048576 bytes, more than"),
    ],
)
def test_metadata_that_are_none_are_refused(
    monkeypatch: pytest.MonkeyPatch, metadata: bytes, words: str
) -> None:
    serialise = export._Graph.serialise
    name = importing.METADATA_NAME
    monkeypatch.setattr(
        export._Graph, "serialise", lambda graph, _metadata: serialise(graph, {name: metadata})
    )
    with pytest.raises(ModelError, match=words):
        import_tflite(write_tflite(WEIGHTS, ODD, {}))


def test_a_file_of_two_graphs_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    offsets = export._write_offsets
    graphs = []

    def twice(builder, found):
        graphs.append(found)
        return offsets(builder, found * 2 if len(found) == 1 and len(graphs) > 5 else found)

    monkeypatch.setattr(export, "_write_offsets", twice)
    with pytest.raises(ModelError, match="2 subgraphs, expected one"):
        import_tflite(write_tflite(WEIGHTS, ODD, {}))


def test_a_file_larger_than_any_model_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.tflite"
    with path.open("wb") as file:
        file.truncate(importing.MAX_FILE_BYTES + 1)
    with pytest.raises(ModelError, match="larger than a model may be"):
        load_model(path)


def test_more_bytes_than_any_model_has_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    data = write_tflite(WEIGHTS, ODD, {})
    monkeypatch.setattr(tflite_file, "MAX_FILE_BYTES", len(data) - 1)
    with pytest.raises(ModelError, match=f"file has {len(data)} bytes, more than"):
        import_tflite(data)


def test_what_is_wrong_with_a_file_is_told_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "odd.tflite"
    path.write_bytes(bytes(64))
    with pytest.raises(ModelError, match=f"model `{path}`: not a .tflite file"):
        load_model(path)


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
        ("FULLY_CONNECTED", "gru3.ih", {"gru2.next": "gru2.z"}),
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
