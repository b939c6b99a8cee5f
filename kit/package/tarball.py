"""A tarball for /usr/local or a vendored folder: header, libraries, CMake and pkg-config files."""

from kit.package._archive import Files, Link
from kit.package._base import Format, Request
from kit.package._libraries import PUBLIC_HEADER, build_static, link_shared
from kit.package._templates import render
from kit.target import Target

# Targets whose programs are loaded by an operating system can share a library.
_PORTS_WITH_SHARED = ("linux",)


class Tarball(Format):
    description = "header, static and shared library, CMake package, pkg-config file"
    suffix = ".tar.gz"

    def unfit(self, target: Target) -> str:
        return "phones take an AAR: --format aar" if target.android else ""

    def stem(self, request: Request) -> str:
        return f"percepnet-{request.version}-{request.target.name}"

    def files(self, request: Request) -> Files:
        shared = request.target.port in _PORTS_WITH_SHARED
        static = build_static(request)
        files: Files = {
            **request.documents(),
            "include/percepnet.h": PUBLIC_HEADER.read_bytes(),
            "lib/libpercepnet.a": static,
        }
        if shared:
            files |= _shared_files(request, static)
        values = {"version": request.version, "target": request.target.name, "shared": shared}
        for name in ("percepnetConfig.cmake", "percepnetConfigVersion.cmake"):
            files[f"lib/cmake/percepnet/{name}"] = render(name, **values)
        files["lib/pkgconfig/percepnet.pc"] = render("percepnet.pc", **values)
        return files


def _shared_files(request: Request, static: bytes) -> Files:
    major = request.version.partition(".")[0]
    soname, real = f"libpercepnet.so.{major}", f"libpercepnet.so.{request.version}"
    return {
        f"lib/{real}": link_shared(request.target, static, soname),
        f"lib/{soname}": Link(real),
        "lib/libpercepnet.so": Link(soname),
    }
