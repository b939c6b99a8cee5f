"""Flashing over the STM32's ROM boot loader: what is written is right, whatever happens on the way.

The loader is a stand-in (stand_ins/stm32_rom.py) behind a pty; the port, the protocol, the flashing
are the real ones.
"""

import dataclasses
import errno
import itertools
import logging
import os
import random
import socket
from pathlib import Path

import pytest
import serial
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kit import process
from kit.codegen.linker import render_linker_script
from kit.device import Device
from kit.elf import Segment, read_image
from kit.errors import DeviceError
from kit.runner import make_runner
from kit.runner._board import lent_words
from kit.serialboot import WIRINGS, Flasher, Loader, SerialLine, Timeouts, load_chip, load_wiring
from kit.serialboot import loader as loaders
from kit.serialboot.chips import Chip, Page, known_chips
from kit.serialboot.loader import BLOCK_BYTES, ExchangeFailed
from kit.target import Memory, Target, load_target
from tests.device.stand_ins import protocol_wired
from tests.device.stand_ins.stm32_rom import Fault, Flash, Rom

START = 0x08000000
QUICK = Timeouts(sync_s=0.05, answer_s=0.15, write_s=0.15, erase_s=0.15, quiet_s=0.01)
FAULTS_AT_ONCE = 4
# More moments than writing IMAGE takes.
MOMENTS = 9000


def small_chip() -> Chip:
    """Few small pages of two sizes, so that a test takes a moment."""
    sizes = (1024, 1024, 2048)
    starts = (START, START + 1024, START + 2048)
    return Chip(
        0x999, "toy", tuple(Page(n, *at) for n, at in enumerate(zip(starts, sizes, strict=True)))
    )


def make_image(seed: int) -> list[Segment]:
    """A vector table with code, and apart from it data that leaves a gap and ends odd."""
    rng = random.Random(seed)
    code, data = rng.randbytes(1500), rng.randbytes(701)
    return [Segment(START, START, 1500, code), Segment(0x20000000, START + 2304, 701, data)]


IMAGE = make_image(7)


def holds(flash: Flash, image: list[Segment]) -> bool:
    return all(flash.at(s.load_address, s.stored) == s.data for s in image)


def flash_once(
    rom: Rom, timeouts: Timeouts = QUICK, image: list[Segment] = IMAGE, patience_s: float = 0.2
) -> int:
    """One attempt of a user, plugging in what is not. Returns how many pages were written."""
    line = SerialLine(rom.path or rom.plug_in(), WIRINGS["none"])
    try:
        loader = Loader(line, timeouts=timeouts)
        loader.connect()
        assert loader.retried(loader.chip_id) == rom.flash.chip.id
        flasher = Flasher(loader, rom.flash.chip, lambda share: None, patience_s)
        count = flasher.write(image, START)
        loader.retried(lambda: loader.go(START))
        return count
    finally:
        line.close()


@pytest.fixture(autouse=True)
def wired_ports(monkeypatch):
    """pyserial knows ports with control lines."""
    packages = [*serial.protocol_handler_packages, "tests.device.stand_ins"]
    monkeypatch.setattr(serial, "protocol_handler_packages", packages)


@pytest.fixture
def rom():
    made = Rom(Flash(small_chip(), seed=1))
    yield made
    made.unplug()


def watch_for_half_images(flash: Flash) -> list[str]:
    """A list that says so when something that is not whole could be started."""
    old, old_table = bytes(flash.bytes), flash.at(START, BLOCK_BYTES)
    seen: list[str] = []

    def look() -> None:
        table = flash.at(START, BLOCK_BYTES)
        if table == IMAGE[0].data[:BLOCK_BYTES] and not holds(flash, IMAGE):
            seen.append("half of the new program would start")
        if table == old_table and flash.bytes != old:
            seen.append("what is left of the old program would start")

    flash.watch = look
    return seen


