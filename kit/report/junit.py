"""JUnit's XML, as continuous integration servers read it: a suite for each device."""

import dataclasses
import xml.etree.ElementTree as xml
from collections.abc import Mapping, Sequence

from kit.text import visible

PASSED, FAILED, BROKEN, SKIPPED = "passed", "failure", "error", "skipped"


@dataclasses.dataclass(frozen=True)
class Case:
    """A test, a budget, or the run itself. result: PASSED, FAILED, SKIPPED, or BROKEN for what
    could not be judged."""

    name: str
    result: str = PASSED
    message: str = ""
    seconds: float = 0.0


@dataclasses.dataclass(frozen=True)
class Suite:
    """The cases of a device; date: when, ISO 8601; words: what its program said."""

    name: str
    date: str
    seconds: float
    cases: tuple[Case, ...]
    properties: Mapping[str, str]
    words: str = ""


def render_junit(suites: Sequence[Suite]) -> bytes:
    """The file. Control characters, which XML cannot hold, are spelled out."""
    root = xml.Element("testsuites")
    totals = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    for suite in suites:
        element = _suite(suite)
        root.append(element)
        for key in totals:
            totals[key] += int(element.get(key, "0"))
    root.attrib |= {key: str(total) for key, total in totals.items()}
    root.set("time", f"{sum(suite.seconds for suite in suites):.3f}")
    xml.indent(root)
    return xml.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"


def _suite(suite: Suite) -> xml.Element:
    results = [case.result for case in suite.cases]
    element = xml.Element(
        "testsuite",
        {
            "name": visible(suite.name),
            "tests": str(len(results)),
            "failures": str(results.count(FAILED)),
            "errors": str(results.count(BROKEN)),
            "skipped": str(results.count(SKIPPED)),
            "time": f"{suite.seconds:.3f}",
            "timestamp": suite.date,
        },
    )
    properties = xml.SubElement(element, "properties")
    for name, value in suite.properties.items():
        xml.SubElement(properties, "property", name=visible(name), value=visible(value))
    for case in suite.cases:
        element.append(_case(suite, case))
    xml.SubElement(element, "system-out").text = visible(suite.words)
    return element


def _case(suite: Suite, case: Case) -> xml.Element:
    names = {"classname": visible(suite.name), "name": visible(case.name)}
    element = xml.Element("testcase", {**names, "time": f"{case.seconds:.3f}"})
    if case.result != PASSED:
        xml.SubElement(element, case.result, message=visible(case.message))
    return element
