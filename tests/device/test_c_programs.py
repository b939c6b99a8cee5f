"""Every C test program, built for and run on every target that needs no device on the desk."""

import pytest

from kit.build import build
from kit.target import target_names


@pytest.mark.parametrize("name", target_names())
def test_c_programs_pass_on(name: str) -> None:
    build(f"test-{name}")
