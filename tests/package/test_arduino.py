"""The Arduino and PlatformIO library: PlatformIO packs it, its files follow the specification."""

import json
import os
import re
import sys
import tarfile
from pathlib import Path

import pytest

from tests.package.consumer import make_package, sh, unpack

# What the specification of Arduino libraries (revision 2.2) lists.
CATEGORIES = {
    "Display",
    "Communication",
    "Signal Input/Output",
    "Sensors",
    "Device Control",
    "Timing",
    "Data Storage",
    "Data Processing",
    "Other",
}
REQUIRED = ("name", "version", "author", "maintainer", "sentence", "paragraph", "category")


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("arduino")
    return unpack(make_package("mps2_an500", "arduino", folder), folder / "unpacked")


def test_platformio_packs_it_whole(library, tmp_path):
    manifest = json.loads((library / "library.json").read_text())
    # PlatformIO downloads the list of licences to check this one.
    assert manifest.pop("license") == "Apache-2.0"
    (library / "library.json").write_text(json.dumps(manifest))
    archive = tmp_path / "out.tar.gz"
    settings = {
        **os.environ,
        "PLATFORMIO_CORE_DIR": str(tmp_path / "core"),
        "PLATFORMIO_SETTING_ENABLE_TELEMETRY": "no",
    }
    sh(sys.executable, "-m", "platformio", "pkg", "pack", library, "-o", archive, **settings)
    with tarfile.open(archive) as packed:
        names = set(packed.getnames())
    assert {"library.json", "src/percepnet.c", "src/percepnet.h"} <= names
    assert "examples/Suppress/Suppress.ino" in names


def test_library_properties_follow_the_specification(library):
    lines = (library / "library.properties").read_text().splitlines()
    fields = dict(line.split("=", 1) for line in lines)
    assert all(fields[name] for name in (*REQUIRED, "url"))
    assert re.fullmatch(r"[A-Za-z][A-Za-z0-9 _.\-]{0,62}", fields["name"])
    assert fields["name"] == library.name
    assert re.fullmatch(r"\d+\.\d+\.\d+", fields["version"])
    assert fields["category"] in CATEGORIES
    assert not re.search("arduino", fields["name"], re.IGNORECASE)
    assert (library / "src" / fields["includes"]).is_file()


def test_the_example_compiles_against_the_librarys_header(library, tmp_path):
    """With the few declarations of Arduino's core that it uses; the core itself is not here."""
    core = (
        "#include <stddef.h>\n#include <stdint.h>\n"
        "struct Line { void begin(unsigned long); void setTimeout(unsigned long);\n"
        "void println(const char *); size_t readBytes(char *, size_t);\n"
        "size_t write(const uint8_t *, size_t); };\n"
        "extern Line Serial;\nvoid delay(unsigned long);\n"
    )
    sketch = tmp_path / "sketch.cpp"
    example = (library / "examples/Suppress/Suppress.ino").read_text()
    sketch.write_text(core + example)
    compiler = ("arm-none-eabi-g++", "-mcpu=cortex-m4", "-mthumb", "-std=gnu++17", "-Wall")
    sh(*compiler, "-Werror", f"-I{library}/src", "-c", sketch, "-o", tmp_path / "o.o")
