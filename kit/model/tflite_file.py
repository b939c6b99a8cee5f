"""Reading the bytes of a .tflite into plain data, trusting nothing in them."""

import dataclasses
import struct

import numpy as np
import tflite

from kit.errors import ModelError

MAX_FILE_BYTES = 1 << 28
_MAX_ITEMS = 4096
_MAX_NAME = 256
_IDENTIFIER = b"TFL3"
_BAD_BYTES = (struct.error, ValueError, IndexError, TypeError, OverflowError, AttributeError)
_DTYPES = {tflite.TensorType.FLOAT32: "<f4", tflite.TensorType.INT32: "<i4"}
_OPERATOR_NAMES = {
    code: name for name, code in vars(tflite.BuiltinOperator).items() if not name.startswith("_")
}
_OPTION_TABLES = {
    "FULLY_CONNECTED": tflite.FullyConnectedOptions,
    "CONCATENATION": tflite.ConcatenationOptions,
    "ADD": tflite.AddOptions,
    "SUB": tflite.SubOptions,
    "MUL": tflite.MulOptions,
}


@dataclasses.dataclass(frozen=True)
class Tensor:
    """A tensor; `data` is a view of the file for constants of a known type, else None."""

    name: str
    shape: tuple[int, ...]
    is_float: bool
    data: np.ndarray | None


@dataclasses.dataclass(frozen=True)
class Operator:
    """One operator: tensors are indices. `is_plain` says that its options are at their defaults."""

    index: int
    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    is_plain: bool


@dataclasses.dataclass(frozen=True)
class TfliteFile:
    """The only subgraph of a .tflite, and its metadata by name: uint8 views of the file."""

    tensors: list[Tensor]
    operators: list[Operator]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    metadata: dict[str, np.ndarray]


def read_tflite(data: bytes) -> TfliteFile:
    """Parse a .tflite of one subgraph.

    Every constant is a view into `data`, so memory stays proportional to the file.
    Raises ModelError for anything that is not a well-formed file.
    """
    if len(data) > MAX_FILE_BYTES:
        raise ModelError(
            f"file has {len(data)} bytes, more than a model may have ({MAX_FILE_BYTES})"
        )
    if len(data) < 8 or data[4:8] != _IDENTIFIER:
        raise ModelError(
            "not a .tflite file (no TFL3 identifier)",
            hint="export the model with kit.model.export.write_tflite",
        )
    try:
        return _read_model(tflite.Model.GetRootAs(data))
    except _BAD_BYTES as error:
        raise ModelError(f".tflite file is damaged ({error})", hint="export it again") from error


def _read_model(model: tflite.Model) -> TfliteFile:
    if model.SubgraphsLength() != 1:
        raise ModelError(f".tflite file has {model.SubgraphsLength()} subgraphs, expected one")
    graph = model.Subgraphs(0)
    buffers = [
        _vector(model.Buffers(i), "Data") for i in range(_bounded(model.BuffersLength(), "buffers"))
    ]
    tensors = [
        _read_tensor(graph.Tensors(i), buffers)
        for i in range(_bounded(graph.TensorsLength(), "tensors"))
    ]
    kinds = [
        _operator_name(model.OperatorCodes(i))
        for i in range(_bounded(model.OperatorCodesLength(), "operator codes"))
    ]
    operators = [
        _read_operator(i, graph.Operators(i), kinds)
        for i in range(_bounded(graph.OperatorsLength(), "operators"))
    ]
    inputs, outputs = (_indices(_vector(graph, which)) for which in ("Inputs", "Outputs"))
    used = [inputs, outputs, *(op.inputs for op in operators), *(op.outputs for op in operators)]
    if any(not 0 <= index < len(tensors) for group in used for index in group):
        raise ValueError("an index names a tensor that does not exist")
    metadata = {}
    for i in range(_bounded(model.MetadataLength(), "metadata entries")):
        entry = model.Metadata(i)
        metadata[_name(entry)] = buffers[entry.Buffer()]
    return TfliteFile(tensors, operators, inputs, outputs, metadata)


def _bounded(count: int, what: str) -> int:
    if count > _MAX_ITEMS:
        raise ModelError(f".tflite file has {count} {what}, more than {_MAX_ITEMS}")
    return count


def _vector(table: object, name: str) -> np.ndarray:
    """A vector field as a view of the file; empty when absent."""
    if getattr(table, f"{name}IsNone")():
        return np.zeros(0, np.uint8)
    return getattr(table, f"{name}AsNumpy")()


def _indices(vector: np.ndarray) -> tuple[int, ...]:
    return tuple(vector[: _bounded(len(vector), "tensor indices")].tolist())


def _name(table: tflite.Tensor | tflite.Metadata) -> str:
    """Cut short, so that many names over the same bytes cannot fill the memory."""
    return (table.Name() or b"")[:_MAX_NAME].decode(errors="replace")


def _read_tensor(tensor: tflite.Tensor, buffers: list[np.ndarray]) -> Tensor:
    shape = _indices(_vector(tensor, "Shape"))
    dtype = _DTYPES.get(tensor.Type())
    raw = buffers[tensor.Buffer()]
    data = None
    if dtype is not None and len(raw):
        data = raw.view(dtype).reshape(shape)
    return Tensor(_name(tensor), shape, tensor.Type() == tflite.TensorType.FLOAT32, data)


def _operator_name(code: tflite.OperatorCode) -> str:
    number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    return _OPERATOR_NAMES.get(number, f"operator {number}")


def _read_operator(index: int, operator: tflite.Operator, kinds: list[str]) -> Operator:
    kind = kinds[operator.OpcodeIndex()]
    inputs, outputs = (_indices(_vector(operator, which)) for which in ("Inputs", "Outputs"))
    return Operator(index, kind, inputs, outputs, _is_plain(kind, operator))


def _is_plain(kind: str, operator: tflite.Operator) -> bool:
    """True unless the operator fuses an activation or packs its weights in a special way."""
    table = operator.BuiltinOptions()
    if table is None or kind not in _OPTION_TABLES:
        return True
    options = _OPTION_TABLES[kind]()
    options.Init(table.Bytes, table.Pos)
    packed = kind == "FULLY_CONNECTED" and options.WeightsFormat() != 0
    return options.FusedActivationFunction() == 0 and not packed
