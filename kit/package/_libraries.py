"""Libraries as they leave the house: without debug information, exporting the public interface."""

from kit import process
from kit.build import build
from kit.codegen.exports import public_functions, version_script
from kit.files import scratch_folder
from kit.lock import build_lock
from kit.package._base import Request
from kit.paths import BUILD, FIRMWARE
from kit.target import Target, Toolchain, load_toolchain

PUBLIC_HEADER = FIRMWARE / "include" / "percepnet.h"
TOOL_TIMEOUT_S = 120.0


def build_static(request: Request) -> bytes:
    """Build the target's static library with the request's model. Raises KitError."""
    target = request.target
    build(target.name, str(request.model) if request.model else "")
    toolchain = load_toolchain(target.toolchain)
    with build_lock(), scratch_folder() as work:
        stripped = work / "libpercepnet.a"
        library = BUILD / target.name / "libpercepnet.a"
        process.run(
            [toolchain.prefix + toolchain.objcopy, "-D", "--strip-debug", library, stripped],
            timeout_s=TOOL_TIMEOUT_S,
        )
        return stripped.read_bytes()


def link_shared(target: Target, static: bytes, soname: str) -> bytes:
    """A shared library of the objects in a static one, whose code is position independent."""
    toolchain = load_toolchain(target.toolchain)
    functions = public_functions(PUBLIC_HEADER.read_text(encoding="utf-8"))
    with scratch_folder() as work:
        library, script, output = (work / name for name in ("a.a", "exports", "out.so"))
        library.write_bytes(static)
        script.write_text(version_script(functions), encoding="utf-8")
        process.run(
            [
                toolchain.prefix + toolchain.cc,
                *target.cpu_flags,
                *_shared_flags(toolchain),
                f"-Wl,-soname,{soname}",
                f"-Wl,--version-script,{script}",
                "-o",
                output,
                *["-Wl,--whole-archive", library, "-Wl,--no-whole-archive"],
            ],
            timeout_s=TOOL_TIMEOUT_S,
        )
        return output.read_bytes()


def _shared_flags(toolchain: Toolchain) -> list[str]:
    """The toolchain's own, but for what makes programs static; stripped, nothing undefined."""
    own = [flag for flag in (*toolchain.common_ldflags, *toolchain.ldflags) if flag != "-static"]
    return [*own, "-shared", "-s", "-Wl,-z,defs", "-Wl,-z,text", "-Wl,--build-id=none"]
