"""C declarations for Python: what cffi cannot read is left out, or told."""

import pytest

from kit import host
from kit.errors import KitError


def test_functions_with_their_bodies_are_left_out() -> None:
    declared = host.declarations("pn_fixed.h", "pn_update.h")
    assert "pn_update_answer(" in declared
    assert "inline" not in declared
    assert "_Static_assert" not in declared
    assert "{ return" not in " ".join(declared.split())


def test_an_inline_function_that_is_only_declared_is_left_out_and_no_more() -> None:
    text = (
        '# 1 "{}/x.h"\nstatic inline int pn_a(int x);\nint pn_b(void);\n'
        "static inline int pn_c(int x) {{ if (x) {{ x = 0; }} return x; }}\nint pn_d(void);\n"
    )
    known = host._own_declarations(text.format(host.ROOT))
    assert " ".join(known.split()) == "int pn_b(void); int pn_d(void);"


def test_plain_integers_stay_constants() -> None:
    assert "#define PN_STORE_SLOTS 2\n" in host.declarations("pn_store.h")


def test_a_header_that_is_not_there_is_named() -> None:
    with pytest.raises(KitError, match="no header `pn_none.h`"):
        host.declarations("pn_none.h")


def test_an_alignment_that_cffi_cannot_be_given_is_told() -> None:
    aligned = '# 1 "{root}/x.h"\ntypedef struct {{ _Alignas({by}) char bytes[3]; }} x_t;\n'
    known = host._own_declarations(aligned.format(root=host.ROOT, by=16))
    assert "long double" in known and "char bytes[3];" in known
    with pytest.raises(KitError, match=r"_Alignas\(32\)"):
        host._own_declarations(aligned.format(root=host.ROOT, by=32))
