"""Writing a model as .tflite: one streaming step in float32, states in and out, JSON metadata."""

import dataclasses
import json

import flatbuffers
import numpy as np
import tflite

from kit.errors import ModelError
from kit.model.architecture import BANDS, FEATURES, GRU_NAMES, Architecture

FLOAT, PER_CHANNEL, PER_TENSOR = "float", "int8 per channel", "int8 per tensor"
METADATA_NAME = "percepnet"
METADATA_FORMAT = 1
_BUFFER_ALIGNMENT = 16
_SCHEMA_VERSION = 3
_TYPES = {
    "float32": tflite.TensorType.FLOAT32,
    "int32": tflite.TensorType.INT32,
    "int8": tflite.TensorType.INT8,
}


def write_tflite(
    weights: dict[str, np.ndarray],
    arch: Architecture,
    metadata: dict[str, object],
    int8: str = FLOAT,
) -> bytes:
    """Serialise a model.

    weights: float arrays by the names and shapes of `arch.weight_shapes()`.
    metadata: JSON-serialisable; `format` is added. The kit reads name, lookahead_frames and
        post_filter.
    int8: PER_CHANNEL or PER_TENSOR quantises matrices symmetrically and leaves activations float
        (a "hybrid" model, for other runtimes; the kit itself reads FLOAT ones alone).
    Returns the file's bytes, the same for the same arguments.
    Raises ModelError for a missing, surplus, misshaped or non-finite parameter.
    """
    check_weights(weights, arch)
    graph = _Graph()
    _build_network(graph, weights, arch, int8)
    text = json.dumps({**metadata, "format": METADATA_FORMAT}, sort_keys=True)
    return graph.serialise({METADATA_NAME: text.encode()})


def check_weights(weights: dict[str, np.ndarray], arch: Architecture) -> None:
    """Raise ModelError unless `weights` has exactly the parameters of `arch`, all finite."""
    shapes = arch.weight_shapes()
    surplus, missing = (
        sorted(weights.keys() - shapes.keys()),
        sorted(shapes.keys() - weights.keys()),
    )
    if surplus or missing:
        raise ModelError(f"model has surplus parameters {surplus} and lacks {missing}")
    for name, shape in shapes.items():
        if np.shape(weights[name]) != shape:
            raise ModelError(f"`{name}` has shape {np.shape(weights[name])}, expected {shape}")
        if not np.all(np.isfinite(weights[name])):
            raise ModelError(f"`{name}` holds values that are not finite")


def _build_network(
    graph: "_Graph", weights: dict[str, np.ndarray], arch: Architecture, int8: str
) -> None:
    layers = _Layers(graph, weights, int8)
    features = graph.input("features", FEATURES)
    states = {name: graph.input(name, shape[1]) for name, shape in arch.state_shapes().items()}
    following: dict[str, int] = {}

    a0 = graph.op("TANH", [layers.dense("fc", features)], "fc.tanh")
    c1, following["conv1"] = layers.conv("conv1", states["conv1"], a0)
    c2, following["conv2"] = layers.conv("conv2", states["conv2"], c1)
    x = c2
    for name in GRU_NAMES:
        x = following[name] = layers.gru(name, x, states[name])
    joined = graph.concat([c2, *(following[name] for name in GRU_NAMES)], "gains.input")
    gains = graph.op("LOGISTIC", [layers.dense("gains", joined)], "gains")
    pair = graph.concat([following["gru3"], c2], "gru_strength.input")
    following["gru_strength"] = layers.gru("gru_strength", pair, states["gru_strength"])
    dense = layers.dense("strengths", following["gru_strength"])
    strengths = graph.op("LOGISTIC", [dense], "strengths")
    assert graph.width(gains) == graph.width(strengths) == BANDS
    graph.outputs = [gains, strengths, *(following[name] for name in states)]


