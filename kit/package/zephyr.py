"""A Zephyr module: a folder for ZEPHYR_EXTRA_MODULES or a west manifest."""

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
            "README.md": render("zephyr.md", version=request.version),
        }
