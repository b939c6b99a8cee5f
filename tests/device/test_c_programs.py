"""Every C test program, built for and run on this computer and every emulated machine."""

import pytest

from kit.build import build
from kit.target import load_target, target_kind, target_names


def runs_c_tests(name: str) -> bool:
    """Whether C tests run here: not on boards, whose processors the emulated machines have, nor
    where a target says that its RAM holds little more than one denoiser."""
    target = load_target(name)
    small = "PN_APP_STATE_BYTES" in target.defines
    return target.proven != "compiled" and target_kind(name) != "boards" and not small


@pytest.mark.parametrize("name", [name for name in target_names() if runs_c_tests(name)])
def test_c_programs_pass_on(name: str) -> None:
    build(f"test-{name}")
