"""A software pack in the CMSIS-Pack format, for Keil MDK, CMSIS-Toolbox and IAR."""

from kit.package._archive import Files
from kit.package._base import Format, Request
from kit.package._sources import sources, unfit_for_microcontrollers
from kit.package._templates import render
from kit.target import Target

_VENDOR, _NAME = "PercepNet", "PercepNet"


class CmsisPack(Format):
    description = "a CMSIS-Pack with one software component"
    suffix = ".pack"

    def unfit(self, target: Target) -> str:
        return unfit_for_microcontrollers(target)

    def stem(self, request: Request) -> str:
        """Vendor.Name.Version, which the format asks for."""
        return f"{_VENDOR}.{_NAME}.{request.version}"

    def folder(self, request: Request) -> str:
        return ""

    def files(self, request: Request) -> Files:
        code = sources(request)
        files = request.documents()
        description = render(
            "percepnet.pdsc",
            vendor=_VENDOR,
            name=_NAME,
            version=request.version,
            card="MODEL.md" in files,
        )
        return files | {
            f"{_VENDOR}.{_NAME}.pdsc": description,
            "Include/percepnet.h": code["percepnet.h"],
            "Source/percepnet.c": code["percepnet.c"],
        }
