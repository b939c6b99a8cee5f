"""The Android library as an app meets it: its Java, its rules for R8, its libraries for C.

Gradle and R8 are not at hand here: javac and ProGuard, which reads the same rules, stand in for
them, this computer's JVM with a library of its own for the phone's.
"""

import json
import re
import subprocess
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest

from kit import cli, packages
from kit.build import HOST_JNI, HOST_TARGET, build
from kit.package import Request, make_format
from kit.paths import BUILD
from kit.target import load_target, load_toolchain
from tests.package.consumer import CONSUMER, sh

ABIS = {"arm64-v8a": "android_arm64", "armeabi-v7a": "android_armv7"}
# Whose dynamic linker loads an ABI's library here.
SYSTEMS = {"arm64-v8a": "aarch64-linux-gnu", "armeabi-v7a": "arm-linux-gnueabi"}
PREFAB = "prefab/modules/percepnet"
LIBRARY = "libpercepnet.so"

# Raw 16-bit samples at 48 kHz from stdin to stdout.
APP = """import java.io.DataInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.percepnet.Percepnet;

public final class App {
    public static void main(String[] arguments) throws IOException {
        DataInputStream input = new DataInputStream(System.in);
        byte[] bytes = new byte[960];
        ByteBuffer frame = ByteBuffer.allocateDirect(bytes.length);
        try (Percepnet percepnet = new Percepnet(48000)) {
            while (input.available() >= bytes.length) {
                input.readFully(bytes);
                frame.clear();
                frame.put(bytes);
                frame.flip();
                percepnet.process(frame, frame);
                frame.get(bytes);
                System.out.write(bytes);
            }
        }
        System.out.flush();
    }
}
"""

NATIVE = """#include <percepnet.h>
pn_status_t start(pn_state_t *state);
pn_status_t start(pn_state_t *state) { return pn_init(state, 48000, 0); }
"""

SHRINK = """-injars {app}(*.class)
-injars {jar}
-outjars {out}
-include {rules}
-keep class App {{ public static void main(java.lang.String[]); }}
-dontwarn
-ignorewarnings
-dontnote
"""


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    request = Request(load_target("android_arm64"))
    return make_format("aar").write(request, tmp_path_factory.mktemp("packed"))


