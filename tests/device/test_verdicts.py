"""From a target to its verdict and reports, on this computer and on emulated boards; and words of a
program that mean harm."""

import dataclasses
import html
import html.parser
import json
import re
import xml.etree.ElementTree as xml
from pathlib import Path

import pytest

from kit import cli
from kit.build import build
from kit.device import Device, save_device
from kit.device.map import MAP_SETTING
from kit.devtest.outcome import Outcome, as_json, outcome_of
from kit.devtest.parallel import Run, run_on
from kit.devtest.presentation import page_facts, suite_of
from kit.devtest.protocol import read_report
from kit.errors import CheckFailed, DeviceError
from kit.measure import read_sizes
from kit.report.facts import FAIL, INVALID, PASS
from kit.report.junit import render_junit
from kit.report.page import render_html
from kit.runner import make_runner
from kit.runner._session import start_program
from kit.target import Budgets, load_target
from kit.verbs._report import Reports, require_passed, show

BOARD = "mps3_an547"
ARM64 = "qemu_aarch64"
HERE = "host_x86_64"


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = cli.main(words)
    out, err = capsys.readouterr()
    return code, out, err


@dataclasses.dataclass(frozen=True)
class Files:
    """What a run was told to write."""

    json: Path
    junit: Path
    html: Path

    def options(self) -> list[str]:
        return [word for key, path in vars(self).items() for word in (f"--{key}", str(path))]


def files_in(folder: Path) -> Files:
    return Files(folder / "run.json", folder / "run.xml", folder / "run.html")