class _Layers:
    """The network's layers, each appended to a graph as a few operators."""

    def __init__(self, graph: "_Graph", weights: dict[str, np.ndarray], int8: str) -> None:
        self._graph = graph
        self._weights = weights
        self._int8 = int8

    def dense(self, name: str, x: int) -> int:
        return self._affine(x, f"{name}.weight", f"{name}.bias", f"{name}.dense")

    def conv(self, name: str, history: int, x: int) -> tuple[int, int]:
        """Returns the activation and the history for the next step."""
        graph = self._graph
        frames = graph.concat([history, x], f"{name}.frames")
        following = graph.slice(frames, graph.width(x), graph.width(history), f"{name}.next")
        return graph.op("TANH", [self.dense(name, frames)], f"{name}.tanh"), following

    def gru(self, name: str, x: int, h: int) -> int:
        """PyTorch's GRU; returns the new state h' = n + z (h - n)."""
        graph = self._graph
        xr, xz, xn = graph.split3(
            self._affine(x, f"{name}.weight_ih", f"{name}.bias_ih", f"{name}.ih"), f"{name}.ih"
        )
        hr, hz, hn = graph.split3(
            self._affine(h, f"{name}.weight_hh", f"{name}.bias_hh", f"{name}.hh"), f"{name}.hh"
        )
        r = graph.op("LOGISTIC", [graph.op("ADD", [xr, hr], f"{name}.r.sum")], f"{name}.r")
        z = graph.op("LOGISTIC", [graph.op("ADD", [xz, hz], f"{name}.z.sum")], f"{name}.z")
        gated = graph.op("MUL", [r, hn], f"{name}.n.gated")
        n = graph.op("TANH", [graph.op("ADD", [xn, gated], f"{name}.n.sum")], f"{name}.n")
        held = graph.op("MUL", [z, graph.op("SUB", [h, n], f"{name}.step")], f"{name}.held")
        return graph.op("ADD", [n, held], f"{name}.next")

    def _affine(self, x: int, weight: str, bias: str, name: str) -> int:
        graph = self._graph
        matrix = self._weights[weight]
        if self._int8 == FLOAT:
            operand = graph.constant(weight, matrix, np.float32)
        else:
            operand = graph.matrix_s8(weight, matrix, self._int8 == PER_CHANNEL)
        operands = [x, operand, graph.constant(bias, self._weights[bias], np.float32)]
        return graph.op("FULLY_CONNECTED", operands, name, len(self._weights[bias]))


@dataclasses.dataclass(frozen=True)
class _Tensor:
    name: str
    shape: tuple[int, ...]
    data: np.ndarray | None
    scales: np.ndarray | None = None


@dataclasses.dataclass(frozen=True)
class _Operator:
    kind: str
    inputs: list[int]
    outputs: list[int]