@pytest.fixture(scope="module")
def aar(packed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library, unpacked."""
    folder = tmp_path_factory.mktemp("aar")
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def app(aar: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program in Java, compiled against classes.jar."""
    build(HOST_JNI)
    folder = tmp_path_factory.mktemp("app")
    (folder / "App.java").write_text(APP)
    javac = ["javac", "--release", "8", "-Xlint:-options", "-cp", aar / "classes.jar"]
    sh(*javac, "-d", folder, folder / "App.java")
    return folder


def run_java(*path: Path, stdin: bytes) -> bytes:
    library = f"-Djava.library.path={BUILD / HOST_TARGET / 'jni'}"
    return sh("java", library, "-cp", ":".join(map(str, path)), "App", stdin=stdin)


def test_the_archive_is_laid_out_as_android_expects(aar: Path):
    files = {str(path.relative_to(aar)) for path in aar.rglob("*") if path.is_file()}
    expected = {"AndroidManifest.xml", "classes.jar", "proguard.txt", "R.txt", "LICENSE"}
    expected |= {"MODEL.md", "prefab/prefab.json"}
    expected |= {f"{PREFAB}/{name}" for name in ("module.json", "include/percepnet.h")}
    for abi in ABIS:
        expected.add(f"jni/{abi}/{LIBRARY}")
        expected |= {f"{PREFAB}/libs/android.{abi}/{name}" for name in (LIBRARY, "abi.json")}
    assert files == expected


def test_the_same_bytes_come_out_whichever_phone_is_named(packed: Path, tmp_path: Path):
    again = make_format("aar").write(Request(load_target("android_armv7")), tmp_path)
    assert again.read_bytes() == packed.read_bytes()


def test_manifest_and_prefab_name_the_oldest_android(aar: Path):
    manifest = ElementTree.parse(aar / "AndroidManifest.xml").getroot()
    android = "{http://schemas.android.com/apk/res/android}"
    assert manifest.get("package") == "org.percepnet"
    assert manifest.find("uses-sdk").get(f"{android}minSdkVersion") == "26"
    for abi in ABIS:
        facts = json.loads((aar / f"{PREFAB}/libs/android.{abi}/abi.json").read_text())
        assert (facts["abi"], facts["api"], facts["stl"]) == (abi, 26, "none")
    package = json.loads((aar / "prefab/prefab.json").read_text())
    assert re.fullmatch(r"\d+(\.\d+){0,3}", package["version"]), "CMake's form"


def test_an_app_in_java_denoises(aar: Path, app: Path, noisy: bytes, clean: bytes):
    assert run_java(app, aar / "classes.jar", stdin=noisy) == clean


def shrink(aar: Path, app: Path, out: Path, rules: str) -> Path:
    """App and class in one jar, renamed and cut down to what is used or kept by rules."""
    packages.ensure_test_tools()
    (out / "rules.txt").write_text(rules)
    words = {"app": app, "jar": aar / "classes.jar", "out": out / "o.jar", "rules": "rules.txt"}
    (out / "all.txt").write_text(SHRINK.format(**words))
    sh("proguard", f"@{out / 'all.txt'}")
    return out / "o.jar"


def test_a_shrunk_app_works_with_the_rules_that_come_along(
    aar: Path, app: Path, tmp_path: Path, noisy: bytes, clean: bytes
):
    jar = shrink(aar, app, tmp_path, (aar / "proguard.txt").read_text())
    assert run_java(jar, stdin=noisy) == clean


def test_without_the_rules_a_shrunk_app_breaks(aar: Path, app: Path, tmp_path: Path):
    jar = shrink(aar, app, tmp_path, "")
    library = f"-Djava.library.path={BUILD / HOST_TARGET / 'jni'}"
    done = subprocess.run(["java", library, "-cp", jar, "App"], capture_output=True, check=False)
    assert b"org/percepnet/Percepnet" in done.stderr


@pytest.mark.parametrize("abi", ABIS)
def test_native_code_links_with_the_library_and_header_of_prefab(
    aar: Path, tmp_path: Path, abi: str
):
    target = load_target(ABIS[abi])
    toolchain = load_toolchain(target.toolchain)
    module = aar / PREFAB
    (tmp_path / "native.c").write_text(NATIVE)
    sh(
        toolchain.program(toolchain.cc),
        f"--target={target.android.triple}{target.android.api}",
        *(*target.cpu_flags, *toolchain.cflags, *toolchain.ldflags),
        *("-shared", "-Wl,--no-undefined", "-I", module / "include", tmp_path / "native.c"),
        *("-L", module / "libs" / f"android.{abi}", "-lpercepnet"),
        *(BUILD / target.name / "stand_in" / "libc.so", "-o", tmp_path / "libnative.so"),
    )
    assert b"libpercepnet.so" in (tmp_path / "libnative.so").read_bytes()


@pytest.mark.parametrize(("abi", "system"), SYSTEMS.items())
def test_the_very_library_runs_where_a_linker_for_linux_loads_it(
    aar: Path, tmp_path: Path, abi: str, system: str, noisy: bytes, clean: bytes
):
    """It calls so little of Android's libc.so that another C library can stand in for it."""
    target = load_target(ABIS[abi])
    library = aar / "jni" / abi
    (tmp_path / "consumer.c").write_text(CONSUMER)
    (tmp_path / "libc.so").symlink_to(f"/usr/{system}/lib/libc.so.6")
    compiler = load_toolchain(target.android.shell_toolchain)
    sh(
        *(compiler.program(compiler.cc), "-I", aar / PREFAB / "include"),
        *(tmp_path / "consumer.c", "-L", library, "-lpercepnet"),
        *("-Wl,--allow-shlib-undefined", "-o", tmp_path / "consumer"),
    )
    emulator = [target.emulator.program, *target.emulator.args, "-L", f"/usr/{system}"]
    paths = f"LD_LIBRARY_PATH={tmp_path}:{library}"
    assert sh(*emulator, "-E", paths, tmp_path / "consumer", stdin=noisy) == clean


def test_other_targets_are_told_that_it_is_for_phones(capsys: pytest.CaptureFixture[str]):
    assert cli.main(["package", "mps2_an500", "--format", "aar"]) == 2
    assert "it is no Android phone" in capsys.readouterr().err
