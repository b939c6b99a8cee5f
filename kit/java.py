"""The Java Development Kit on this computer: its headers, and classes in a jar."""

from collections.abc import Sequence
from pathlib import Path

from kit import process
from kit.errors import KitError
from kit.files import scratch_folder

JAVAC_TIMEOUT_S = 120.0
# Android desugars what is newer; with 8 the class files fit every Android build.
RELEASE = "8"


def include_folders() -> list[Path]:
    """Where jni.h and what it includes are. Raises KitError without a JDK."""
    home = Path(process.find_program("javac")).resolve().parent.parent
    folders = [home / "include", home / "include" / "linux"]
    if not (folders[0] / "jni.h").is_file():
        raise KitError(
            f"the JDK in `{home}` has no include/jni.h",
            hint="install another: sudo apt-get install -y default-jdk-headless",
        )
    return folders


def compile_classes(sources: Sequence[Path]) -> dict[str, bytes]:
    """Class files by their paths in a jar: the same bytes for the same sources and compiler.

    Raises KitError with what the compiler said; a warning is an error.
    """
    with scratch_folder() as work:
        process.run(
            [
                "javac",
                *("--release", RELEASE),
                # That 8 is an old release is known.
                *("-Xlint:all,-options", "-Werror"),
                *("-g:source,lines", "-encoding", "UTF-8"),
                *("-d", work),
                *sources,
            ],
            timeout_s=JAVAC_TIMEOUT_S,
        )
        classes = work.rglob("*.class")
        return {str(path.relative_to(work)): path.read_bytes() for path in sorted(classes)}
