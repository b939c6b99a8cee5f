"""A Zephyr module: a folder for ZEPHYR_EXTRA_MODULES or a west manifest."""

import math

from kit.model.footprint import costs_of_target
from kit.package._archive import Files
from kit.package._base import Format, Request
from kit.package._sources import sources, unfit_for_microcontrollers
from kit.package._templates import render
from kit.target import Target


class Zephyr(Format):
    description = "a folder that is a Zephyr module"
    suffix = ""

    def unfit(self, target: Target) -> str:
        return unfit_for_microcontrollers(target)

    def files(self, request: Request) -> Files:
        return {
            **request.documents(),
            **{f"src/{name}": content for name, content in sources(request).items()},
            "zephyr/module.yml": render("zephyr_module.yml"),
            "zephyr/CMakeLists.txt": render("zephyr_CMakeLists.txt"),
            "zephyr/Kconfig": render("zephyr_Kconfig"),
            "README.md": render(
                "zephyr.md",
                version=request.version,
                stack_kb=math.ceil(costs_of_target(request.target).stack_bytes / 1000),
            ),
        }