@pytest.fixture(scope="module")
def board_files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Of one run on the emulated board."""
    files = files_in(tmp_path_factory.mktemp("board"))
    assert cli.main(["run", "--target", BOARD, *files.options()]) == 0
    return files


@pytest.fixture(scope="module")
def paced_run() -> Run:
    """The benchmark on this computer, a second of frames and one of packets."""
    build(HERE)
    done = run_on(make_runner(load_target(HERE)), "bench", settings={"PN_ROUNDS": "1"})
    assert done.passed, done.error
    return done


def test_a_board_gets_its_verdict_from_instructions_and_bytes(board_files: Files) -> None:
    facts = json.loads(board_files.json.read_text())
    assert facts["verdict"] == "pass"
    assert facts["emulated"] is True
    budgets = facts["budgets"]
    assert budgets["frame instructions"]["kind"] == "counted under emulation"
    assert 0 < budgets["stack bytes"]["value"] < 16384
    assert {figure["unit"] for figure in facts["figures"]} == {"instructions", "bytes"}
    assert re.fullmatch("[0-9a-f]{8}", facts["out_crc"])
    assert len(facts["tests"]) == 7


def test_junit_has_a_case_for_each_test_and_budget(board_files: Files) -> None:
    root = xml.parse(board_files.junit).getroot()
    (suite,) = root
    facts = json.loads(board_files.json.read_text())
    assert root.tag == "testsuites"
    assert suite.get("tests") == str(len(facts["tests"]) + len(facts["budgets"]) + 1)
    assert [suite.get(key) for key in ("failures", "errors", "skipped")] == ["0", "0", "0"]
    assert len(suite.findall("testcase")) == int(suite.get("tests"))
    properties = {p.get("name"): p.get("value") for p in suite.find("properties")}
    assert properties["firmware"] == facts["boot"]["fw"]


def test_the_page_holds_plots_budgets_and_the_environment(board_files: Files) -> None:
    page = board_files.html.read_text()
    facts = json.loads(board_files.json.read_text())
    assert not re.search(r'(?:src|href)="(?!data:)', page)
    assert page.count("data:image/svg+xml;base64,") == 2
    for words in ("frame, burst: how often", "frame, burst: in time", "passed", "systick"):
        assert words in page
    for words in (facts["boot"]["fw"], facts["boot"]["model"], facts["out_crc"], facts["date"]):
        assert words in page


def test_the_same_run_again_compares_as_the_same(
    capsys: pytest.CaptureFixture[str], board_files: Files, tmp_path: Path
) -> None:
    again = files_in(tmp_path)
    words = ("run", "bench", "--target", BOARD, "--compare", str(board_files.json))
    code, out, err = run(capsys, *words, *again.options())
    assert code == 0, err
    assert "compared with the run of" in err
    lines = [line for line in out.splitlines() if line.startswith("frame, burst: worst")]
    assert re.search(r"(\d+) +instructions +\1 +same +counted", lines[0])
    assert "compared with the run of" in again.html.read_text()


def test_another_instruction_set_is_not_compared(
    capsys: pytest.CaptureFixture[str], board_files: Files
) -> None:
    words = ("run", "bench", "--target", BOARD, "--isa", "dsp", "--compare", str(board_files.json))
    code, out, err = run(capsys, *words)
    assert "another instruction set (mve, now dsp)" in err
    assert "same" not in out
    assert code == 1  # more instructions than the budget, which is for the best set, allows
    assert "bench on mps3_an547: FAIL" in err
    assert "frame instructions:" in err


def test_a_soak_says_that_all_its_rounds_gave_the_same_bytes(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    files = files_in(tmp_path)
    code, out, err = run(capsys, "run", "--soak", "2s", "--target", BOARD, *files.options())
    assert code == 0, err
    assert "soak on mps3_an547: 1 tests passed" in out
    facts = json.loads(files.json.read_text())
    assert facts["tests"][0]["details"] == {"rounds": "2", "different": "0"}
    assert "frame, burst: in time" in files.html.read_text()


def test_bench_reports_every_layer_as_counted(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    files = files_in(tmp_path)
    code, out, err = run(capsys, "bench", "--target", ARM64, *files.options())
    assert code == 0, err
    facts = json.loads(files.json.read_text())
    assert facts["layers"]["network.gru1"] > 1000
    assert facts["budgets"]["frame, mean"]["kind"] == "counted under emulation"
    assert " us " not in out
    page = files.html.read_text()
    assert "By stage and layer, in instructions" in page
    assert "network.gru1" in page


def test_what_has_no_verdict_is_not_reported_as_one(capsys, tmp_path: Path) -> None:
    code, out, err = run(capsys, "bench", "--html", str(tmp_path / "page.html"))
    assert (code, out) == (2, "")
    assert "which host_x86_64 has not got" in err
    assert "run bench --target host_x86_64" in err


def test_bench_holds_a_board_to_its_budgets_of_the_worst_frame(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, err = run(capsys, "bench", "--target", BOARD)
    assert code == 0, err
    assert re.search(r"^frame instructions +[1-9]", out, re.MULTILINE)
    assert "network.gru1" not in out, "layers are drawn, and not listed too"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This computer in the device map, and a second of frames where it measures."""
    monkeypatch.setenv(MAP_SETTING, str(tmp_path / "devices.toml"))
    monkeypatch.setenv("PN_ROUNDS", "1")
    save_device(Device("here", HERE))


@pytest.mark.usefixtures("here")
def test_bench_of_a_device_reports_what_its_layers_cost(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    files = files_in(tmp_path)
    code, _, err = run(capsys, "bench", "--device", "here", *files.options())
    assert code in (0, 1), err  # invalid where this machine was busy meanwhile
    facts = json.loads(files.json.read_text())
    assert facts["device"] == "here"
    assert facts["layers"]["network.gru1"] > 0
    assert "By stage and layer, in us" in files.html.read_text()


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("verb", "words", "said"),
    [
        ("bench", ["--isa", "square"], "instruction set `square`"),
        ("bench", ["--cluster", "huge"], "no cluster of cores `huge`"),
        ("profile", ["--isa", "square"], "instruction set `square`"),
    ],
)
def test_what_a_device_cannot_do_is_told(capsys, verb: str, words: list[str], said: str) -> None:
    code, out, err = run(capsys, verb, "--device", "here", *words)
    assert (code, out) == (2, "")
    assert said in err


