"""One .c and one .h for people with their own build."""

from kit.package._archive import Files
from kit.package._base import Format, Request
from kit.package._sources import sources
from kit.package._templates import render
from kit.target import Target


class Amalgamation(Format):
    description = "the library as one C99 file and its header, for any build"
    suffix = ".tar.gz"

    def unfit(self, target: Target) -> str:
        return ""

    def files(self, request: Request) -> Files:
        return {
            **request.documents(),
            **sources(request),
            "README.md": render("amalgamation.md", version=request.version),
        }
