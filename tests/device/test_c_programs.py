"""Every C test program, built for and run on this computer and every emulated machine."""

import pytest

from kit.build import build
from kit.target import load_target, target_kind, target_names

_RAM_OF_TESTS = 512 * 1024


def runs_c_tests(name: str) -> bool:
    """Whether C tests run here: not on boards, whose processors the emulated machines have, nor
    where RAM holds little more than one denoiser."""
    target = load_target(name)
    small = any("bss" in m.holds and m.size < _RAM_OF_TESTS for m in target.memory.values())
    return target.proven != "compiled" and target_kind(name) != "boards" and not small


@pytest.mark.parametrize("name", [name for name in target_names() if runs_c_tests(name)])
def test_c_programs_pass_on(name: str) -> None:
    build(f"test-{name}")
