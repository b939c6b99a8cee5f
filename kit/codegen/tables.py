"""Constant tables of the fixed-point DSP: window, twiddles, bands, comb taps, approximations."""

import dataclasses
import math

import numpy as np

from kit.dsp.bands import PEAKS
from kit.dsp.comb import MARGIN, MAX_PAIRS, tap_weights
from kit.dsp.spectrum import window

RATES_HZ = (8000, 16000, 24000, 32000, 48000)

# First half of the pitch tracker's low-pass at 48 kHz: -3.8 dB at 2 kHz, below -49 dB from 5 kHz.
LOW_PASS_48K_Q15 = (
    -54, -64, -82, -97, -93, -47, 66, 266, 562, 951, 1412, 1909, 2396, 2821, 3136, 3304,
)  # fmt: skip

_BANNER = "/* Constant tables of the fixed-point DSP. Generated; see kit/codegen/tables.py. */"

# PN_FFT_CIRCLE of pn_fft_plan.h: the least common multiple of the FFT sizes.
FFT_CIRCLE = 1920


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


def _low_pass_96k() -> np.ndarray:
    """The pitch tracker's low-pass on a grid of 96 kHz, [64]; every second value serves 48 kHz."""
    at_48k = np.concatenate([LOW_PASS_48K_Q15, LOW_PASS_48K_Q15[::-1]]) / 32768
    padded = np.zeros(512)
    padded[240:272] = at_48k
    spectrum = np.fft.rfft(padded)
    at_96k = np.fft.irfft(np.concatenate([spectrum, np.zeros(256)]), 1024)[480:544] * 2
    at_96k[::2] = at_48k
    return at_96k


def pitch_low_pass(rate_hz: int) -> np.ndarray:
    """Rows of taps that take a signal of `rate_hz` to 12 kHz, float64 [phases][taps].

    Row p serves outputs whose age, in samples at 12 kHz, is p modulo the phases; its last tap
    meets the newest sample. All rows have the same sum.
    """
    prototype, up = _low_pass_96k(), 96000 // rate_hz
    phases = up // math.gcd(8, up)
    taps = -(-len(prototype) // up)
    rows = np.zeros((phases, taps))
    for phase in range(phases):
        used = prototype[-8 * phase % up :: up]
        rows[phase, taps - len(used) :] = used[::-1] / used.sum() * prototype[::2].sum()
    return rows


def _fixed(values: np.ndarray, fraction_bits: int, limit: int) -> np.ndarray:
    """Round to nearest in Q(fraction_bits), saturated to +-limit."""
    return np.clip(np.rint(values * 2.0**fraction_bits), -limit, limit).astype(np.int64)


def tables() -> list[Table]:
    """Every table of the DSP, in the order in which they are written."""
    circle = 2 * np.pi * np.arange(FFT_CIRCLE) / FFT_CIRCLE
    peaks = np.array(PEAKS)
    fraction = np.concatenate(
        [np.arange(b - a) / (b - a) for a, b in zip(peaks[:-1], peaks[1:], strict=True)]
    )
    taps = np.zeros((MAX_PAIRS + 1, MAX_PAIRS + 1))
    taps[0, 0] = 1.0
    for reach in range(1, MAX_PAIRS + 1):
        taps[reach, : reach + 1] = tap_weights(MARGIN // reach)[reach:]
    return [
        Table("pn_cosine_q31", "int32_t",
              "cos(2 pi k / 1920); a quarter of the circle on lies -sin: twiddles of every size.",
              _fixed(np.cos(circle), 31, (1 << 31) - 1)),
        Table("pn_band_peak", "uint16_t", "Bin of the peak of each band.", peaks),
        Table("pn_band_fraction_q15", "int16_t",
              "Share of bin k that goes to the upper of its two bands. Three to spare.",
              _fixed(np.append(fraction, np.zeros(3)), 15, (1 << 15) - 1)),
        Table("pn_comb_tap_q31", "int32_t",
              "Taps [reach][k] of the comb filter that reaches k = -reach..reach periods.",
              _fixed(taps, 31, (1 << 31) - 1)),
        Table("pn_log2_q16", "uint32_t", "log2(1 + i/64).",
              _fixed(np.log2(1 + np.arange(65) / 64), 16, 1 << 16)),
        Table("pn_sine_q15", "uint16_t", "sin(pi/2 i/256).",
              _fixed(np.sin(np.pi / 2 * np.arange(257) / 256), 15, 1 << 15)),
        *(table for rate_hz in RATES_HZ for table in _rate_tables(rate_hz)),
    ]  # fmt: skip


def _rate_tables(rate_hz: int) -> list[Table]:
    """What differs between sample rates: windows, and the pitch tracker's low-pass."""
    half = window(rate_hz // 50)[: rate_hz // 100]
    return [
        Table(f"pn_window_{rate_hz}_q31", "int32_t",
              "First half of the window, times the analysis scale (pn_rate.h).",
              _fixed(half * analysis_scale(rate_hz), 31, (1 << 31) - 1)),
        Table(f"pn_pitch_low_pass_{rate_hz}_q15", "int16_t",
              "Taps to 12 kHz, a row for each phase.", _fixed(pitch_low_pass(rate_hz), 15, 32767)),
    ]  # fmt: skip


def _without_powers_of_two(factor: float) -> float:
    """Divide by the power of two that leaves (0.5, 1]: exponents carry the rest."""
    return factor / 2.0 ** math.ceil(math.log2(factor))


def analysis_scale(rate_hz: int) -> float:
    """48000 / rate, which makes spectra of all rates alike, but for a power of two."""
    return _without_powers_of_two(48000 / rate_hz)


def render_header() -> str:
    """Text of pn_tables.h."""
    lines = [_BANNER, "#ifndef PN_TABLES_H", "#define PN_TABLES_H", "", "#include <stdint.h>", ""]
    for table in tables():
        lines += [f"/* {table.comment} */", f"extern {table.declarator};"]
    return "\n".join([*lines, "", "#endif", ""])


def render_source() -> str:
    """Text of pn_tables.c."""
    lines = [_BANNER, '#include "pn_tables.h"', ""]
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