@pytest.mark.usefixtures("here")
def test_a_device_that_is_shown_tells_its_state(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "devices", "show", "here")
    assert code == 0
    assert "\nkernel: Linux " in out and out.endswith("\nit is ready\n")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--soak", "ten"], "`ten` is no duration"),
        (["--soak", "0s"], "`0s` is no duration"),
        (["--soak", "9m", "bench"], "leave out `bench`"),
        (["--htlm", "x"], "--htlm"),
        (["--compare", "none.json"], "no such file: none.json"),
        (["--compare", "pyproject.toml"], "not the results of an earlier run"),
    ],
)
def test_wrong_use_is_told_before_anything_runs(capsys, words: list[str], complaint: str) -> None:
    code, out, err = run(capsys, "run", "--target", HERE, *words)
    assert (code, out) == (2, "")
    assert complaint in err


def test_this_computer_gets_times_at_real_pace(paced_run: Run) -> None:
    outcome = outcome_of(paced_run, load_target(HERE), None)
    figures = {figure.key: figure for figure in outcome.figures}
    share, worst = figures["frame.paced.core"], figures["frame.paced.max"]
    assert 0.01 < share.value < 50
    assert (share.unit, share.kind) == ("%", "measured on the device")
    assert figures["frame.paced.p50"].value <= figures["frame.paced.p999"].value <= worst.value
    assert "packet.paced.core" in figures
    assert 2_000 < figures["memory.stack"].value < 100_000
    assert paced_run.before["kernel"].startswith("Linux ")


def judged(run: Run, **limits: float) -> Outcome:
    """The verdict of this computer against other budgets than it has."""
    target = dataclasses.replace(load_target(HERE), budgets=Budgets(**limits))
    return outcome_of(run, target, None)


def test_times_within_and_beyond_budgets(paced_run: Run) -> None:
    calm = dataclasses.replace(paced_run, before={}, after={})
    assert judged(calm, core_percent=100, p999_us=1e9).verdict.word == PASS
    beyond = judged(calm, core_percent=1e-4, state_bytes=1_000_000)
    assert beyond.verdict.word in (FAIL, INVALID)  # invalid where this machine was busy meanwhile
    assert "core percent:" in beyond.verdict.reasons[-1]
    assert judged(calm, state_bytes=1).verdict.word == FAIL


def test_budgets_are_of_the_targets_own_model(paced_run: Run) -> None:
    target = dataclasses.replace(load_target(HERE), budgets=Budgets(state_bytes=1))
    assert outcome_of(paced_run, target, None).budgets
    assert not outcome_of(paced_run, target, None, own_model=False).budgets


