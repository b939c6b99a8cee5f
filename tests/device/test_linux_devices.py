"""Phones over adb, boards over ssh: programs arrive whole, every fault is told as what it is.

The devices are stand-ins of real parts (stand_ins/): adbd 34 and dropbear in an AArch64 root.
"""

import contextlib
import dataclasses
import hashlib
import itertools
import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from kit import cli, process
from kit.build import HOST_TARGET, build, program_path
from kit.codegen.blob import render_blob
from kit.codegen.weights import find_packing
from kit.device import Device, load_device, save_device
from kit.device.map import MAP_SETTING
from kit.device.runtime import runtime_folder
from kit.devtest.protocol import read_report
from kit.errors import DeviceError
from kit.model.import_ import Model, load_model
from kit.model.quantise import quantise
from kit.model.random_model import random_weights
from kit.paths import MODELS, ROOT
from kit.runner import _shell, make_runner, open_session
from kit.runner._shell import ShellRunner, ShellStarted
from kit.target import load_target
from kit.update import update_weights
from kit.verbs import denoise
from tests.device.stand_ins import board as board_module
from tests.device.stand_ins import phone as phone_module
from tests.device.stand_ins.board import Board
from tests.device.stand_ins.machine import Machine
from tests.device.stand_ins.phone import Phone

TARGET = "qemu_aarch64"
STORAGE = {"phone": phone_module.STORAGE, "board": board_module.STORAGE}
MEBIBYTE = 1 << 20
DEVICES = ("phone", "board")


@pytest.fixture(scope="module")
def phone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Phone]:
    with Phone(tmp_path_factory.mktemp("phone")) as machine:
        yield machine


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    with Board(tmp_path_factory.mktemp("board")) as machine:
        yield machine