class _Graph:
    """Tensors and operators in order of execution, and their serialisation. Tensors are indices."""

    def __init__(self) -> None:
        self._tensors: list[_Tensor] = []
        self._operators: list[_Operator] = []
        self._inputs: list[int] = []
        self.outputs: list[int] = []

    def width(self, tensor: int) -> int:
        return self._tensors[tensor].shape[-1]

    def input(self, name: str, width: int) -> int:
        self._inputs.append(self._add(name, (1, width)))
        return self._inputs[-1]

    def constant(self, name: str, value: np.ndarray, dtype: type) -> int:
        data = np.ascontiguousarray(value, dtype)
        return self._add(name, data.shape, data)

    def matrix_s8(self, name: str, value: np.ndarray, per_channel: bool) -> int:
        """A matrix in int8 and its scales: of each row, or one."""
        largest = np.abs(value).max(axis=1 if per_channel else None, keepdims=True)
        scales = np.maximum(largest, 1e-9).astype(np.float32).reshape(-1, 1) / 127
        self._tensors.append(
            _Tensor(name, value.shape, np.round(value / scales).astype(np.int8), scales[:, 0])
        )
        return len(self._tensors) - 1

    def op(self, kind: str, inputs: list[int], name: str, width: int | None = None) -> int:
        output = self._add(name, (1, self.width(inputs[0]) if width is None else width))
        self._operators.append(_Operator(kind, inputs, [output]))
        return output

    def concat(self, inputs: list[int], name: str) -> int:
        return self.op("CONCATENATION", inputs, name, sum(self.width(x) for x in inputs))

    def slice(self, x: int, start: int, width: int, name: str) -> int:
        begin = self.constant(f"{name}.begin", np.array([0, start]), np.int32)
        size = self.constant(f"{name}.size", np.array([1, width]), np.int32)
        return self.op("SLICE", [x, begin, size], name, width)

    def split3(self, x: int, name: str) -> list[int]:
        axis = self.constant(f"{name}.axis", np.array(1), np.int32)
        shape = (1, self.width(x) // 3)
        outputs = [self._add(f"{name}.{gate}", shape) for gate in "rzn"]
        self._operators.append(_Operator("SPLIT", [axis, x], outputs))
        return outputs

    def _add(self, name: str, shape: tuple[int, ...], data: np.ndarray | None = None) -> int:
        self._tensors.append(_Tensor(name, shape, data))
        return len(self._tensors) - 1

    def serialise(self, metadata: dict[str, bytes]) -> bytes:
        payloads = [b""]  # buffer 0 is the empty one, by convention
        buffer_of = [0] * len(self._tensors)
        for i, tensor in enumerate(self._tensors):
            if tensor.data is not None:
                buffer_of[i] = len(payloads)
                payloads.append(tensor.data.astype(tensor.data.dtype.newbyteorder("<")).tobytes())
        first_metadata = len(payloads)
        payloads += metadata.values()

        builder = flatbuffers.Builder(sum(map(len, payloads)) + 65536)
        buffers = [_write_buffer(builder, payload) for payload in payloads]
        entries = []
        for i, name in enumerate(metadata):
            text = builder.CreateString(name)
            tflite.MetadataStart(builder)
            tflite.MetadataAddName(builder, text)
            tflite.MetadataAddBuffer(builder, first_metadata + i)
            entries.append(tflite.MetadataEnd(builder))
        kinds = sorted({operator.kind for operator in self._operators})
        codes = [_write_operator_code(builder, kind) for kind in kinds]
        subgraph = self._write_subgraph(builder, kinds, buffer_of)
        vectors = [_write_offsets(builder, v) for v in (buffers, entries, codes, [subgraph])]
        description = builder.CreateString("PercepNet, one streaming step of 10 ms")
        tflite.ModelStart(builder)
        tflite.ModelAddVersion(builder, _SCHEMA_VERSION)
        tflite.ModelAddBuffers(builder, vectors[0])
        tflite.ModelAddMetadata(builder, vectors[1])
        tflite.ModelAddOperatorCodes(builder, vectors[2])
        tflite.ModelAddSubgraphs(builder, vectors[3])
        tflite.ModelAddDescription(builder, description)
        builder.Finish(tflite.ModelEnd(builder), file_identifier=b"TFL3")
        return bytes(builder.Output())

    def _write_subgraph(
        self, builder: flatbuffers.Builder, kinds: list[str], buffer_of: list[int]
    ) -> int:
        tensors = [
            _write_tensor(builder, tensor, buffer)
            for tensor, buffer in zip(self._tensors, buffer_of, strict=True)
        ]
        operators = [_write_operator(builder, op, kinds.index(op.kind)) for op in self._operators]
        vectors = [_write_offsets(builder, tensors), _write_offsets(builder, operators)]
        ends = [_write_ints(builder, ends) for ends in (self._inputs, self.outputs)]
        name = builder.CreateString("step")
        tflite.SubGraphStart(builder)
        tflite.SubGraphAddTensors(builder, vectors[0])
        tflite.SubGraphAddOperators(builder, vectors[1])
        tflite.SubGraphAddInputs(builder, ends[0])
        tflite.SubGraphAddOutputs(builder, ends[1])
        tflite.SubGraphAddName(builder, name)
        return tflite.SubGraphEnd(builder)


def _write_ints(builder: flatbuffers.Builder, values: list[int] | tuple[int, ...]) -> int:
    return builder.CreateNumpyVector(np.array(values, "<i4"))


def _write_offsets(builder: flatbuffers.Builder, offsets: list[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return builder.EndVector()


def _write_buffer(builder: flatbuffers.Builder, payload: bytes) -> int:
    vector = None
    if payload:
        builder.StartVector(1, len(payload), _BUFFER_ALIGNMENT)
        builder.head -= len(payload)
        builder.Bytes[builder.head : builder.head + len(payload)] = payload
        vector = builder.EndVector()
    tflite.BufferStart(builder)
    if vector is not None:
        tflite.BufferAddData(builder, vector)
    return tflite.BufferEnd(builder)


def _write_operator_code(builder: flatbuffers.Builder, kind: str) -> int:
    code = getattr(tflite.BuiltinOperator, kind)
    tflite.OperatorCodeStart(builder)
    tflite.OperatorCodeAddBuiltinCode(builder, code)
    tflite.OperatorCodeAddDeprecatedBuiltinCode(builder, code)
    tflite.OperatorCodeAddVersion(builder, 1)
    return tflite.OperatorCodeEnd(builder)


def _write_tensor(builder: flatbuffers.Builder, tensor: _Tensor, buffer: int) -> int:
    kind = tflite.TensorType.FLOAT32 if tensor.data is None else _TYPES[tensor.data.dtype.name]
    scaled = None if tensor.scales is None else _write_scales(builder, tensor.scales)
    shape, name = _write_ints(builder, tensor.shape), builder.CreateString(tensor.name)
    tflite.TensorStart(builder)
    tflite.TensorAddShape(builder, shape)
    tflite.TensorAddType(builder, kind)
    tflite.TensorAddBuffer(builder, buffer)
    tflite.TensorAddName(builder, name)
    if scaled is not None:
        tflite.TensorAddQuantization(builder, scaled)
    return tflite.TensorEnd(builder)


def _write_scales(builder: flatbuffers.Builder, scales: np.ndarray) -> int:
    """Symmetric quantisation along the rows; one scale is for the whole tensor."""
    zeros = builder.CreateNumpyVector(np.zeros(len(scales), "<i8"))
    values = builder.CreateNumpyVector(scales.astype("<f4"))
    tflite.QuantizationParametersStart(builder)
    tflite.QuantizationParametersAddScale(builder, values)
    tflite.QuantizationParametersAddZeroPoint(builder, zeros)
    return tflite.QuantizationParametersEnd(builder)


def _write_operator(builder: flatbuffers.Builder, operator: _Operator, code: int) -> int:
    inputs, outputs = _write_ints(builder, operator.inputs), _write_ints(builder, operator.outputs)
    options = _OPTIONS.get(operator.kind)
    table = options[1](builder) if options else None
    tflite.OperatorStart(builder)
    tflite.OperatorAddOpcodeIndex(builder, code)
    tflite.OperatorAddInputs(builder, inputs)
    tflite.OperatorAddOutputs(builder, outputs)
    if options:
        tflite.OperatorAddBuiltinOptionsType(builder, options[0])
        tflite.OperatorAddBuiltinOptions(builder, table)
    return tflite.OperatorEnd(builder)


def _fully_connected_options(builder: flatbuffers.Builder) -> int:
    tflite.FullyConnectedOptionsStart(builder)
    return tflite.FullyConnectedOptionsEnd(builder)


def _concatenation_options(builder: flatbuffers.Builder) -> int:
    tflite.ConcatenationOptionsStart(builder)
    tflite.ConcatenationOptionsAddAxis(builder, 1)
    return tflite.ConcatenationOptionsEnd(builder)


def _split_options(builder: flatbuffers.Builder) -> int:
    tflite.SplitOptionsStart(builder)
    tflite.SplitOptionsAddNumSplits(builder, 3)
    return tflite.SplitOptionsEnd(builder)


def _add_options(builder: flatbuffers.Builder) -> int:
    tflite.AddOptionsStart(builder)
    return tflite.AddOptionsEnd(builder)


def _mul_options(builder: flatbuffers.Builder) -> int:
    tflite.MulOptionsStart(builder)
    return tflite.MulOptionsEnd(builder)


def _sub_options(builder: flatbuffers.Builder) -> int:
    tflite.SubOptionsStart(builder)
    return tflite.SubOptionsEnd(builder)


_OPTIONS = {
    "FULLY_CONNECTED": (tflite.BuiltinOptions.FullyConnectedOptions, _fully_connected_options),
    "CONCATENATION": (tflite.BuiltinOptions.ConcatenationOptions, _concatenation_options),
    "SPLIT": (tflite.BuiltinOptions.SplitOptions, _split_options),
    "ADD": (tflite.BuiltinOptions.AddOptions, _add_options),
    "MUL": (tflite.BuiltinOptions.MulOptions, _mul_options),
    "SUB": (tflite.BuiltinOptions.SubOptions, _sub_options),
}
