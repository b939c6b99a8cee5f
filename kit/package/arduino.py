"""A library for the Arduino IDE (Sketch, Include Library, Add .ZIP Library) and PlatformIO."""

from kit.package._archive import Files
from kit.package._base import Format, Request
from kit.package._sources import sources, unfit_for_microcontrollers
from kit.package._templates import render
from kit.target import Target


class Arduino(Format):
    description = "a library for Arduino and PlatformIO"
    suffix = ".zip"

    def unfit(self, target: Target) -> str:
        return unfit_for_microcontrollers(target)

    def folder(self, request: Request) -> str:
        return "PercepNet"

    def files(self, request: Request) -> Files:
        files = request.documents()
        for name in ("library.properties", "library.json"):
            files[name] = render(name, version=request.version)
        files["examples/Suppress/Suppress.ino"] = render("Suppress.ino")
        return files | {f"src/{name}": content for name, content in sources(request).items()}