def test_a_program_is_written_verified_and_started(rom):
    seen = watch_for_half_images(rom.flash)
    assert flash_once(rom) == 3
    assert holds(rom.flash, IMAGE)
    assert rom.started_at(5) == START
    assert rom.moments < MOMENTS
    assert not seen


def test_the_older_erase_command_is_used_where_the_loader_has_no_other(rom):
    rom.legacy = True
    assert flash_once(rom) == 3
    assert holds(rom.flash, IMAGE)


def test_what_is_there_already_is_only_read(rom):
    flash_once(rom)
    rom.press_reset()
    changes = []
    rom.flash.watch = lambda: changes.append(1)
    assert flash_once(rom) == 0
    assert not changes


def test_a_changed_page_and_the_vector_table_are_written_and_nothing_else(rom):
    flash_once(rom)
    rom.press_reset()
    rom.flash.bytes[2048 + 256] ^= 1
    assert flash_once(rom) == 2
    assert holds(rom.flash, IMAGE)


def test_progress_only_grows_and_ends_at_one(rom):
    line = SerialLine(rom.plug_in(), WIRINGS["none"])
    loader = Loader(line, timeouts=QUICK)
    loader.connect()
    shares: list[float] = []
    Flasher(loader, rom.flash.chip, shares.append).write(IMAGE, START)
    line.close()
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert len(shares) > 10


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    faults=st.dictionaries(
        st.integers(0, MOMENTS), st.sampled_from(Fault), min_size=1, max_size=FAULTS_AT_ONCE
    ),
    tears_unreadable=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_after_any_faults_the_next_attempt_flashes_right(faults, tears_unreadable, seed):
    rom = Rom(Flash(small_chip(), seed, tears_unreadable), faults, seed=seed)
    seen = watch_for_half_images(rom.flash)
    try:
        try:
            flash_once(rom)
            assert holds(rom.flash, IMAGE)
        except DeviceError:
            pass
        rom.faults.clear()
        rom.unplug()
        flash_once(rom, Timeouts())
        assert holds(rom.flash, IMAGE)
        assert rom.started_at(5) == START
        assert not seen
    finally:
        rom.unplug()


@pytest.mark.parametrize("fault", Fault)
def test_one_fault_at_any_moment_is_mended_in_the_same_attempt(fault):
    moments = range(list(Fault).index(fault) * 31, 6500, 499)
    for moment in moments:
        rom = Rom(Flash(small_chip(), seed=moment), {moment: fault}, seed=moment)
        seen = watch_for_half_images(rom.flash)
        try:
            if fault is Fault.UNPLUGGED:
                with pytest.raises(DeviceError, match="is gone"):
                    flash_once(rom)
            else:
                flash_once(rom)
                assert holds(rom.flash, IMAGE), moment
        finally:
            rom.unplug()
        assert not seen


def test_flash_torn_so_that_the_loader_hangs_on_it_is_written_after_a_reset_that_is_asked_for(
    rom, monkeypatch
):
    """What a loss of power leaves on chips with error correction: reading it stops the loader."""
    rom.flash.unreadable.add(START + 2304)
    asked: list[str] = []

    def press_reset_when_asked(text: str) -> None:
        asked.append(text)
        rom.press_reset()

    monkeypatch.setattr(loaders.console, "note", press_reset_when_asked)
    assert flash_once(rom, patience_s=20.0) == 3
    assert asked == ["the boot loader is silent: reset the board, with BOOT0 high"]
    assert holds(rom.flash, IMAGE)


def test_what_reads_like_erased_flash_is_not_written(rom, monkeypatch):
    blank = Segment(START + 1024, START + 1024, 512, b"\xff" * 256 + bytes(256))
    written: list[int] = []
    write = Loader.write
    monkeypatch.setattr(
        Loader, "write", lambda self, at, data: (written.append(at), write(self, at, data))
    )
    assert flash_once(rom, image=[IMAGE[1], Segment(START, START, 8, b"12345678"), blank]) == 3
    assert START + 1024 not in written and START + 1280 in written
    assert rom.flash.at(START + 1024, 512) == blank.data


