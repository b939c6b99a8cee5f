"""A model as C: pn_model.h, pn_model.c with golden vectors, the weight blob, and a manifest."""

import json
from pathlib import Path

import numpy as np

from kit.codegen.blob import SHA_BYTES, graph_id, render_blob, settings
from kit.codegen.golden import GOLDEN_STEPS, golden_crc, golden_features, golden_outputs
from kit.codegen.weights import Packed, Packing, find_packing, pack_matrix, pad_model, padded
from kit.model.activation import tanh_table
from kit.model.architecture import BANDS, FEATURES, GRU_NAMES
from kit.model.footprint import network_state_bytes
from kit.model.import_ import load_model
from kit.model.quantise import Matrix, QuantisedModel, quantise

_HASH_DIGITS = 12
_NUMBERS_PER_LINE = 16
_CHARACTERS_PER_LINE = 32


def generate(model_path: Path, layout: str) -> dict[str, bytes]:
    """Files of a model: pn_model.h, pn_model.c, model.pnwb, model.json.

    model_path: a .tflite. layout: the target's weight layout, "nr32c4" or "rm16".
    A pure function of the file's content and the layout. Raises ModelError for an unfit model or
    layout.
    """
    packing = find_packing(layout)
    model = quantise(load_model(model_path))
    matrices = pad_model(model)
    return {
        "pn_model.h": render_header(model).encode(),
        "pn_model.c": render_source(model, matrices, packing).encode(),
        "model.pnwb": render_blob(model, packing),
        "model.json": _render_manifest(model, matrices, packing).encode(),
    }


def model_hash(model: QuantisedModel) -> str:
    """The first 12 hex digits of the SHA-256 of the .tflite: travels with every measurement."""
    return model.sha256.hex()[:_HASH_DIGITS]


def _name(model: QuantisedModel) -> str:
    return str(model.metadata.get("name", "unnamed"))


def render_header(model: QuantisedModel) -> str:
    """Text of pn_model.h."""
    name = _literal(_name(model).encode())
    return f"""/* The model in this build. Generated; see kit/codegen/model.py. */
#ifndef PN_MODEL_H
#define PN_MODEL_H

#include "pn_nn.h"

#define PN_MODEL_NAME "{name}"
#define PN_MODEL_HASH "{model_hash(model)}"
#define PN_MODEL_GRAPH_ID 0x{graph_id(model.arch):08x}u
#define PN_MODEL_STATE_ARRAYS {network_state_bytes(model.arch)} /* bytes of the network's arrays */

extern const pn_nn_model_t pn_model;

/* What this model makes of a fixed sequence of features, from the integer reference. */
#define PN_MODEL_GOLDEN_STEPS {GOLDEN_STEPS}
extern const int16_t pn_model_golden_features_q12[PN_MODEL_GOLDEN_STEPS][{FEATURES}];
extern const int16_t pn_model_golden_gains_q15[PN_MODEL_GOLDEN_STEPS][{BANDS}];
extern const int16_t pn_model_golden_strengths_q15[PN_MODEL_GOLDEN_STEPS][{BANDS}];

#endif
"""


def render_source(model: QuantisedModel, matrices: dict[str, Matrix], packing: Packing) -> str:
    """Text of pn_model.c."""
    lines = [
        "/* The model in this build. Generated; see kit/codegen/model.py. */",
        '#include "pn_model.h"',
        "",
    ]
    packed = _pack_all(matrices, packing)
    for name, matrix in matrices.items():
        lines += _matrix_arrays(name, matrix, packed[name])
    lines += _array("int16_t", "tanh_table", tanh_table())
    features = golden_features()
    gains, strengths = golden_outputs(model)
    for what, values in (
        ("features_q12", features),
        ("gains_q15", gains),
        ("strengths_q15", strengths),
    ):
        shape = f"[PN_MODEL_GOLDEN_STEPS][{values.shape[1]}]"
        lines += _golden_array(f"pn_model_golden_{what}{shape}", values)
    crc = golden_crc(gains, strengths)
    return "\n".join([*lines, _model_struct(model, matrices, packed, packing, crc), ""])


def render_portable(model: QuantisedModel, packing: Packing) -> tuple[str, str]:
    """Texts of pn_model.h and pn_model.c for other people's compilers.

    Weights are lists of numbers (C99 promises strings of 4095 characters), and the golden vectors,
    which only tests read, are left out.
    """
    matrices = pad_model(model)
    header, golden, _ = render_header(model).partition("/* What this model makes")
    assert golden
    lines = ['#include "pn_model.h"', ""]
    packed = _pack_all(matrices, packing)
    for name, matrix in matrices.items():
        data = np.frombuffer(packed[name].weights, np.int8)
        declarator = f"static const _Alignas(64) int8_t {_symbol(name)}_weights[{len(data)}]"
        constants = _constants(name, matrix, packed[name])
        lines += [f"{declarator} = {{", _rows(data), "};", "", *constants]
    lines += _array("int16_t", "tanh_table", tanh_table())
    crc = golden_crc(*golden_outputs(model))
    return f"{header}#endif\n", "\n".join(
        [*lines, _model_struct(model, matrices, packed, packing, crc), ""]
    )


def _symbol(name: str) -> str:
    return name.replace(".", "_")


