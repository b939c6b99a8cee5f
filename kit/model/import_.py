"""Reading a model from .tflite: the graph is checked operator by operator against the architecture.

Every tensor that the architecture knows has a role ("a0", "gru2.ih", "gru2.z" ...); every operator
that it knows is a rule from the roles of its inputs to the roles of its outputs. Operators and
tensors may stand in any order that computes; the first operator without a rule is the one that the
error names.
"""

import dataclasses
import hashlib
import json
from pathlib import Path

import numpy as np

from kit.errors import ModelError
from kit.model.architecture import FEATURES, GRU_NAMES, Architecture
from kit.model.export import METADATA_FORMAT, METADATA_NAME, check_weights
from kit.model.tflite_file import MAX_FILE_BYTES, Operator, TfliteFile, read_tflite

_STATES = ("conv1", "conv2", *GRU_NAMES, "gru_strength")
_INPUTS = ("features", *_STATES)
_OUTPUTS = ("gains", "strengths", *(f"{name}.next" for name in _STATES))
_MAX_METADATA_BYTES = 1 << 16
_COMMUTATIVE = ("ADD", "MUL")
_HINT = "the kit takes one architecture, with any widths: see kit/model/architecture.py"


@dataclasses.dataclass(frozen=True)
class Model:
    """A float model: `weights` by the names of `arch.weight_shapes()`, the file's data."""

    weights: dict[str, np.ndarray]
    arch: Architecture
    metadata: dict[str, object]
    sha256: bytes


def load_model(path: Path) -> Model:
    """Read and check a .tflite file; see `import_tflite`."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ModelError(f"`{path}` is larger than a model may be ({MAX_FILE_BYTES} bytes)")
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"cannot read model `{path}`: {error.strerror}") from error
    try:
        return import_tflite(data)
    except ModelError as error:
        raise ModelError(f"model `{path}`: {error.message}", hint=error.hint) from error


def import_tflite(data: bytes) -> Model:
    """Recover weights, widths and metadata from a .tflite of this architecture.

    Raises ModelError naming the first operator that does not fit, or what is wrong with the file.
    """
    file = read_tflite(data)
    weights = _Matcher(file).match()
    arch = _widths(weights)
    check_weights(weights, arch)
    return Model(weights, arch, _metadata(file), hashlib.sha256(data).digest())


def _widths(weights: dict[str, np.ndarray]) -> Architecture:
    return Architecture(
        fc=len(weights["fc.bias"]),
        conv1=len(weights["conv1.bias"]),
        conv2=len(weights["conv2.bias"]),
        gru=len(weights["gru1.bias_ih"]) // 3,
        gru_strength=len(weights["gru_strength.bias_ih"]) // 3,
    )


def _metadata(file: TfliteFile) -> dict[str, object]:
    if METADATA_NAME not in file.metadata:
        raise ModelError(f"model has no `{METADATA_NAME}` metadata", hint=_HINT)
    raw = file.metadata[METADATA_NAME]
    if len(raw) > _MAX_METADATA_BYTES:
        raise ModelError(f"model's metadata has {len(raw)} bytes, more than {_MAX_METADATA_BYTES}")
    try:
        metadata = json.loads(raw.tobytes())
    except (ValueError, RecursionError) as error:
        raise ModelError(f"model's metadata is not JSON ({error})") from error
    if not isinstance(metadata, dict) or metadata.get("format") != METADATA_FORMAT:
        raise ModelError(f"model's metadata is not of format {METADATA_FORMAT}")
    lookahead = metadata.get("lookahead_frames", 2)
    if type(lookahead) is not int or not 0 <= lookahead <= 7:
        raise ModelError(f"model's lookahead_frames is {lookahead!r}, not a whole number in 0..7")
    if not isinstance(metadata.get("post_filter", True), bool):
        raise ModelError("model's post_filter is neither true nor false")
    return metadata


def _rules() -> dict[tuple[str, ...], tuple[str, ...]]:
    """(kind, roles of inputs) -> roles of outputs, for all but FULLY_CONNECTED and SLICE."""
    rules: dict[tuple[str, ...], tuple[str, ...]] = {
        ("TANH", "fc.dense"): ("a0",),
        ("CONCATENATION", "conv1", "a0"): ("conv1.frames",),
        ("TANH", "conv1.dense"): ("c1",),
        ("CONCATENATION", "conv2", "c1"): ("conv2.frames",),
        ("TANH", "conv2.dense"): ("c2",),
        ("CONCATENATION", "c2", *(f"{g}.next" for g in GRU_NAMES)): ("gains.input",),
        ("CONCATENATION", "gru3.next", "c2"): ("gru_strength.input",),
        ("LOGISTIC", "gains.dense"): ("gains",),
        ("LOGISTIC", "strengths.dense"): ("strengths",),
    }
    for g in (*GRU_NAMES, "gru_strength"):
        rules |= {
            ("SPLIT", f"{g}.ih"): (f"{g}.ih.r", f"{g}.ih.z", f"{g}.ih.n"),
            ("SPLIT", f"{g}.hh"): (f"{g}.hh.r", f"{g}.hh.z", f"{g}.hh.n"),
            ("ADD", f"{g}.hh.r", f"{g}.ih.r"): (f"{g}.r.sum",),
            ("ADD", f"{g}.hh.z", f"{g}.ih.z"): (f"{g}.z.sum",),
            ("LOGISTIC", f"{g}.r.sum"): (f"{g}.r",),
            ("LOGISTIC", f"{g}.z.sum"): (f"{g}.z",),
            ("MUL", f"{g}.hh.n", f"{g}.r"): (f"{g}.gated",),
            ("ADD", f"{g}.gated", f"{g}.ih.n"): (f"{g}.n.sum",),
            ("TANH", f"{g}.n.sum"): (f"{g}.n",),
            # h' = n + z (h - n), or the same as (1 - z) n + z h
            ("SUB", g, f"{g}.n"): (f"{g}.step",),
            ("MUL", f"{g}.step", f"{g}.z"): (f"{g}.held",),
            ("ADD", f"{g}.held", f"{g}.n"): (f"{g}.next",),
            ("SUB", "1", f"{g}.z"): (f"{g}.1-z",),
            ("MUL", f"{g}.1-z", f"{g}.n"): (f"{g}.fresh",),
            ("MUL", g, f"{g}.z"): (f"{g}.kept",),
            ("ADD", f"{g}.fresh", f"{g}.kept"): (f"{g}.next",),
        }
    return rules


def _dense_rules() -> dict[str, tuple[str, str, str]]:
    """Role of a FULLY_CONNECTED's input -> role of its output, names of its weight and bias."""
    rules = {}
    sources = {
        "fc": "features",
        "conv1": "conv1.frames",
        "conv2": "conv2.frames",
        "gains": "gains.input",
        "strengths": "gru_strength.next",
    }
    for name, source in sources.items():
        rules[source] = (f"{name}.dense", f"{name}.weight", f"{name}.bias")
    inputs = ["c2", *(f"{g}.next" for g in GRU_NAMES[:-1]), "gru_strength.input"]
    for g, source in zip((*GRU_NAMES, "gru_strength"), inputs, strict=True):
        rules[source] = (f"{g}.ih", f"{g}.weight_ih", f"{g}.bias_ih")
        rules[g] = (f"{g}.hh", f"{g}.weight_hh", f"{g}.bias_hh")
    return rules