def test_a_block_that_is_never_taken_names_its_page(rom, monkeypatch):
    write = Loader.write

    def refuse_one(self: Loader, address: int, data: bytes) -> None:
        if address == START + 2304:
            raise ExchangeFailed("Write Memory: refused")
        write(self, address, data)

    monkeypatch.setattr(Loader, "write", refuse_one)
    with pytest.raises(DeviceError, match="page 2 of flash, at 0x8000800, does not hold"):
        flash_once(rom)


def test_a_vector_table_that_does_not_stay_is_given_up(rom, monkeypatch):
    program = Flash.program

    def forget_the_table(self: Flash, address: int, data: bytes, share: float = 1.0) -> None:
        if address != START:
            program(self, address, data, share)

    monkeypatch.setattr(Flash, "program", forget_the_table)
    with pytest.raises(DeviceError, match="page 0 of flash, at 0x8000000, does not hold"):
        flash_once(rom)


def test_a_line_that_is_disturbed_again_and_again_is_given_up(rom, monkeypatch):
    """Each page has to be erased twice, and meanwhile another one is, as by a garbled number."""
    erase, erased = Flash.erase, []

    def disturb(self: Flash, page: Page, share: float = 1.0) -> None:
        erase(self, page, share)
        erased.append(page)
        if len(erased) % 2:
            erase(self, self.chip.pages[1 if page.number != 1 else 2])
            rom.faults[rom.moments] = Fault.NOISE_OUT  # in place of the acknowledgement

    monkeypatch.setattr(Flash, "erase", disturb)
    with pytest.raises(DeviceError, match="too disturbed for a program to get through") as caught:
        flash_once(rom)
    assert "a shorter cable" in caught.value.hint


class Cut:
    """A line on which an answer ends too early."""

    def __init__(self, answers: list[bytes]) -> None:
        self._answers = answers

    def write(self, data: bytes) -> None:
        pass

    def read(self, count: int, timeout_s: float) -> bytes:
        return self._answers.pop(0)


def test_an_answer_that_is_cut_short_is_no_answer():
    with pytest.raises(ExchangeFailed, match="Get ID: 1 of 2 bytes came"):
        Loader(Cut([b"\x79", b"\x01", b"\x04"])).chip_id()


def test_a_silent_board_is_told_of_with_what_to_look_at(rom):
    rom.boot0 = False
    with pytest.raises(DeviceError, match="does not answer") as caught:
        flash_once(rom)
    for word in ("BOOT0", "RX and TX", "parity"):
        assert word in caught.value.hint


def test_a_read_protected_chip_is_told_of_and_left_as_it_is(rom):
    rom.read_protected = True
    before = bytes(rom.flash.bytes)
    with pytest.raises(DeviceError, match="read-protected"):
        flash_once(rom)
    assert rom.flash.bytes == before


def test_a_write_protected_page_is_named(rom):
    rom.flash.protected.add(2)
    seen = watch_for_half_images(rom.flash)
    with pytest.raises(DeviceError, match="page 2 of flash, at 0x8000800") as caught:
        flash_once(rom)
    assert "write-protected" in caught.value.hint
    assert not seen


def test_a_program_that_lies_elsewhere_touches_nothing(rom):
    before = bytes(rom.flash.bytes)
    outside = Segment(0x60000000, 0x60000000, 8, bytes(8))
    with pytest.raises(
        DeviceError, match="8 bytes at 0x60000000, and toy has flash from 0x8000000"
    ):
        flash_once(rom, image=[*IMAGE, outside])
    with pytest.raises(DeviceError, match="no vector table"):
        flash_once(rom, image=IMAGE[1:])
    assert rom.flash.bytes == before


def test_a_chip_that_is_not_known_is_named():
    with pytest.raises(DeviceError, match="0x1, which is not known"):
        load_chip(1)


