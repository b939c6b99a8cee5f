"""Constant tables of the fixed-point DSP: window, twiddles, bands, comb taps, approximations."""

import dataclasses

import numpy as np

WINDOW = 960
BINS = WINDOW // 2 + 1
COMB_REACH = 5

# Band centres in 50 Hz bins: 34 triangles on the ERB scale, 0..20 kHz (PercepNet section 2).
BAND_PEAKS = (
    0, 2, 4, 6, 8, 10, 12, 15, 18, 21, 24, 28, 32, 36, 41, 47, 53,
    60, 68, 77, 87, 98, 110, 124, 140, 157, 176, 198, 223, 251, 282, 317, 356, 400,
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Table:
    """One constant C array: name, element type, what it holds, and its values."""

    name: str
    ctype: str
    comment: str
    values: np.ndarray

    @property
    def declarator(self) -> str:
        shape = "".join(f"[{size}]" for size in self.values.shape)
        return f"const {self.ctype} {self.name}{shape}"


def vorbis_window(size: int) -> np.ndarray:
    """The power-complementary window w(n) = sin(pi/2 sin^2(pi (n + 0.5) / N)), float64 [size]."""
    n = np.arange(size) + 0.5
    return np.sin(np.pi / 2 * np.sin(np.pi * n / size) ** 2)


def comb_taps(reach: int) -> np.ndarray:
    """Taps 0..reach of the symmetric comb filter; w_0 + 2 (w_1 + ... + w_reach) = 1."""
    k = np.arange(reach + 1)
    taps = 0.5 - 0.5 * np.cos(2 * np.pi * (k + COMB_REACH + 1) / (2 * COMB_REACH + 2))
    return taps / (taps[0] + 2 * taps[1:].sum())


def _fixed(values: np.ndarray, fraction_bits: int, limit: int) -> np.ndarray:
    """Round to nearest in Q(fraction_bits), saturated to +-limit."""
    return np.clip(np.rint(values * 2.0**fraction_bits), -limit, limit).astype(np.int64)


def tables() -> list[Table]:
    """Every table of the DSP, in the order in which they are written."""
    half = vorbis_window(WINDOW)[: WINDOW // 2]
    angle = -2 * np.pi * np.arange(WINDOW) / WINDOW
    twiddle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    peaks = np.array(BAND_PEAKS)
    fraction = np.concatenate(
        [np.arange(b - a) / (b - a) for a, b in zip(peaks[:-1], peaks[1:], strict=True)]
    )
    taps = np.zeros((COMB_REACH + 1, COMB_REACH + 1))
    for reach in range(COMB_REACH + 1):
        taps[reach, : reach + 1] = comb_taps(reach)
    return [
        Table("pn_window_q15", "uint16_t", "First half of the window; the second mirrors it.",
              _fixed(half, 15, 1 << 15)),
        Table("pn_synthesis_window_q16", "uint16_t",
              "Window * 8/15: it also carries the 1024/480 of the scaled FFT (pn_fft.h).",
              _fixed(half * 8 / 15, 16, (1 << 16) - 1)),
        Table("pn_twiddle_q31", "int32_t", "exp(-2 pi i k / 960) as cosine, sine.",
              _fixed(twiddle, 31, (1 << 31) - 1)),
        Table("pn_band_peak", "uint16_t", "Bin of the peak of each band.", peaks),
        Table("pn_band_fraction_q15", "uint16_t",
              "Share of bin k that belongs to the upper of the two bands that cover it.",
              _fixed(fraction, 15, 1 << 15)),
        Table("pn_comb_tap_q31", "int32_t",
              "Taps [reach][k] of the comb filter that reaches k = -reach..reach periods.",
              _fixed(taps, 31, (1 << 31) - 1)),
        Table("pn_log2_q16", "uint32_t", "log2(1 + i/64).",
              _fixed(np.log2(1 + np.arange(65) / 64), 16, 1 << 16)),
        Table("pn_sine_q15", "uint16_t", "sin(pi/2 i/256).",
              _fixed(np.sin(np.pi / 2 * np.arange(257) / 256), 15, 1 << 15)),
    ]  # fmt: skip


def render_header() -> str:
    """Text of pn_tables.h."""
    lines = ["/* Constant tables of the fixed-point DSP. Generated; see kit/codegen/tables.py. */",
             "#ifndef PN_TABLES_H", "#define PN_TABLES_H", "", "#include <stdint.h>", ""]  # fmt: skip
    for table in tables():
        lines += [f"/* {table.comment} */", f"extern {table.declarator};"]
    return "\n".join([*lines, "", "#endif", ""])


def render_source() -> str:
    """Text of pn_tables.c."""
    lines = ["/* Constant tables of the fixed-point DSP. Generated; see kit/codegen/tables.py. */",
             '#include "pn_tables.h"', ""]  # fmt: skip
    for table in tables():
        lines += [f"{table.declarator} = {_initialiser(table.values)};", ""]
    return "\n".join(lines)


def _initialiser(values: np.ndarray, indent: str = "") -> str:
    if values.ndim > 1:
        rows = ",\n".join(f"{indent}    {_initialiser(row, indent + '    ')}" for row in values)
        return f"{{\n{rows},\n{indent}}}"
    words = [str(value) for value in values.tolist()]
    rows = [", ".join(words[i : i + 12]) for i in range(0, len(words), 12)]
    if len(rows) == 1:
        return f"{{{rows[0]}}}"
    body = ",\n".join(f"{indent}    {row}" for row in rows)
    return f"{{\n{body},\n{indent}}}"