def test_budgets_of_time_that_nothing_was_measured_for_are_said_to_be_open(
    paced_run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    emulated = dataclasses.replace(paced_run, emulated=True, before={}, after={})
    outcome = judged(emulated, core_percent=1e-4, state_bytes=1_000_000)
    assert outcome.verdict.word == PASS
    told = "core percent: an emulator's times mean nothing"
    show(outcome, None)
    assert f"not judged: {told}" in capsys.readouterr().err
    assert told in html.unescape(render_html(page_facts(outcome, None)))


def test_devices_that_could_not_be_used_are_errors_each_by_its_name(tmp_path: Path) -> None:
    gone = [
        Run(name, HERE, 0.1, "bench", error=DeviceError(f"{name} is gone", hint="find it"))
        for name in ("one", "two")
    ]
    with pytest.raises(DeviceError, match="2 of 2 devices could not be used") as caught:
        require_passed(gone, [None, None])
    assert caught.value.hint.splitlines()[::2] == ["one: one is gone", "two: two is gone"]
    path = tmp_path / "run.xml"
    Reports(None, path, None, None).write(gone, [None, None])
    for suite, name in zip(xml.parse(path).getroot(), ("one", "two"), strict=True):
        assert (suite.get("name"), suite.get("errors")) == (name, "1")
        assert f"{name} is gone\nfind it" in suite.find("testcase/error").get("message")


def test_a_throttled_run_is_an_error_and_no_failure_everywhere(
    capsys: pytest.CaptureFixture[str], paced_run: Run
) -> None:
    hot = dataclasses.replace(paced_run, after={"disturbed": "the device throttles: status 3"})
    outcome = judged(hot, core_percent=100, state_bytes=1_000_000)
    with pytest.raises(CheckFailed) as failed:
        require_passed([hot], [outcome])
    assert failed.value.exit_code == 1
    assert failed.value.message == "bench on host_x86_64: invalid"
    assert "invalid" in capsys.readouterr().out
    suite = xml.fromstring(render_junit([suite_of(outcome)]))[0]
    assert (suite.get("failures"), suite.get("errors")) == ("0", "2")
    assert as_json(outcome)["passed"] is False
    page = render_html(page_facts(outcome, None))
    assert 'class="verdict invalid"' in page
    assert "the device throttles: status 3" in page


HOSTILE = r"""#!/bin/sh
e=$(printf '\033') bell=$(printf '\007') turn=$(printf '\342\200\256')
echo "PN_BOOT run=$PN_RUN fw=<script>alert(1)</script> model=$e[2J isa=x\"onload=\"y"
echo "PN_TEST name=$e]0;owned$bell result=pass note=<img/src=x> bidi=$turn"
echo "PN_BENCH name=[bold]frame mode=$e[31m n=1 p50_ns=5 out_crc=\"><b>"
echo "PN_MEMORY state=1 stack=1"
printf 'a remark \033[2J ]]> \000 \377\n'
echo "PN_DONE bad=0"
"""


@pytest.fixture
def hostile(tmp_path: Path) -> Outcome:
    """A real program's words, through a real channel."""
    program = tmp_path / "hostile"
    program.write_text(HOSTILE)
    program.chmod(0o755)
    build(HERE)
    target = load_target(HERE)
    with start_program(make_runner(target), program, [], {}) as session:
        report = read_report(session.lines(), session.run_id)
        code = session.close()
    run = Run(HERE, HERE, 0.1, "hostile", report=report, exit_code=code)
    return outcome_of(run, target, read_sizes(target))


class _Tags(html.parser.HTMLParser):
    """Collects tags, and what their attributes say."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


def test_the_terminal_shows_hostile_words_and_obeys_none(
    capsys: pytest.CaptureFixture[str], hostile: Outcome
) -> None:
    show(hostile, None)
    out, err = capsys.readouterr()
    for text in (out, err):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", text)
    assert "\\x1b]0;owned\\x07" in out
    assert "\\u202e" in out
    assert "[bold]frame" in out
    assert "model=\\x1b[2J" in err


def test_the_page_shows_hostile_words_and_obeys_none(hostile: Outcome) -> None:
    page = render_html(page_facts(hostile, None))
    found = _Tags(page)
    assert "script" not in found.tags
    assert not [name for name, _ in found.attributes if name.startswith("on")]
    assert all(value.startswith("data:") for name, value in found.attributes if name == "src")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", page)


def test_the_figures_of_hostile_words_are_json_without_control_characters(
    hostile: Outcome, tmp_path: Path
) -> None:
    ended = DeviceError("said \x1b]0;owned\x07 \u202e and \udcff", hint="\x9b2J")
    broken = dataclasses.replace(hostile.run, where="na\x1bme", error=ended)
    path = tmp_path / "run.json"
    Reports(path, None, None, None).write([hostile.run, broken], [hostile, None])
    text = path.read_bytes()
    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f-\xff]", text)
    good, bad = json.loads(text, parse_constant=pytest.fail)
    assert good["tests"][0]["name"] == "\x1b]0;owned\x07"
    assert (bad["device"], bad["error"]) == ("na\x1bme", ended.message)


def test_junit_stays_well_formed_whatever_is_said(hostile: Outcome) -> None:
    (suite,) = xml.fromstring(render_junit([suite_of(hostile)]))
    assert suite[1].get("name") == r"test \x1b]0;owned\x07"
    assert "]]>" in suite.find("system-out").text
    assert "\\x00" in suite.find("system-out").text