@pytest.mark.parametrize("chip", known_chips().values(), ids=lambda chip: chip.name)
def test_the_pages_of_a_chip_follow_each_other_and_blocks_fit_in_them(chip):
    for page, follower in itertools.pairwise(chip.pages):
        assert page.address + page.size == follower.address
    assert all(page.size % BLOCK_BYTES == 0 for page in chip.pages)


def test_a_port_in_use_is_told_of(rom):
    path = rom.plug_in()
    line = SerialLine(path, WIRINGS["none"])
    with pytest.raises(DeviceError, match="in use by another program"):
        SerialLine(path, WIRINGS["none"])
    line.close()


@pytest.mark.parametrize(
    ("number", "words", "next_step"),
    [
        (errno.EACCES, "may not be used by this account", "usermod -aG dialout"),
        (errno.ENOENT, "cannot be opened", "devices detect"),
    ],
)
def test_a_port_that_cannot_be_had_is_told_of(monkeypatch, number: int, words: str, next_step: str):
    def refuse(*_words: object) -> int:
        raise OSError(number, os.strerror(number), "/dev/ttyACM0")

    monkeypatch.setattr(serial.serialposix.os, "open", refuse)
    with pytest.raises(DeviceError, match=f"serial port `/dev/ttyACM0` {words}") as caught:
        SerialLine("/dev/ttyACM0", WIRINGS["none"])
    assert next_step in caught.value.hint


def test_a_port_may_be_at_the_end_of_a_network():
    with socket.create_server(("127.0.0.1", 0)) as server:
        line = SerialLine(f"socket://127.0.0.1:{server.getsockname()[1]}", WIRINGS["none"])
        connection, _ = server.accept()
        with connection:
            line.write(b"\x7f")
            assert connection.recv(10) == b"\x7f"
            connection.sendall(b"\x79")
            assert line.read(1, 5.0) == b"\x79"
        line.close()


def test_a_port_without_control_lines_cannot_reset_a_board(rom):
    line = SerialLine(rom.plug_in(), WIRINGS["dtr_reset_rts_boot"])
    with pytest.raises(DeviceError, match="no line to reset the board with"):
        line.enter_loader()
    line.close()


@pytest.mark.parametrize("name", [name for name in WIRINGS if name != "none"])
def test_the_control_lines_bring_a_running_board_into_its_loader_and_leave_boot0_low(rom, name):
    rom.boot0 = False
    path = rom.plug_in()
    protocol_wired.boards[path] = rom, WIRINGS[name]
    line = SerialLine(f"wired://{path}", WIRINGS[name])
    try:
        loader = Loader(line, line.enter_loader, QUICK)
        loader.connect()
        Flasher(loader, rom.flash.chip, lambda share: None).write(IMAGE, START)
        assert holds(rom.flash, IMAGE)
        rom.press_reset()
        with pytest.raises(ExchangeFailed):
            loader.chip_id()
    finally:
        line.close()


def test_an_unknown_wiring_lists_all():
    with pytest.raises(DeviceError, match="unknown wiring `dtr`") as caught:
        load_wiring("dtr")
    assert all(name in caught.value.hint for name in WIRINGS)


@pytest.fixture(scope="module")
def discovery() -> Target:
    """A target of the chip that `load_chip` calls STM32F405/407."""
    memory = {
        "flash": Memory(START, 0x100000, ("vectors", "text", "weights", "rodata")),
        "ram": Memory(0x20000000, 0x20000, ("data", "bss", "stack")),
    }
    return dataclasses.replace(
        load_target("mps2_an500"), name="discovery", runner="serial_boot", memory=memory
    )


