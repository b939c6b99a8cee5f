"""libpercepnet.so as Java, Kotlin and Android's C programs load it."""

from typing import Any

from SCons.Script import Action, Environment

from kit import java, process
from kit.codegen import bionic
from kit.codegen.exports import public_functions, version_script
from kit.paths import FIRMWARE
from kit.scons.generated import text_node
from kit.target import Target, Toolchain

_SOURCE = "android/jni/percepnet_jni.c"
_NAME = "libpercepnet.so"
_STAND_IN = "stand_in"
_TOOL_TIMEOUT_S = 30.0


def jni_library(env: Environment, toolchain: Toolchain, objects: list[Any]) -> list[Any]:
    """The library without what only debuggers need in jni/, the whole of it in jni/symbols/."""
    folder = env["BUILD_FOLDER"]
    own = env.Object(
        f"{folder}/obj/android/percepnet_jni.o",
        f"#{(FIRMWARE / _SOURCE).relative_to(FIRMWARE.parent)}",
        CPPPATH=[*env["CPPPATH"], *_jni_folders(toolchain)],
    )
    header = (FIRMWARE / "include" / "percepnet.h").read_text(encoding="utf-8")
    exports = version_script([*public_functions(header), "JNI_OnLoad"])
    script = text_node(env, "exports.map", exports)
    flags = [
        f"-Wl,-soname,{_NAME}",
        f"-Wl,--version-script,{script}",
        *("-Wl,--no-undefined", "-Wl,-z,text", "-Wl,--build-id=sha1"),
    ]
    whole = env.SharedLibrary(
        f"{folder}/jni/symbols/{_NAME}", [*own, *objects], LINKFLAGS=[*env["LINKFLAGS"], *flags]
    )
    env.Depends(whole, script)
    strip = Action("$OBJCOPY --strip-all $SOURCE $TARGET", "$STRIPCOMSTR")
    stripped = env.Command(
        f"{folder}/jni/{_NAME}", whole, strip, OBJCOPY=toolchain.program(toolchain.objcopy)
    )
    return [*stripped, *whole]


def _jni_folders(toolchain: Toolchain) -> list[str]:
    """Where jni.h is; an NDK's compiler knows by itself."""
    if toolchain.android and not toolchain.without_ndk:
        return []
    return [str(folder) for folder in java.include_folders()]


def stand_ins(env: Environment, target: Target, shell: Toolchain) -> dict[str, list[Any]]:
    """What lets environments for Android do without an NDK, as variables to append to.

    Headers, a libc.so, and the compiler's library: that of the shell's toolchain, which is for the
    same processor and passes arguments alike.
    """
    folder = f"{env['BUILD_FOLDER']}/{_STAND_IN}"
    for name, text in bionic.headers().items():
        text_node(env, name, text, f"{_STAND_IN}/include")
    source = text_node(env, "libc.c", bionic.library_source(), _STAND_IN)
    libc = env.SharedLibrary(
        f"{folder}/libc.so",
        env.Object(f"{folder}/libc.o", source, CCFLAGS=[*env["CCFLAGS"], "-ffreestanding"]),
        LINKFLAGS=[*env["LINKFLAGS"], "-Wl,-soname,libc.so"],
        LIBS=[],
    )
    ask = [shell.program(shell.cc), *target.cpu_flags, "-print-libgcc-file-name"]
    runtime = process.run(ask, timeout_s=_TOOL_TIMEOUT_S).text.strip()
    return {"CPPPATH": [f"{folder}/include"], "LIBS": [env.File(runtime), *libc]}
