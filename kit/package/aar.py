"""An Android library: the Java class with its native library, and the same library for CMake.

Made without Gradle. Both ABIs are in it, whichever phone was named.
"""

import json

from kit import java, packages
from kit.build import build
from kit.lock import build_lock
from kit.package._archive import Files, zip_
from kit.package._base import Format, Request
from kit.package._libraries import PUBLIC_HEADER
from kit.package._templates import render
from kit.paths import BUILD, FIRMWARE
from kit.target import Target, load_target
from kit.target.ndk import OLDEST, find_ndk

JAVA_SOURCES = FIRMWARE / "android" / "java"
_TARGETS = ("android_arm64", "android_armv7")
_LIBRARY = "libpercepnet.so"
_MODULE = "prefab/modules/percepnet"
# 2 adds static libraries; whoever reads 2 reads 1.
_PREFAB_SCHEMA = 1


class Aar(Format):
    description = "Android library: Java class, both ABIs, prefab for CMake, rules for R8"
    suffix = ".aar"

    def unfit(self, target: Target) -> str:
        return "" if target.android else "it is no Android phone"

    def stem(self, request: Request) -> str:
        return f"percepnet-{request.version}"

    def folder(self, request: Request) -> str:
        return ""

    def files(self, request: Request) -> Files:
        packages.ensure_jdk()
        targets = [load_target(name) for name in _TARGETS]
        files: Files = {
            **request.documents(),
            "AndroidManifest.xml": render("AndroidManifest.xml", api=targets[0].android.api),
            "classes.jar": _jar(),
            "proguard.txt": render("proguard.txt"),
            # No resources; Android's tools expect the file.
            "R.txt": b"",
            **_prefab(request),
        }
        for target in targets:
            files |= _native_files(request, target)
        return files


def _jar() -> bytes:
    sources = sorted(JAVA_SOURCES.rglob("*.java"))
    manifest = {"META-INF/MANIFEST.MF": b"Manifest-Version: 1.0\r\n\r\n"}
    return zip_(manifest | java.compile_classes(sources))


def _prefab(request: Request) -> Files:
    """What is the same for all ABIs of `find_package(percepnet)` in CMake."""
    package = {
        "schema_version": _PREFAB_SCHEMA,
        "name": "percepnet",
        "version": request.version,
        "dependencies": [],
    }
    return {
        "prefab/prefab.json": _json(package),
        f"{_MODULE}/module.json": _json({"export_libraries": []}),
        f"{_MODULE}/include/percepnet.h": PUBLIC_HEADER.read_bytes(),
    }


def _native_files(request: Request, target: Target) -> Files:
    """Build one ABI; the library for Java, and again for CMake."""
    build(target.name, str(request.model_path))
    android = target.android
    with build_lock():
        library = (BUILD / target.name / "jni" / _LIBRARY).read_bytes()
    folder = f"{_MODULE}/libs/android.{android.abi}"
    return {
        f"jni/{android.abi}/{_LIBRARY}": library,
        f"{folder}/{_LIBRARY}": library,
        f"{folder}/abi.json": _json(
            {"abi": android.abi, "api": android.api, "ndk": _ndk_major(), "stl": "none"}
        ),
    }


def _ndk_major() -> int:
    """The NDK that the library fits: without one it is built as the oldest one would."""
    ndk = find_ndk()
    return int(ndk.revision.partition(".")[0]) if ndk else OLDEST


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=2) + "\n").encode()