def _pack_all(matrices: dict[str, Matrix], packing: Packing) -> dict[str, Packed]:
    return {name: pack_matrix(name, matrix.weight, packing) for name, matrix in matrices.items()}


def _matrix_arrays(name: str, matrix: Matrix, packed: Packed) -> list[str]:
    data, symbol = packed.weights, _symbol(name)
    literals = [
        f'    "{_literal(data[i : i + _CHARACTERS_PER_LINE])}"'
        for i in range(0, len(data), _CHARACTERS_PER_LINE)
    ]
    return [
        f"static const _Alignas(64) int8_t {symbol}_weights[{len(data)}] =",
        "\n".join(literals) + ";",
        *_constants(name, matrix, packed),
    ]


def _constants(name: str, matrix: Matrix, packed: Packed) -> list[str]:
    symbol = _symbol(name)
    return [
        *_array("int32_t", f"{symbol}_bias", matrix.bias),
        *_array("int32_t", f"{symbol}_multiplier", matrix.multiplier),
        *([] if packed.blocks is None else _array("uint16_t", f"{symbol}_blocks", packed.blocks)),
    ]


def _spell(byte: int) -> str:
    plain = 32 <= byte < 127 and chr(byte) not in '"\\?'
    return chr(byte) if plain else f"\\{byte:03o}"


_SPELLINGS = [_spell(byte) for byte in range(256)]


def _literal(data: bytes) -> str:
    """Bytes as the inside of a C string: compiles many times faster than a list of numbers."""
    return "".join(map(_SPELLINGS.__getitem__, data))


def _rows(values: np.ndarray) -> str:
    words = [str(value) for value in values.tolist()]
    lines = [
        ", ".join(words[i : i + _NUMBERS_PER_LINE]) for i in range(0, len(words), _NUMBERS_PER_LINE)
    ]
    return "\n".join(f"    {line}," for line in lines)


def _array(ctype: str, name: str, values: np.ndarray) -> list[str]:
    return [f"static const {ctype} {name}[{len(values)}] = {{", _rows(values), "};", ""]


def _golden_array(declarator: str, values: np.ndarray) -> list[str]:
    rows = [f"    {{\n{_rows(row)}\n    }}," for row in values]
    return [f"const int16_t {declarator} = {{", *rows, "};", ""]


def _model_struct(
    model: QuantisedModel,
    matrices: dict[str, Matrix],
    packed: dict[str, Packed],
    packing: Packing,
    crc: int,
) -> str:
    arch = model.arch
    lookahead, post_filter = settings(model)

    def matrix(name: str) -> str:
        rows, cols = matrices[name].weight.shape
        symbol, m = _symbol(name), matrices[name]
        scale = f"{{{symbol}_multiplier, {m.left}, {m.right}}}"
        blocks = "NULL" if packed[name].blocks is None else f"{symbol}_blocks"
        return f"{{{symbol}_weights, {symbol}_bias, {scale}, {rows}, {cols}, {blocks}}}"

    def gru(name: str) -> str:
        return f"{{.ih = {matrix(f'{name}.ih')},\n         .hh = {matrix(f'{name}.hh')}}}"

    widths = "\n".join(
        f"    .{name} = {padded(getattr(arch, name))},"
        for name in ("fc", "conv1", "conv2", "gru", "gru_strength")
    )
    grus = ",\n        ".join(gru(name) for name in GRU_NAMES)
    sha = ", ".join(f"0x{byte:02x}" for byte in model.sha256[:SHA_BYTES])
    return f"""const pn_nn_model_t pn_model = {{
    .graph_id = PN_MODEL_GRAPH_ID,
    .layout = (pn_layout_t){packing.number}, /* {packing.name} */
{widths}
    .lookahead_frames = {lookahead},
    .post_filter = {post_filter},
    .source_sha256 = {{{sha}}},
    .golden_crc = 0x{crc:08x}u,
    .tanh_table = tanh_table,
    .fc_matrix = {matrix("fc")},
    .conv1_matrix = {matrix("conv1")},
    .conv2_matrix = {matrix("conv2")},
    .gru_layers = {{
        {grus},
    }},
    .gru_strength_layer = {gru("gru_strength")},
    .gains = {matrix("gains")},
    .strengths = {matrix("strengths")},
}};"""


def _render_manifest(model: QuantisedModel, matrices: dict[str, Matrix], packing: Packing) -> str:
    """What is in the build, for people and for reports."""
    packed = _pack_all(matrices, packing)
    manifest = {
        "name": _name(model),
        "hash": model_hash(model),
        "sha256": model.sha256.hex(),
        "graph_id": f"{graph_id(model.arch):08x}",
        "layout": packing.name,
        "widths": {
            n: getattr(model.arch, n) for n in ("fc", "conv1", "conv2", "gru", "gru_strength")
        },
        "parameters": model.arch.weights_count(),
        "weight_bytes": sum(
            packed[name].size + 4 * (m.bias.size + m.multiplier.size)
            for name, m in matrices.items()
        ),
        "macs_per_step": sum(len(p.weights) for p in packed.values()),
        "metadata": model.metadata,
        "matrices": {
            name: {"rows": m.weight.shape[0], "cols": m.weight.shape[1]}
            for name, m in matrices.items()
        },
    }
    return json.dumps(manifest, indent=2, sort_keys=True) + "\n"
