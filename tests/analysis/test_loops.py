"""Every loop of the library, kernels and the update included, ends: by its form, or by a bound that
loops.toml names.
"""

import tomllib
from pathlib import Path

import pytest

from kit.paths import FIRMWARE
from tests.analysis import loops

FOLDERS = ("include", "core", "dsp", "nn", "kernels", "update")
# About 250 of them; many fewer would mean that they are not seen.
FEWEST = 200
BOUNDED = [
    "for (size_t i = 0; i < n; i++) y[i] = x[i];",
    "for (int lag = MOST; lag >= LEAST; lag--) { if (seen[lag]) break; else sum += x[lag]; }",
    "for (; row + 32 <= rows; row += 32, w += stride) run(w);",
    "for (; count; count--, w += 4) { use(w); }",
    "for (size_t i = 0; i < N && status == OK; i++) status = load(i);",
    "for (size_t i = 0; i < all->n; i++) { all->sum += x[i]; take(&all->x[i], &i[x]); }",
    "do { x++; } while (0);",
    "/* while (1) */ const char *text = \"goto\";",
    "for (int k = 0; k < 2; k++)\n    for (int j = 0; j < k; j += 2 * LANES)\n        y[j] &= k;",
]  # fmt: skip
DOUBTFUL = [
    ("while (1) poll();", "may stay"),
    ("while (next(&it)) use(it);", "may stay"),
    ("for (;;) poll();", "no counter"),
    ("do { x = next(x); } while (x);", "may stay"),
    ("again: if (busy()) goto again;", "jumps"),
    ("for (i = 0; i < n; i--) y[i] = 0;", "its step"),
    ("for (i = 0; i < n; i += 0) y[i] = 0;", "its step"),
    ("for (i = 0; i < n; i += stride) y[i] = 0;", "its step"),
    ("for (i = 0; i < n; j++) y[i] = 0;", "its step"),
    ("for (i = n; i; i -= 2) y[i] = 0;", "its step"),
    ("for (i = 0; i != n; i += 2) y[i] = 0;", "no counter"),
    ("for (i = 0; i < n || more; i++) y[i] = 0;", "may stay"),
    ("for (i = 0; i < n; i++) { if (x[i]) i = 0; }", "changes `i`"),
    ("for (i = 0; i < n; i++)\n    for (j = 0; j < 2; j++)\n        n++;", "changes `n`"),
    ("for (i = 0; i < n; i++, n++) y[i] = 0;", "changes `n`"),
    ("for (i = 0; i < run->steps; i++) run->steps += 1;", "changes `run->steps`"),
    ("for (i = 0; i < run->steps; i++) { use(run); run = run->next; }", "changes `run->steps`"),
    ("for (i = 0; i < n; i++) advance(&i);", "changes `i`"),
    ("#define EACH(n) \\\n    while (n) \\\n        step(n)\n", "may stay"),
]


@pytest.mark.parametrize("code", BOUNDED)
def test_loops_that_count_to_a_bound_are_believed(code: str) -> None:
    assert not loops.doubtful(code)


@pytest.mark.parametrize(("code", "why"), DOUBTFUL)
def test_what_may_never_end_is_doubted(code: str, why: str) -> None:
    assert [why in loop.doubt for loop in loops.doubtful(code)] == [True]


def test_every_loop_of_the_library_has_a_bound() -> None:
    sources = {
        str(path.relative_to(FIRMWARE)): path.read_text(encoding="utf-8")
        for folder in FOLDERS
        for path in sorted((FIRMWARE / folder).glob("*.[ch]"))
    }
    assert sum(map(loops.count, sources.values())) > FEWEST
    found = {
        (name, loop.head, loop.doubt)
        for name, code in sources.items()
        for loop in loops.doubtful(code)
    }
    listed = tomllib.loads(Path(__file__).with_name("loops.toml").read_text(encoding="utf-8"))
    bounded = {(loop["file"], loop["head"], loop["doubt"]) for loop in listed["loop"]}
    assert not found - bounded, "loops without a bound"
    assert not bounded - found, "bounds of loops that are gone"
    assert all(loop["bound"] for loop in listed["loop"])