@pytest.fixture(autouse=True)
def desk(phone: Phone, board: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A device map with both, and the clients that reach them."""
    monkeypatch.setenv(MAP_SETTING, str(tmp_path / "devices.toml"))
    for machine in (phone, board):
        monkeypatch.setenv("PATH", str(machine.programs), prepend=":")
    save_device(Device("phone", TARGET, adb=phone.serial, emulated=True))
    save_device(Device("board", TARGET, ssh="board", emulated=True))
    save_device(Device("behind", TARGET, ssh="behind", emulated=True))


@pytest.fixture(scope="module")
def selftest() -> Path:
    build(TARGET)
    return program_path(load_target(TARGET), "selftest")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits for a silent device are short."""
    monkeypatch.setattr(_shell, "COMMAND_TIMEOUT_S", 8.0)
    monkeypatch.setattr(_shell, "STALL_TIMEOUT_S", 8.0)


@pytest.fixture(params=DEVICES)
def machine(request: pytest.FixtureRequest) -> Machine:
    return request.getfixturevalue(request.param)


def runner_of(machine: Machine) -> ShellRunner:
    name = "phone" if isinstance(machine, Phone) else "board"
    return make_runner(load_target(TARGET), load_device(name))


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = cli.main(words)
    out, err = capsys.readouterr()
    return code, out, err


def files_on(machine: Machine) -> dict[str, int]:
    """Names and sizes in our folder on a device."""
    folder = runner_of(machine).folder
    listed = machine.run(f"cd {folder} && stat -c '%n %s' * .??* 2>/dev/null", check=False)
    return {name: int(size) for name, size in (line.split() for line in listed.splitlines())}


def content_on(machine: Machine, name: str) -> str:
    """SHA-256 of a file in our folder on a device."""
    return machine.run(f"sha256sum {runner_of(machine).folder}/{name}").split()[0]


def random_bytes(count: int, seed: int = 1) -> bytes:
    return np.random.default_rng(seed).bytes(count)


@contextlib.contextmanager
def replugged(machine: Machine) -> Iterator[None]:
    """Whatever happens to a device inside, it is connected again afterwards."""
    try:
        yield
    finally:
        machine.unplug()
        machine.plug_in()


@pytest.mark.parametrize("name", DEVICES)
def test_a_program_is_flashed_and_run_to_its_verdict(capsys, name: str, tmp_path: Path) -> None:
    code, out, err = run(capsys, "flash", "--device", name)
    assert (code, out) == (0, f"selftest is on {name}, and verified\n"), err
    results = tmp_path / "run.json"
    code, out, err = run(capsys, "run", "--device", name, "--json", str(results))
    assert code == 0, err
    assert f"selftest+bench on {name}: 7 tests passed" in out
    facts = json.loads(results.read_text())
    assert facts["passed"] is True
    assert facts["before"]["kernel"].startswith("Linux ")
    assert "not told" in facts["after"]["clocks"]


def test_a_board_behind_a_jump_host_is_reached_as_ssh_is_configured(board: Board) -> None:
    runner = make_runner(load_target(TARGET), load_device("behind"))
    runner.put(b"through", "jumped")
    assert files_on(board)["jumped"] == len(b"through")


def test_what_is_there_already_is_not_sent_again(machine: Machine) -> None:
    data = random_bytes(MEBIBYTE)
    runner = runner_of(machine)
    runner.put(data, "blob")
    inode = machine.run(f"stat -c %i {runner.folder}/blob")
    seen: list[float] = []
    runner.put(data, "blob", seen.append)
    assert machine.run(f"stat -c %i {runner.folder}/blob") == inode
    assert seen == [1.0]


def test_an_interrupted_write_goes_on_where_it_stopped(machine: Machine) -> None:
    data = random_bytes(MEBIBYTE, seed=2)
    runner = runner_of(machine)
    runner.put(data[: MEBIBYTE // 2], "whole.part")
    seen: list[float] = []
    runner.put(data, "whole", seen.append)
    assert seen[0] == 0.5
    assert files_on(machine)["whole"] == MEBIBYTE
    assert "whole.part" not in files_on(machine)


def test_rubbish_of_an_interrupted_write_is_written_over(machine: Machine) -> None:
    data = random_bytes(MEBIBYTE, seed=3)
    runner = runner_of(machine)
    runner.put(random_bytes(1000), "good.part")
    runner.put(data, "good")
    runner.put(data, "copy")
    assert content_on(machine, "good") == content_on(machine, "copy")


def test_bytes_that_change_on_the_way_replace_nothing(machine: Machine) -> None:
    runner = runner_of(machine)
    runner.put(b"good", "kept")
    before = content_on(machine, "kept")
    with pytest.raises(DeviceError, match="holds other bytes than were sent"):
        runner._send(b"bad!", 0, "kept", "0" * 64, "644", lambda _share: None)
    assert content_on(machine, "kept") == before
    assert "kept.part" not in files_on(machine)


@pytest.mark.usefixtures("impatient")
def test_a_device_that_vanishes_during_a_write_keeps_what_it_had(machine: Machine) -> None:
    runner = runner_of(machine)
    runner.put(b"old", "precious")
    before = content_on(machine, "precious")
    data = random_bytes(6 * MEBIBYTE, seed=4)

    def unplug_midway(share: float) -> None:
        if 0.3 < share < 1.0:
            machine.unplug()

    with replugged(machine), pytest.raises(DeviceError) as caught:
        runner.put(data, "precious", unplug_midway)
    assert "the line to" in caught.value.message
    assert caught.value.hint
    assert content_on(machine, "precious") == before
    runner.put(data, "precious")
    assert files_on(machine)["precious"] == len(data)


@pytest.mark.usefixtures("impatient", "selftest")
def test_a_device_that_vanishes_during_a_run_has_not_passed(machine: Machine) -> None:
    runner = runner_of(machine)
    with replugged(machine):
        with (
            pytest.raises(DeviceError, match="the line to") as caught,
            open_session(runner, "selftest", rebuild=False) as session,
        ):
            lines = session.lines()
            boot = next(lines)
            machine.unplug()
            read_report(itertools.chain([boot], lines), session.run_id)
        assert caught.value.hint
    with open_session(runner, "selftest", rebuild=False) as session:
        assert read_report(session.lines(), session.run_id).passed
    assert machine.run("ps").count("./selftest") == 0
    assert not [name for name in files_on(machine) if name.endswith(".pid")]


@pytest.mark.usefixtures("selftest")
def test_a_program_that_is_killed_here_ends_there(machine: Machine) -> None:
    session = open_session(runner_of(machine), "denoise_stream", rebuild=False)
    next(session.lines())
    assert machine.run("ps").count("./denoise_stream") > 0
    session.kill()
    assert machine.run("ps").count("./denoise_stream") == 0


def full_disk(machine: Machine, folder: str) -> None:
    machine.fill(folder, 200)


def read_only_disk(machine: Machine, folder: str) -> None:
    machine.fill(folder, 200)
    machine.write_protect(folder)


@pytest.mark.parametrize(
    ("break_it", "words"),
    [(full_disk, "No space left on device"), (read_only_disk, "Read-only file system")],
)
def test_a_disk_that_takes_nothing_is_told(
    capsys, machine: Machine, selftest: Path, break_it: Callable[[Machine, str], None], words: str
) -> None:
    name = "phone" if isinstance(machine, Phone) else "board"
    break_it(machine, STORAGE[name])
    try:
        code, out, err = run(capsys, "flash", "--device", name)
        assert not [left for left in files_on(machine) if left.endswith(".part")]
    finally:
        machine.unmount(STORAGE[name])
    assert code == 2
    assert words in err
    assert "`folder` in the device map" in err
    assert out == ""
    runner_of(machine).flash(selftest)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("name", DEVICES)
def test_a_device_that_is_gone_is_told(capsys, name: str, request) -> None:
    machine = request.getfixturevalue(name)
    with replugged(machine):
        machine.unplug()
        code, out, err = run(capsys, "flash", "--device", name)
    assert code == 2
    assert out == ""
    assert any(words in err for words in ("does not answer", "no ssh server", "does not see"))


def test_a_phone_that_is_silent_is_not_waited_for_long(
    phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_shell, "COMMAND_TIMEOUT_S", 1.0)
    with replugged(phone):
        phone.kill("adbd", "STOP")
        with pytest.raises(DeviceError, match="device `phone` does not answer"):
            runner_of(phone).put(b"data", "file")


def test_a_phone_that_adb_does_not_know_is_told(capsys) -> None:
    save_device(Device("other", TARGET, adb="33271FDH2000AB"))
    code, _, err = run(capsys, "run", "--device", "other")
    assert code == 2
    assert "adb does not see `33271FDH2000AB`" in err
    assert "connected is: 127.0.0.1:5601" in err


def test_detect_finds_the_phone_under_its_name(capsys) -> None:
    code, out, _ = run(capsys, "devices", "detect")
    assert code == 0
    assert any("127.0.0.1:5601" in line and "phone" in line for line in out.splitlines())


def test_a_board_that_lets_us_in_no_more_says_how_to_get_in(capsys, board: Board) -> None:
    board.unplug()
    board.revoke_client()
    board.plug_in()
    try:
        code, _, err = run(capsys, "run", "--device", "board")
    finally:
        board.allow_client()
    assert code == 2
    assert "does not let this computer in" in err
    assert "ssh-copy-id board" in err


def test_a_board_with_another_host_key_is_not_talked_to(capsys, board: Board) -> None:
    board.unplug()
    board.new_host_key()
    board.plug_in()
    try:
        code, _, err = run(capsys, "run", "--device", "board")
    finally:
        board.trust_host_key()
    assert code == 2
    assert "its host key is another" in err
    assert "ssh-keygen -R board" in err


def test_a_device_is_used_by_one_at_a_time(capsys) -> None:
    script = (
        "from kit.device import load_device; from kit.device.claim import claimed; import sys\n"
        "with claimed(load_device('phone')): print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with holder:
        assert holder.stdout.readline() == b"held\n"
        code, _, err = run(capsys, "flash", "--device", "phone")
        holder.stdin.close()
    assert code == 2
    assert f"device `phone` is busy: process {holder.pid} uses it" in err
    assert run(capsys, "flash", "--device", "phone")[0] == 0
    assert any(runtime_folder().glob("*.lock"))


@pytest.mark.usefixtures("selftest")
def test_several_devices_run_at_the_same_time_and_one_that_is_gone_spoils_no_other(
    capsys, phone: Phone, tmp_path: Path
) -> None:
    save_device(Device("gone", TARGET, adb="nowhere:5555"))
    results = tmp_path / "runs.json"
    words = ["--device", "phone", "--device", "board", "--device", "gone"]
    code, out, err = run(capsys, "run", *words, "--json", str(results))
    assert code == 2
    assert "selftest+bench on phone: 7 tests passed" in out
    assert "selftest+bench on board: 7 tests passed" in out
    assert "selftest+bench on gone" not in out
    assert "adb does not see `nowhere:5555`" in err
    passed = {facts["device"]: facts["passed"] for facts in json.loads(results.read_text())}
    assert passed == {"phone": True, "board": True, "gone": False}


def give_clusters(phone: Phone, allowed_khz: int = 0) -> None:
    """Have the stand-in's /sys hold what a phone's would; allowed_khz: of a clock held down."""
    policies = "/sys/devices/system/cpu/cpufreq"
    phone.run(
        "mkdir -p /sys/class/thermal/thermal_zone0; cd /sys/class/thermal/thermal_zone0\n"
        "echo 41500 >temp; echo skin >type\n"
        f"for cpu in 0 1; do mkdir -p {policies}/policy$cpu; cd {policies}/policy$cpu\n"
        "echo $cpu >related_cpus; echo schedutil >scaling_governor; echo 800000 >scaling_cur_freq\n"
        "echo 180000$cpu >cpuinfo_max_freq\n"
        f"echo {allowed_khz or '180000$cpu'} >scaling_max_freq; done"
    )


def test_times_of_a_phone_whose_clock_is_held_down_are_invalid(
    capsys, phone: Phone, tmp_path: Path
) -> None:
    save_device(Device("hot", TARGET, adb=phone.serial))
    files = [tmp_path / "hot.json", tmp_path / "hot.xml"]
    give_clusters(phone, allowed_khz=600_000)
    try:
        words = ["--json", str(files[0]), "--junit", str(files[1])]
        code, out, err = run(
            capsys, "run", "--soak", "1s", "--device", "hot", "--pin", "big", *words
        )
    finally:
        phone.run("rm -r /sys/devices /sys/class")
    assert code == 1
    assert "soak on hot: invalid" in err
    assert "cluster big may run at 600 of 1800 MHz only" in err
    facts = json.loads(files[0].read_text())
    assert (facts["verdict"], facts["passed"]) == ("invalid", False)
    assert facts["before"]["temperature skin"] == "41.5 °C"
    assert b'errors="1"' in files[1].read_bytes()


def test_a_recording_comes_back_with_the_bytes_of_this_computer_from_each_cluster(
    capsys, phone: Phone, tmp_path: Path
) -> None:
    sound, rate = soundfile.read(ROOT / "kit/demo/noisy.flac", frames=48_000, dtype="int16")
    soundfile.write(tmp_path / "in.wav", sound, rate)
    facts = tmp_path / "facts.json"
    give_clusters(phone)
    try:
        code, out, err = run(
            capsys,
            *("denoise", str(tmp_path / "in.wav"), str(tmp_path / "out.wav")),
            *("--device", "phone", "--json", str(facts)),
        )
        wrong, _, complaint = run(capsys, "run", "--device", "phone", "--cluster", "huge")
    finally:
        phone.run("rm -r /sys/devices /sys/class")
    assert code == 0, err
    assert "phone (little) and this computer gave the same 96000 bytes" in out
    assert "phone (big) and this computer gave the same 96000 bytes" in out
    runs = json.loads(facts.read_text())
    assert [entry["where"] for entry in runs] == ["phone (little)", "phone (big)"]
    assert runs[0]["before"]["cluster big"] == "cpu 1; 800 of 1800 MHz; governor schedutil"
    assert runs[1]["after"]["temperature skin"] == "41.5 °C"
    assert soundfile.info(tmp_path / "out.wav").frames == 48_000
    assert wrong == 2
    assert "clusters: little, big" in complaint


def test_a_dry_run_shows_every_command_and_does_nothing(
    capsys, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, phone: Phone
) -> None:
    phone.run(f"rm -rf {runner_of(phone).folder}")
    monkeypatch.setattr(process, "dry_run", False)
    with caplog.at_level("INFO", logger="kit.process"):
        code, out, _ = run(capsys, "flash", "--device", "phone", "--dry-run")
    assert code == 0
    assert "nothing was done" in out
    shown = "\n".join(caplog.messages)
    for words in ("adb devices -l", "SCons", "cat >selftest.part", "mv -f selftest.part selftest"):
        assert words in shown
    assert all(message.startswith("(dry run) ") for message in caplog.messages)
    assert files_on(phone) == {}


def test_two_threads_may_use_two_devices(phone: Phone, board: Board) -> None:
    data = random_bytes(2 * MEBIBYTE, seed=5)
    threads = [
        threading.Thread(target=runner_of(machine).put, args=(data, "both"))
        for machine in (phone, board)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert content_on(phone, "both") == content_on(board, "both")


def test_a_profile_on_a_device_is_its_measured_time(capsys, board: Board, tmp_path: Path) -> None:
    save_device(Device("real", TARGET, ssh="board"))
    results = tmp_path / "profile.json"
    code, out, err = run(capsys, "profile", "--device", "real", "--json", str(results))
    assert code == 0, err
    assert "measured time on the device: real, tiny, neondot, median of a frame" in out
    facts = json.loads(results.read_text())
    assert (facts["device"], facts["target"], facts["unit"]) == ("real", TARGET, "us")
    assert facts["before"]["kernel"].startswith("Linux ")
    assert facts["stages"]["network"] > facts["layers"]["network.gru1"] > 0
    assert facts["spread"]["pitch"]["p50"] <= facts["spread"]["pitch"]["max"]
    code, _, err = run(capsys, "profile", "--device", "real", "--cluster", "big")
    assert (code, "no cluster of cores `big`" in err) == (2, True)


def test_times_of_a_profile_of_a_clock_held_down_are_invalid(capsys, phone: Phone) -> None:
    save_device(Device("hot", TARGET, adb=phone.serial))
    give_clusters(phone, allowed_khz=600_000)
    try:
        code, _, err = run(capsys, "profile", "--device", "hot", "--cluster", "big")
    finally:
        phone.run("rm -r /sys/devices /sys/class")
    assert code == 0
    assert "hot: times are invalid: cluster little may run at 600 of 1800 MHz only" in err


def test_a_device_with_another_model_is_compared_with_itself_alone(
    capsys, monkeypatch: pytest.MonkeyPatch, phone: Phone, tmp_path: Path
) -> None:
    """Its clusters with each other; and how long a device took is told."""
    here = dataclasses.replace(load_target(HOST_TARGET), model="lite")
    monkeypatch.setattr(denoise, "load_target", lambda _name: here)
    save_device(Device("real", TARGET, adb=phone.serial))
    sound, rate = soundfile.read(ROOT / "kit/demo/noisy.flac", frames=960, dtype="int16")
    soundfile.write(tmp_path / "in.wav", sound, rate)
    give_clusters(phone)
    try:
        words = [str(tmp_path / "in.wav"), str(tmp_path / "out.wav"), "--device", "real"]
        code, out, err = run(capsys, "denoise", *words)
    finally:
        phone.run("rm -r /sys/devices /sys/class")
    assert code == 0, err
    assert out.startswith("real (big) and real (little) gave the same 1920 bytes")
    assert "this computer's library holds another model than qemu_aarch64" in err
    assert "real (little): 0.0 s of sound took" in err
    assert soundfile.info(tmp_path / "out.wav").frames == 960


def test_a_line_that_broke_and_is_back_is_told_so(board: Board) -> None:
    trouble = runner_of(board).lost("half a word\n")
    assert trouble.message == "the line to `board` broke"
    assert trouble.hint == "half a word\nit is back: try again"


def test_what_arrives_cut_short_is_told_and_stays_to_be_gone_on_with(board: Board) -> None:
    runner, data = runner_of(board), b"whole"
    wanted = hashlib.sha256(data).hexdigest()
    with pytest.raises(DeviceError, match="the line to `board` broke in the middle"):
        runner._send(data, 3, "cut", wanted, "644", lambda _share: None)
    assert files_on(board)["cut.part"] == 2


def test_output_that_ends_before_its_carrier_is_no_broken_line(board: Board, monkeypatch) -> None:
    monkeypatch.setattr(_shell, "END_TIMEOUT_S", 0.2)
    carrier = process.start(["sh", "-c", "exec >&-; exec sleep 60"])
    with tempfile.TemporaryFile() as complaints:
        started = ShellStarted(runner_of(board), carrier, complaints)
        assert started.channel.read_line(10) is None
        started.explain()
        assert carrier.poll() is None
        started.kill()


def test_no_time_is_told_of_a_device_that_is_emulated(capsys) -> None:
    code, out, err = run(capsys, "profile", "--device", "board")
    assert (code, out) == (2, "")
    assert "`board` is emulated: its times mean nothing" in err


def test_weights_are_replaced_while_the_program_stays(machine: Machine, selftest: Path) -> None:
    """An update that the line's end cut off goes on; then the device runs the new weights."""
    runner = runner_of(machine)
    arch = load_model(MODELS / f"{runner.target.model}.tflite").arch
    model = Model(random_weights(arch, 1), arch, {}, bytes(32))
    blob = render_blob(quantise(model), find_packing(runner.target.layout))

    def unplug_midway(share: float) -> None:
        if 0.7 < share < 1.0:
            machine.unplug()

    with replugged(machine), pytest.raises(DeviceError) as caught:
        update_weights(runner, blob, progress=unplug_midway)
    assert caught.value.hint
    update = update_weights(runner, blob)
    assert update.sent_from > 0.2 * len(blob)
    assert update_weights(runner, blob).sent_from is None
