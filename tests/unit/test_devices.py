"""The device map and what is connected: names, ids and states become clear words."""

import dataclasses
import json
import os
import sys
from pathlib import Path

import pytest
import serial.tools.list_ports
from pyocd.core.helpers import ConnectHelper
from serial.tools.list_ports_common import ListPortInfo

from kit import build as building
from kit import cli, process
from kit.device import Device, device_for, load_device, load_devices, map_path, save_device
from kit.device.adb import parse_devices
from kit.device.found import READY
from kit.device.map import MAP_SETTING
from kit.device.port import find_port, serial_ports
from kit.device.runtime import runtime_folder
from kit.errors import DeviceError, KitError
from kit.runner import make_runner
from kit.target import load_target

BOARD = "mps3_an547"


@pytest.fixture(autouse=True)
def device_map(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty device map."""
    path = tmp_path / "folder" / "devices.toml"
    monkeypatch.setenv(MAP_SETTING, str(path))
    return path


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = cli.main(words)
    out, err = capsys.readouterr()
    return code, out, err


def test_the_map_is_in_the_users_configuration_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(MAP_SETTING)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert map_path() == tmp_path / "percepnet" / "devices.toml"


def test_a_device_is_read_as_it_was_saved() -> None:
    device = Device("nucleo", "nucleo_h743zi", serial="0483:374b:0669", probe="0669", baud=921600)
    save_device(device)
    assert load_device("nucleo") == device
    assert device.runner_name == "probe"


def test_comments_and_other_devices_survive_a_change(device_map: Path) -> None:
    device_map.parent.mkdir()
    device_map.write_text('# mine\n[a]  # old phone\ntarget = "x"\nadb = "1"\n')
    save_device(Device("b.1", "y", ssh="pi"))
    save_device(Device("b.1", "y", ssh="pi2"))
    assert device_map.read_text().startswith('# mine\n[a]  # old phone\ntarget = "x"\n')
    assert load_devices() == {"a": Device("a", "x", adb="1"), "b.1": Device("b.1", "y", ssh="pi2")}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[a]\ntarget = "x"\nadbb = "1"\n', "unknown key `a.adbb`"),
        ('[a]\ntarget = "x"\nbaud = "1"\n', "`a.baud` must be a whole number, not '1'"),
        ('[a]\nadb = "1"\n', "key `a.target` is missing"),
        ('adb = "1"\n', "`adb` stands outside of a device's table"),
        ("[a\n", "not valid TOML"),
        ('[a]\nt = 1\nadb = "1"\ntarget = "x"\nadb = "1"\n', "not valid TOML"),
        (f"[a]\nbaud = {'9' * 5000}\n", "not valid TOML"),
        ('["a b"]\ntarget = "x"\n', "`a b` cannot be the name of a device"),
    ],
)
def test_a_mistake_in_the_map_names_the_file_and_exits_2(
    capsys, device_map: Path, text: str, words: str
) -> None:
    device_map.parent.mkdir()
    device_map.write_text(text)
    code, _, err = run(capsys, "devices")
    assert code == 2
    assert words in err
    assert str(device_map) in err or "cannot be the name" in words


def test_a_map_that_is_no_file_is_told(capsys, device_map: Path) -> None:
    device_map.mkdir(parents=True)
    code, _, err = run(capsys, "devices")
    assert code == 2
    assert "cannot be read" in err


def test_add_show_list_and_remove(capsys) -> None:
    assert run(capsys, "devices", "add", "board", "--target", BOARD)[0] == 0
    code, out, _ = run(capsys, "devices", "show", "board")
    assert (code, out.splitlines()[-1]) == (0, "it is ready")
    assert "board" in run(capsys, "devices")[1]
    assert run(capsys, "devices", "remove", "board")[0] == 0
    assert load_devices() == {}


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["add", "b", "--target", "mps3"], "unknown target `mps3`"),
        (["add", "b", "--target", BOARD, "--runner", "x"], "device `b`: `runner` names `x`"),
        (["add", "b c", "--target", BOARD], "cannot be the name of a device"),
        (["show", "boart"], "did you mean `board`?"),
        (["remove", "boart"], "did you mean `board`?"),
    ],
)
def test_mistakes_exit_2_and_change_nothing(capsys, command: list[str], words: str) -> None:
    save_device(Device("board", BOARD))
    code, _, err = run(capsys, "devices", *command)
    assert code == 2
    assert words in err
    assert list(load_devices()) == ["board"]


def test_run_finds_a_device_by_name_and_refuses_an_unknown_one(capsys) -> None:
    save_device(Device("board", BOARD))
    code, _, err = run(capsys, "run", "--device", "boart")
    assert code == 2
    assert "unknown device `boart`" in err
    assert "did you mean `board`?" in err


def test_a_device_is_not_taken_for_another_target() -> None:
    with pytest.raises(DeviceError, match="is a `mps2_an500`, not a `mps3_an547`"):
        make_runner(load_target(BOARD), Device("board", "mps2_an500"))


def test_a_device_that_cannot_be_reached_is_refused() -> None:
    target = dataclasses.replace(load_target(BOARD), runner="")
    with pytest.raises(DeviceError, match="does not say how `board` is reached"):
        make_runner(target, Device("board", BOARD))


def test_the_times_of_a_device_that_is_an_emulator_mean_nothing() -> None:
    target = load_target("host_x86_64")
    assert make_runner(target, Device("here", target.name)).capabilities.realtime
    emulated = Device("there", target.name, emulated=True)
    assert not make_runner(target, emulated).capabilities.realtime


def test_the_only_device_of_a_target_is_taken_and_two_are_asked_about() -> None:
    target = load_target(BOARD)
    with pytest.raises(DeviceError, match="device map has none"):
        device_for(target)
    save_device(Device("a", BOARD, gdb="localhost:3333"))
    save_device(Device("other", "mps2_an500", gdb="localhost:3333"))
    assert device_for(target).name == "a"
    save_device(Device("b", BOARD, gdb="localhost:3334"))
    with pytest.raises(DeviceError, match="2 devices are of target") as caught:
        device_for(target)
    assert "--device a" in caught.value.hint


def test_states_of_adb_become_words_and_a_next_step() -> None:
    found = parse_devices(
        "* daemon started successfully\n"
        "List of devices attached\n"
        "33271FDH2000AB         device usb:1-1 product:oriole model:Pixel_6 device:oriole\n"
        "R5CR30ABCDE            unauthorized usb:1-2\n"
        "emulator-5554          offline\n"
        "0123456789ABCDEF       no permissions (missing udev rules?); see [http://...] usb:1-3\n"
        "newstate               rescue\n"
        "\n"
    )
    states = {one.address: (one.what, one.state) for one in found}
    assert states == {
        "33271FDH2000AB": ("Pixel 6", READY),
        "R5CR30ABCDE": ("Android device", "does not trust this computer yet"),
        "emulator-5554": ("Android device", "is connected but does not answer"),
        "0123456789ABCDEF": ("Android device", "may not be used by this account"),
        "newstate": ("Android device", "is in the state `rescue`"),
    }
    assert all(bool(one.hint) == (one.state != READY) for one in found)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/dev/serial/by-id/none", "is not there"),
        ("1209:0001:none", "no serial port with the USB id `1209:0001:none` is plugged in"),
    ],
)
def test_a_serial_port_that_is_not_there_says_so(address: str, words: str) -> None:
    with pytest.raises(DeviceError, match=words) as caught:
        find_port(address)
    assert "devices detect" in caught.value.hint


def test_a_serial_port_may_be_a_path_or_url(tmp_path: Path) -> None:
    line = tmp_path / "line"
    line.touch()
    assert find_port(str(line)) == str(line)
    assert find_port("socket://127.0.0.1:5000") == "socket://127.0.0.1:5000"


def usb_port(path: Path, serial_number: str | None) -> ListPortInfo:
    """A port as pyserial lists it: a line that is there as a file."""
    path.touch()
    port = ListPortInfo(str(path), skip_link_detection=True)
    port.vid, port.pid, port.serial_number = 0x0483, 0x374B, serial_number
    port.manufacturer, port.product = "ST", "STLink"
    return port


def test_boards_of_one_kind_are_told_apart_by_their_serial_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports = [usb_port(tmp_path / "a", "066E"), usb_port(tmp_path / "b", None)]
    monkeypatch.setattr(serial.tools.list_ports, "comports", lambda: ports)
    assert find_port("0483:374B:066e") == str(tmp_path / "a")
    with pytest.raises(DeviceError, match="2 serial ports are `0483:374b`: .*a, .*b"):
        find_port("0483:374b")
    with pytest.raises(DeviceError, match="no serial port with the USB id `0483:374b:1`"):
        find_port("0483:374b:1")
    found = [(one.address, one.what) for one in serial_ports()]
    assert found == [
        ("0483:374b:066E", f"ST STLink on {tmp_path / 'a'}"),
        ("0483:374b", f"ST STLink on {tmp_path / 'b'}"),
    ]
    monkeypatch.setattr(process, "dry_run", True)
    assert find_port("0483:374b:1") == "0483:374b:1"


def test_where_nothing_looks_for_devices_what_would_is_named(
    capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setitem(sys.modules, "pyocd", None)  # what Python knows not to be there
    monkeypatch.setattr(serial.tools.list_ports, "comports", lambda: [])
    code, _, err = run(capsys, "devices", "detect")
    assert code == 2
    assert "no phones were looked for: install it: sudo apt-get install -y adb" in err
    assert "no debug probes were looked for: install pyOCD: pip install pyocd" in err
    assert "nothing is connected" in err


def test_what_is_found_comes_with_its_name_or_the_line_that_adds_it(
    capsys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports = [usb_port(tmp_path / "a", "066E"), usb_port(tmp_path / "b", "0123")]
    adb = tmp_path / "adb"
    adb.write_text("#!/bin/sh\necho 'R5CR30ABCDE  unauthorized usb:1-2'\n")
    adb.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(serial.tools.list_ports, "comports", lambda: ports)
    save_device(Device("nucleo", "nucleo_h743zi", serial="0483:374b:066E"))
    path = tmp_path / "found.json"
    code, out, err = run(capsys, "devices", "detect", "--json", str(path))
    assert code == 0
    rows = {line.split()[1]: line.split() for line in out.splitlines()[1:]}
    assert rows["0483:374b:066E"][-1] == "nucleo" and rows["0483:374b:0123"][-1] == "ready"
    assert "devices add NAME --target TARGET --serial 0483:374b:0123" in err
    assert "--serial 0483:374b:066E" not in err
    assert "R5CR30ABCDE: unlock it and accept the question" in err
    assert {one["address"] for one in json.loads(path.read_text())} >= set(rows)


def test_trouble_of_the_library_that_looks_for_probes_is_told(
    capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unable(**_options: object) -> None:
        raise OSError("no USB here")

    monkeypatch.setattr(ConnectHelper, "get_all_connected_probes", unable)
    code, _, err = run(capsys, "devices", "detect")
    assert code == 2
    assert "pyOCD cannot look for debug probes: no USB here" in err


def test_flashing_what_takes_no_flashing_is_a_clear_mistake(
    capsys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything was built, too."""
    monkeypatch.setattr(building, "BUILD", tmp_path)
    code, _, err = run(capsys, "flash", "--target", BOARD)
    assert code == 2
    assert "nothing to flash" in err


def test_no_runner_of_that_name_is_an_error() -> None:
    with pytest.raises(KitError, match="`runner` names `warp`"):
        make_runner(load_target(BOARD), Device("board", BOARD, runner="warp"))


def test_all_of_no_devices_is_told(capsys) -> None:
    code, _, err = run(capsys, "run", "--device", "all")
    assert code == 2
    assert "the device map is empty" in err
    assert "devices detect" in err


def test_the_list_of_devices_is_written_for_programs(capsys, tmp_path: Path) -> None:
    path = tmp_path / "devices.json"
    code, _, err = run(capsys, "devices", "list", "--json", str(path))
    assert code == 0 and "no devices in" in err
    assert json.loads(path.read_text()) == []
    save_device(Device("pi", "raspberry_pi_4", ssh="pi"))
    assert run(capsys, "devices", "list", "--json", str(path))[0] == 0
    [listed] = json.loads(path.read_text())
    assert (listed["name"], listed["target"], listed["ssh"]) == ("pi", "raspberry_pi_4", "pi")


def test_what_is_for_devices_alone_says_so(capsys, tmp_path: Path) -> None:
    sound = str(tmp_path / "in.wav")
    for words, told in (
        (
            ["denoise", sound, "out.wav", "--cluster", "big"],
            "--cluster and --json are for a device",
        ),
        (["bench", "--cluster", "big"], "--cluster is for devices"),
    ):
        code, _, err = run(capsys, *words)
        assert code == 2
        assert told in err
    assert os.listdir(tmp_path) == []


def test_an_unknown_device_is_answered_with_those_there_are() -> None:
    with pytest.raises(DeviceError) as caught:
        load_device("pi")
    assert "the device map is empty" in str(caught.value)
    save_device(Device("nucleo", "nucleo_h743zi", serial="0483:374b:0669"))
    with pytest.raises(DeviceError) as caught:
        load_device("pi")
    assert "known: nucleo" in str(caught.value)


def test_a_runtime_folder_that_others_may_write_in_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else somebody could put a socket of theirs in the place of ours."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    folder = runtime_folder()
    assert folder == runtime_folder() == tmp_path / "percepnet"
    folder.chmod(0o722)
    with pytest.raises(KitError, match="yours alone"):
        runtime_folder()
    folder.rmdir()
    folder.symlink_to(tmp_path)
    with pytest.raises(KitError, match="yours alone"):
        runtime_folder()