@pytest.fixture(scope="module")
def program(discovery: Target, tmp_path_factory) -> Path:
    """A program with a vector table, linked as all are for that target."""
    folder = tmp_path_factory.mktemp("program")
    script, source, program = folder / "link.ld", folder / "main.c", folder / "hello.elf"
    script.write_text(render_linker_script(discovery))
    source.write_text(
        "void pn_port_reset(void);\nvoid pn_port_reset(void) { for (;;); }\n"
        '__attribute__((section(".vectors"), used)) void *const v[64] = {0, pn_port_reset};\n'
        '__attribute__((section(".text.big"), used)) const char big[30000] = {1};\n'
    )
    words = ["arm-none-eabi-gcc", *discovery.cpu_flags, "-nostdlib", "-T", script, source]
    process.run([*words, "-o", program], timeout_s=60)
    return program


def test_the_runner_flashes_and_starts_a_program_with_its_words_and_hears_it(
    discovery: Target, program: Path
) -> None:
    lent_at, _ = lent_words(program, [], {})
    rom = Rom(Flash(load_chip(0x413), seed=1))
    rom.says = lambda ram: b"heard " + ram[lent_at - 0x20000000 + 12 :].rstrip(b"\0") + b"\n"
    device = Device("board", "discovery", serial=rom.plug_in())
    try:
        runner = make_runner(discovery, device)
        runner.check()
        shares: list[float] = []
        runner.flash(program, shares.append)
        assert shares[-1] == 1.0
        assert all(rom.flash.at(s.load_address, s.stored) == s.data for s in read_image(program))
        started = runner.start(program, ["-n", "3"], {"PN_RUN": "abc"})
        assert started.channel.read_line(5) == b"heard hello PN_RUN=abc -n 3"
        assert started.wait(1) == 0
    finally:
        rom.unplug()


def test_an_unplugged_adapter_ends_a_flash_with_one_clear_error(
    discovery: Target, program: Path
) -> None:
    rom = Rom(Flash(load_chip(0x413), seed=1), {20_000: Fault.UNPLUGGED})
    runner = make_runner(discovery, Device("board", "discovery", serial=rom.plug_in()))
    with pytest.raises(DeviceError, match="is gone") as caught:
        runner.flash(program)
    assert "plug it in and run the same command again" in caught.value.hint
    rom.unplug()
    with pytest.raises(DeviceError, match="is not there"):
        runner.check()
    runner = make_runner(discovery, Device("board", "discovery", serial=rom.plug_in()))
    runner.flash(program)
    rom.unplug()


def test_a_dry_run_tells_what_would_be_done_and_opens_no_port(
    discovery: Target, program: Path, monkeypatch, caplog
) -> None:
    monkeypatch.setattr(process, "dry_run", True)
    runner = make_runner(discovery, Device("board", "discovery", serial="/dev/no_such_port"))
    with caplog.at_level(logging.INFO):
        runner.check()
        runner.flash(program)
    assert "/dev/no_such_port: Erase, Write Memory, Read Memory" in caplog.text


@pytest.mark.parametrize(
    ("args", "words"), [(["a b"], "cannot be given the argument 'a b'"), (["x" * 600], "bytes of")]
)
def test_arguments_that_do_not_fit_are_told_of(program: Path, args: list[str], words: str) -> None:
    with pytest.raises(DeviceError, match=words):
        lent_words(program, args, {})


def test_a_program_that_looks_for_no_words_is_told_of(tmp_path: Path, program: Path) -> None:
    mute = tmp_path / "mute.elf"
    process.run(["arm-none-eabi-objcopy", "-R", ".lent", program, mute], timeout_s=60)
    with pytest.raises(DeviceError, match="mute.elf has no section `.lent`"):
        lent_words(mute, [], {})


def test_what_is_no_program_is_told_of(tmp_path: Path, program: Path) -> None:
    broken = tmp_path / "a.elf"
    whole = program.read_bytes()
    first_stored = int.from_bytes(whole[28:32], "little") + 16
    cut = whole[:first_stored] + b"\xff\xff\xff\x0f" + whole[first_stored + 4 :]
    for content in (b"", b"text", whole[:3000], cut):
        broken.write_bytes(content)
        with pytest.raises(DeviceError, match="not a program"):
            read_image(broken)
