"""The CMSIS-Pack against the rules of its format: PACK.xsd's elements, names, files that exist."""

import re
import xml.etree.ElementTree as ElementTree
import zipfile

import pytest

from tests.package.consumer import make_package, sh

# Of PACK.xsd, for what this pack uses: (required, allowed) children and attributes.
PACKAGE = {"name", "vendor", "description", "url", "releases"}
OPTIONAL = {"license", "keywords", "taxonomy", "conditions", "components"}
COMPONENT = {"description", "files"}
COMPONENT_ATTRIBUTES = {"Cclass", "Cgroup", "Csub", "Cversion", "condition"}
CATEGORIES = {"include", "header", "sourceC", "doc"}
COMPILERS = {"GCC", "CLANG", "ARMCC"}


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pack")
    with zipfile.ZipFile(make_package("mps2_an500", "cmsis_pack", folder)) as archive:
        archive.extractall(folder / "unpacked")
        yield archive.filename, folder / "unpacked"


def described(pack) -> ElementTree.Element:
    (description,) = pack[1].glob("*.pdsc")
    return ElementTree.parse(description).getroot()


def test_names_are_vendor_name_and_version(pack):
    root = described(pack)
    vendor, name = root.findtext("vendor"), root.findtext("name")
    version = root.find("releases/release").get("version")
    assert pack[0].endswith(f"/{vendor}.{name}.{version}.pack")
    assert (pack[1] / f"{vendor}.{name}.pdsc").is_file()
    assert all(re.fullmatch(r"[\w\-]+", word) for word in (vendor, name))
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)


def test_elements_are_those_of_the_schema(pack):
    root = described(pack)
    names = [child.tag for child in root]
    assert root.tag == "package" and re.fullmatch(r"\d+(\.\d+)+", root.get("schemaVersion"))
    assert len(names) == len(set(names))
    assert PACKAGE <= set(names) <= PACKAGE | OPTIONAL
    (component,) = root.findall("components/component")
    assert COMPONENT <= {child.tag for child in component} <= COMPONENT | {"RTE_Components_h"}
    assert set(component.attrib) == COMPONENT_ATTRIBUTES
    assert all(len(component.get(name)) <= 32 for name in ("Cclass", "Cgroup", "Csub"))
    assert all(len(text.text) <= 256 for text in root.iter("description"))


def test_conditions_and_classes_are_defined(pack):
    root = described(pack)
    (component,) = root.findall("components/component")
    conditions = {condition.get("id"): condition for condition in root.iter("condition")}
    accepted = conditions[component.get("condition")].findall("accept")
    assert {accept.get("Tcompiler") for accept in accepted} == COMPILERS
    classes = {text.get("Cclass") for text in root.findall("taxonomy/description")}
    assert component.get("Cclass") in classes


def test_every_file_is_there_and_they_compile(pack, tmp_path):
    root = described(pack)
    files = {file.get("name"): file.get("category") for file in root.iter("file")}
    assert set(files.values()) <= CATEGORIES
    assert all((pack[1] / name).exists() for name in [*files, root.findtext("license")])
    includes = [f"-I{pack[1] / name}" for name, kind in files.items() if kind == "include"]
    for name in (name for name, kind in files.items() if kind == "sourceC"):
        compiler = ("arm-none-eabi-gcc", "-mcpu=cortex-m33", "-mthumb", "-O0", "-Werror")
        sh(*compiler, *includes, "-c", pack[1] / name, "-o", tmp_path / "o.o")
