"""The amalgamation's parts: what a C file calls its own, renaming, and which header is private."""

import os
import subprocess
import sys

import pytest

from kit.codegen import amalgamation
from kit.codegen.amalgamation import Sources, isa_of
from kit.codegen.c_names import macros, private_names, rename, tokens, without_include_guard
from kit.errors import KitError
from kit.model.architecture import Architecture
from kit.model.export import write_tflite
from kit.model.random_model import random_weights
from kit.paths import FIRMWARE, ROOT

SOURCE = """#include <stdint.h>
#define LIMIT 3
#define DEFINE_PASS(radix) \\
    static void pass##radix(int x) { helper(x); }
enum { FIRST, SECOND = 4 };
typedef struct {
    int low, size;
} pair_t;
typedef int (*visit_fn)(int, char c[2]);
static const _Alignas(16) int table[] = {1, 2};
int pn_public(pair_t p);
static inline int helper(int x) { return x; } /* static int comment(void) { } */
DEFINE_PASS(2)
DEFINE_PASS(4)
#define DEFINE_ROWS(name, rows) static inline int *name(int x) { return x + rows; }
DEFINE_ROWS(two_rows, 2)
int pn_public(pair_t p) {
    static int kept;
    const char *text = "static int quoted(void) {";
    pass2(1), pass4(kept);
    return helper(p.low) + table[FIRST] + text[0];
}
"""


def test_private_names_are_those_at_file_scope():
    assert private_names(SOURCE) == {
        *("FIRST", "SECOND", "pair_t", "visit_fn", "table", "helper", "pass2", "pass4"),
        "two_rows",
    }
    assert macros(SOURCE) == ["LIMIT", "DEFINE_PASS", "DEFINE_ROWS"]


def test_tokens_are_the_whole_text():
    for path in FIRMWARE.rglob("*.[ch]"):
        text = path.read_text()
        assert "".join(tokens(text)) == text, path


def test_rename_spares_members_texts_and_comments_and_reaches_pasted_names():
    renamed = rename(SOURCE.replace("low", "helper"), {"helper", "pass2", "pass4"}, "x_")
    assert "static void x_pass##radix(int x) { x_helper(x); }" in renamed
    assert "x_pass2(1), x_pass4(kept);" in renamed
    assert "x_helper(p.helper)" in renamed
    assert rename('"helper" /* helper */', {"helper"}, "x_") == '"helper" /* helper */'


def test_include_guards_go_and_the_rest_stays():
    text = "/* What. */\n#ifndef PN_A_H\n#define PN_A_H\n\n#ifdef X\nint a;\n#endif\n\n#endif\n"
    assert without_include_guard(text) == "/* What. */\n\n#ifdef X\nint a;\n#endif\n\n"


def test_private_headers_are_those_of_kernels_alone():
    private = Sources("rm16").private_headers()
    assert {"pn_lanes_mve.h", "pn_dsp_fft.h", "pn_neon.h"} <= private
    assert not private & {"pn_activation.h", "pn_kernels.h", "pn_fixed.h", "pn_tables.h"}


def test_a_header_that_is_named_twice_is_in_once():
    sources, unit = Sources("rm16"), amalgamation._Unit("x", "")
    include = '#include "pn_neon.h"\n'
    once = amalgamation._inline(include, amalgamation._Unit("x", ""), sources, {"pn_neon.h"})
    assert amalgamation._inline(include * 2, unit, sources, {"pn_neon.h"}).strip() == once.strip()
    assert "neon" in once and "#include" not in once


def test_a_kernel_of_an_unknown_instruction_set_is_named(monkeypatch):
    monkeypatch.delitem(amalgamation._ISAS, "mve")
    with pytest.raises(KitError, match="does not know the ISA of `pn_.*__mve.c`"):
        Sources("rm16")


@pytest.mark.parametrize(
    ("layout", "own", "other"), [("rm16", "_rm16", "_32c4"), ("nr32c4", "_32c4", "_rm16")]
)
def test_kernels_are_those_that_read_the_layout(layout, own, other):
    names = [path.stem for path in Sources(layout).kernels]
    assert any(own in name for name in names)
    assert not any(other in name for name in names)
    assert {"scalar", "neon", "avx2", "mve"} <= {isa_of(path) for path in Sources(layout).kernels}


def test_the_text_does_not_depend_on_the_order_of_sets(tmp_path):
    arch = Architecture(8, 16, 16, 16, 8)
    model = tmp_path / "toy.tflite"
    model.write_bytes(write_tflite(random_weights(arch, 1), arch, {"name": "toy"}))
    code = (
        "import sys, zlib; from pathlib import Path; from kit.package import Request;"
        "from kit.target import load_target; from kit.package._sources import sources;"
        "made = sources(Request(load_target('mps2_an500'), Path(sys.argv[1])));"
        "print(zlib.crc32(made['percepnet.c']))"
    )
    crcs = {
        subprocess.run(
            [sys.executable, "-c", code, model],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in "12"
    }
    assert len(crcs) == 1
