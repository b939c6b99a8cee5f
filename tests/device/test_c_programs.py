"""Every C test program, built for and run on every target that needs no device on the desk."""

import pytest

from kit.build import build
from kit.target import load_target, target_names

TRIED = [name for name in target_names() if load_target(name).proven != "compiled"]


@pytest.mark.parametrize("name", TRIED)
def test_c_programs_pass_on(name: str) -> None:
    build(f"test-{name}")