class _Matcher:
    """Walks the operators of a file, giving roles to tensors and collecting the weights."""

    def __init__(self, file: TfliteFile) -> None:
        self._file = file
        self._rules = _rules()
        self._dense_rules = _dense_rules()
        self._roles: dict[int, str] = {}
        self._weights: dict[str, np.ndarray] = {}

    def match(self) -> dict[str, np.ndarray]:
        """Returns the weights. Raises ModelError at the first operator that does not fit."""
        self._match_inputs()
        for operator in self._file.operators:
            roles = self._apply(operator)
            for tensor, role in zip(operator.outputs, roles, strict=True):
                if role in self._roles.values():
                    raise self._misfit(operator, f"computes `{role}` a second time")
                self._roles[tensor] = role
        found = sorted(self._roles.get(tensor, "?") for tensor in self._file.outputs)
        if found != sorted(_OUTPUTS):
            raise ModelError(
                f"model's outputs are {found}, expected {sorted(_OUTPUTS)}", hint=_HINT
            )
        return self._weights

    def _match_inputs(self) -> None:
        names = [self._file.tensors[tensor].name for tensor in self._file.inputs]
        if len(names) != len(_INPUTS):
            raise ModelError(f"model has the inputs {names}, expected {list(_INPUTS)}", hint=_HINT)
        roles = names if sorted(names) == sorted(_INPUTS) else _INPUTS
        self._roles = dict(zip(self._file.inputs, roles, strict=True))
        for tensor, role in self._roles.items():
            shape = self._file.tensors[tensor].shape
            if len(shape) != 2 or shape[0] != 1 or (role == "features" and shape[1] != FEATURES):
                raise ModelError(f"input `{role}` has shape {list(shape)}", hint=_HINT)

    def _apply(self, operator: Operator) -> tuple[str, ...]:
        """Roles of the operator's outputs, its shapes checked."""
        if not operator.is_plain:
            raise self._misfit(
                operator, "has options (a fused activation?) that the kit does not know"
            )
        special = {"FULLY_CONNECTED": self._dense, "SLICE": self._slice, "SPLIT": self._split}
        apply = special.get(operator.kind, self._other)
        roles = apply(operator)
        if len(roles) != len(operator.outputs) or set(operator.outputs) & self._roles.keys():
            raise self._misfit(operator, f"should have {len(roles)} new output(s)")
        return roles

    def _dense(self, operator: Operator) -> tuple[str, ...]:
        if len(operator.inputs) != 3:
            raise self._misfit(operator, "has no bias")
        x, *parameters = operator.inputs
        rule = self._dense_rules.get(self._roles.get(x, ""))
        if rule is None:
            raise self._misfit_inputs(operator)
        weight, bias = (self._constant(operator, parameter) for parameter in parameters)
        units = bias.size
        if weight.shape != (units, self._width(x)) or bias.shape != (units,):
            raise self._misfit(
                operator, f"multiplies shapes {weight.shape} and {(self._width(x),)}"
            )
        self._check_width(operator, units)
        role, weight_name, bias_name = rule
        self._weights |= {weight_name: weight, bias_name: bias}
        return (role,)

    def _constant(self, operator: Operator, index: int) -> np.ndarray:
        tensor = self._file.tensors[index]
        if tensor.data is None or not tensor.is_float:
            raise self._misfit(
                operator, f"has the parameter `{tensor.name}`, which is not float32 data"
            )
        return tensor.data

    def _slice(self, operator: Operator) -> tuple[str, ...]:
        """A slice is a conv's new history, or one gate of a GRU's sums."""
        source = self._roles.get(operator.inputs[0], "") if len(operator.inputs) == 3 else ""
        begin, size = (
            (self._integers(index) for index in operator.inputs[1:]) if source else ((), ())
        )
        if len(begin) != 2 or len(size) != 2 or begin[0] != 0 or size[0] not in (1, -1):
            raise self._misfit_inputs(operator)
        width = self._width(operator.inputs[0])
        start, stop = begin[1], width if size[1] == -1 else begin[1] + size[1]
        self._check_width(operator, stop - start)
        if source.endswith(".frames"):
            name = source.removesuffix(".frames")
            history = next(self._width(t) for t, role in self._roles.items() if role == name)
            if (start, stop) == (width - history, width):
                return (f"{name}.next",)
        if source.endswith((".ih", ".hh")) and width % 3 == 0:
            third = width // 3
            gates = {(0, third): "r", (third, 2 * third): "z", (2 * third, width): "n"}
            if (start, stop) in gates:
                return (f"{source}.{gates[start, stop]}",)
        raise self._misfit(operator, f"cuts [{start}:{stop}] out of `{source}` of {width}")

    def _split(self, operator: Operator) -> tuple[str, ...]:
        if len(operator.inputs) != 2 or self._integers(operator.inputs[0]) not in ([1], [-1]):
            raise self._misfit(operator, "splits along another axis than the last")
        source = operator.inputs[1]
        roles = self._rules.get(("SPLIT", self._roles.get(source, "")))
        if roles is None:
            raise self._misfit_inputs(operator)
        if self._width(source) % 3 or len(operator.outputs) != 3:
            raise self._misfit(
                operator, f"splits {self._width(source)} into {len(operator.outputs)}"
            )
        self._check_width(operator, self._width(source) // 3)
        return roles

    def _other(self, operator: Operator) -> tuple[str, ...]:
        roles = [self._role_or_one(index) for index in operator.inputs]
        widths = [
            self._width(index)
            for index, role in zip(operator.inputs, roles, strict=True)
            if role not in ("1", "?")
        ]
        if operator.kind in _COMMUTATIVE:
            roles.sort()
        outputs = self._rules.get((operator.kind, *roles))
        if outputs is None:
            raise self._misfit_inputs(operator)
        if operator.kind == "CONCATENATION":
            self._check_width(operator, sum(widths))
        elif len(set(widths)) == 1:
            self._check_width(operator, widths[0])
        else:
            raise self._misfit(operator, f"combines widths {widths}")
        return outputs

    def _role_or_one(self, index: int) -> str:
        data = self._file.tensors[index].data
        if data is not None and data.size == 1 and data.item() == 1.0:
            return "1"
        return self._roles.get(index, "?")

    def _integers(self, index: int) -> list[int]:
        data = self._file.tensors[index].data
        is_index = data is not None and data.dtype.kind == "i" and data.size <= 2
        return data.ravel().tolist() if is_index else []

    def _width(self, index: int) -> int:
        return self._file.tensors[index].shape[-1]

    def _check_width(self, operator: Operator, width: int) -> None:
        for index in operator.outputs:
            tensor = self._file.tensors[index]
            if tensor.shape != (1, width) or not tensor.is_float or tensor.data is not None:
                raise self._misfit(
                    operator, f"gives `{tensor.name}`, which is not float32 [1, {width}]"
                )

    def _misfit_inputs(self, operator: Operator) -> ModelError:
        sources = [self._file.tensors[index].name for index in operator.inputs]
        return self._misfit(operator, f"does not fit the architecture: it takes {sources}")

    def _misfit(self, operator: Operator, why: str) -> ModelError:
        names = [self._file.tensors[index].name for index in operator.outputs]
        return ModelError(
            f"operator {operator.index} ({operator.kind}, tensor `{', '.join(names)}`) {why}",
            hint=_HINT,
        )
