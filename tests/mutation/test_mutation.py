"""Whether mutants are what they should be; and, long, whether the tests notice them."""

import ast
import json
import os
from pathlib import Path

import pytest

from kit.paths import ROOT
from tests.mutation import c_source, python_source
from tests.mutation.__main__ import LEAST_SHARE, as_json, survivors_of, try_areas
from tests.mutation.areas import Area, load_areas, load_equivalents, without_equivalents
from tests.mutation.mutant import Mutant
from tests.mutation.trial import Outcome, Result, drawn

COUNT = 200
SEED = 1


def c_mutants(text: str) -> set[tuple[str, str]]:
    return {(original, replacement) for _, original, replacement in c_source.edits(text)}


def python_mutants(text: str) -> set[str]:
    found = set()
    for start, original, replacement in python_source.edits(text):
        assert text[start : start + len(original)] == original
        found.add(text[:start] + replacement + text[start + len(original) :])
    return found


def test_c_operators_numbers_indices_and_statements_are_broken() -> None:
    line = "    sum += w[row + 1] << 3u;\n"
    assert c_mutants(line) == {
        ("+=", "-="),
        ("+", "-"),
        ("<<", ">>"),
        ("1", "2"),
        ("1", "0"),
        ("3u", "4u"),
        ("3u", "2u"),
        ("[row + 1]", "[row + 1 + 1]"),
        ("[row + 1]", "[row + 1 - 1]"),
        (line.strip(), ";"),
    }


def test_c_declarations_comments_texts_and_checks_are_left_alone() -> None:
    assert not c_mutants(
        '/* a + 1 */ const int8_t *w; f("1 + 1"); int32_t sum[4], *y;\n    int in[5], out[5];\n'
    )
    assert not c_mutants(
        "PN_FIXED_REQUIRE(a < 1 &&\n    b > 2);\nPN_PROBE(A);\n#include <x.h>\n#if A > 1\n"
    )


def test_c_intrinsics_and_macros_are_broken() -> None:
    assert c_mutants("x = _mm256_add_epi32(a, b);") == {("add", "sub")}
    assert c_mutants("#define LANES 4\n") == {("4", "5"), ("4", "3")}


def test_python_is_broken_where_it_decides() -> None:
    assert python_mutants("y = a + b if x < 0x10 else -c\n") == {
        "y = a - b if x < 0x10 else -c\n",
        "y = a + b if x <= 0x10 else -c\n",
        "y = a + b if x < 17 else -c\n",
        "y = a + b if x < 0x10 else c\n",
    }
    assert python_mutants('M = b"ab"\n') == {"M = b'`b'\n"}
    assert python_mutants("def f():\n    self.x = g\n    return g\n") == {
        "def f():\n    pass\n    return g\n",
        "def f():\n    self.x = g\n    return None\n",
    }


def test_python_words_for_people_are_left_alone() -> None:
    assert python_mutants('raise E("1", hint=2 + 2)\n') == {"pass\n"}
    assert not python_mutants('def f(x: list[1] = a) -> 1:\n    """1."""\n    assert x == 1\n')
    assert not python_mutants("z = zip(a, b, strict=True)\n")
    assert not python_mutants("@dataclass(frozen=True)\nclass C:\n    x: list[1]\n")


@pytest.mark.parametrize("name", load_areas())
def test_every_mutant_of_python_parses_and_the_tables_fit_the_code(name: str) -> None:
    area = load_areas()[name]
    mutants = area.mutants()
    assert len(without_equivalents(mutants, load_equivalents())) > 10
    if area.language == "python":
        for mutant in mutants[::7]:
            ast.parse(mutant.applied_to((ROOT / mutant.path).read_text(encoding="utf-8")))


def test_survivors_are_found_again_where_lines_have_moved(tmp_path: Path) -> None:
    line = "if a < b and c < d:"
    mutants = [
        Mutant("a.py", start, "<", "<=", number, line, line[:start])
        for start, number in ((5, 3), (15, 3), (5, 40))
    ]
    other = Mutant("a.py", 9, "and", "or", 3, line, "")
    results = [Result(Area("x", "python", [], []), 4, 0, [Outcome(mutants[0], "")])]
    (tmp_path / "tried.json").write_text(json.dumps(as_json(results)))
    assert survivors_of(tmp_path / "tried.json")([*mutants, other]) == mutants


@pytest.mark.long
@pytest.mark.parametrize("language", ["c", "python"])
def test_nine_of_ten_mutants_are_noticed(language: str) -> None:
    areas = [area for area in load_areas().values() if area.language == language]
    results = try_areas(areas, drawn(COUNT, SEED), len(os.sched_getaffinity(0)))
    for result in results:
        survivors = "\n".join(mutant.place for mutant in result.survivors)
        assert result.share >= LEAST_SHARE, f"{result.area.name}, not noticed:\n{survivors}"
