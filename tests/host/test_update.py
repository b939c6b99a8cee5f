"""Updates of weights: kit.update against the firmware's own C, on a line and a flash that fail."""

import collections
import random
import struct
import subprocess
import zlib
from pathlib import Path

import pytest

from kit.model.architecture import Architecture
from kit.update import Status, Transfer, UpdateRefused
from tests.host.update_device import (
    SECTOR_BYTES,
    Device,
    Flash,
    PowerFailure,
    built_in_architecture,
    host_packing,
    make_blob,
    sealed,
    send,
    store_directly,
)

BAUD = 921600
BITS_PER_BYTE = 10
LATENCY_S = 0.004  # of a USB serial port, each way
PIECE_BYTES = 64  # in which the line is looked at
PAGE_S = 0.0007  # to program 256 bytes of a serial NOR flash
ERASE_S = 0.150  # for a sector of 64 KiB
LAYOUTS = {"nr32c4": "rm16", "rm16": "nr32c4"}


def updated(seed: int = 1) -> tuple[Flash, Device]:
    """A device that runs the weights of a seed."""
    flash = Flash()
    device = Device(flash)
    send(device, Transfer(make_blob(seed)))
    return flash, device


def test_new_weights_replace_the_old_ones_and_outlast_a_reset() -> None:
    flash = Flash()
    assert Device(flash).weights is None
    device = Device(flash)
    for sequence, seed in enumerate((1, 2, 3), 1):
        send(device, Transfer(make_blob(seed)))
        assert (device.weights == make_blob(seed), device.sequence) == (True, sequence)
        assert device.runs_well
        restarted = Device(flash)
        assert (restarted.weights == make_blob(seed), restarted.sequence) == (True, sequence)


def test_weights_that_run_already_are_not_sent_again() -> None:
    flash, device = updated()
    transfer = Transfer(make_blob(1))
    sent = 0
    while not transfer.done:
        out = transfer.give()
        sent += len(out)
        transfer.take(device.feed(out))
    assert sent < 2000
    assert device.sequence == 1


def test_a_transfer_goes_on_from_any_byte() -> None:
    """The host's program ends at every place within a packet; the device keeps what it has."""
    flash, device = updated()
    draw = random.Random(5)
    sessions = 0
    furthest = 0
    while device.weights != make_blob(2):
        transfer = Transfer(make_blob(2))
        left = 3000 + draw.randrange(2000)
        while left > 0 and not transfer.done:
            out = transfer.give()
            transfer.take(device.feed(out[:left]))
            left -= len(out)
        assert transfer.first_offset >= furthest, "bytes that the device had were sent again"
        furthest = max(furthest, transfer.acknowledged)
        sessions += 1
        assert device.weights in (make_blob(1), make_blob(2))
    assert sessions > 100


def test_a_transfer_goes_on_after_every_single_byte_of_a_packet() -> None:
    """The cable is pulled after byte 0, 1, 2 ... of a packet with data."""
    flash, device = updated()
    cuts = 0
    for cut in range(0, 1060):
        transfer = Transfer(make_blob(2))
        while transfer.first_offset is None:
            transfer.take(device.feed(transfer.give()))
        before = transfer.first_offset
        device.feed(transfer.give()[:cut])
        again = Transfer(make_blob(2))
        while again.first_offset is None:
            again.take(device.feed(again.give()))
        assert again.first_offset - before in (0, 1024)
        cuts += again.first_offset - before == 1024
        if again.first_offset > len(make_blob(2)) - 4096:
            break
    assert cuts > 10
    send(device, Transfer(make_blob(2)))
    assert device.weights == make_blob(2)


def test_a_transfer_goes_on_after_a_reset_near_where_it_was() -> None:
    flash, device = updated()
    draw = random.Random(6)
    resets = furthest = 0
    while device.weights != make_blob(2):
        device = Device(flash)
        assert device.weights == make_blob(1)
        transfer = Transfer(make_blob(2))
        left = draw.randrange(30000, 60000)
        while left > 0 and not transfer.done:
            out = transfer.give()
            transfer.take(device.feed(out[:left]))
            left -= len(out)
        assert furthest - transfer.first_offset <= 2 * SECTOR_BYTES
        furthest = transfer.acknowledged
        resets += 1
    assert resets >= 7


class SlowFlash(Flash):
    """Counts the time that its operations take."""

    def __init__(self) -> None:
        super().__init__(sector_bytes=1 << 16)
        self.busy_s = 0.0
        self.on_operation = self._take_time

    def _take_time(self, kind: str, count: int) -> None:
        self.busy_s += ERASE_S if kind == "erase" else PAGE_S * count / 256


def seconds_on_the_line(device: Device, flash: SlowFlash, transfer: Transfer) -> float:
    """How long a transfer takes in the time of a line, not of this computer.

    Each direction carries a byte in ten bits; a packet is answered when the flash has taken it in;
    both ways there is the latency of an adapter.
    """
    host_s = device_s = back_s = 0.0
    answers: collections.deque[tuple[float, bytes]] = collections.deque()
    while not transfer.done:
        out = transfer.give()
        for start in range(0, len(out), PIECE_BYTES):
            piece = out[start : start + PIECE_BYTES]
            host_s += len(piece) * BITS_PER_BYTE / BAUD
            flash.busy_s = 0.0
            said = device.feed(piece)
            device_s = max(device_s, host_s + LATENCY_S) + flash.busy_s
            back_s = max(back_s, device_s) + len(said) * BITS_PER_BYTE / BAUD
            answers.append((back_s + LATENCY_S, said))
        if not out:
            host_s = max(host_s, answers[0][0])
        while answers and answers[0][0] <= host_s:
            transfer.take(answers.popleft()[1])
    return host_s


def test_an_update_takes_the_line_s_rate() -> None:
    """At 921600 baud, through USB adapters, onto a serial NOR flash of usual speed."""
    flash = SlowFlash()
    transfer = Transfer(make_blob(1))
    seconds = seconds_on_the_line(Device(flash, window=16384), flash, transfer)
    share = len(make_blob(1)) * BITS_PER_BYTE / BAUD / seconds
    assert 0.85 < share < 1, f"{share:.3f} of the line's rate"


def test_an_update_without_room_for_two_packets_still_arrives() -> None:
    """A device that takes in nothing while it writes its flash."""
    device = Device(Flash(), window=0)
    transfer = Transfer(make_blob(1))
    most = 0
    while not transfer.done:
        out = transfer.give()
        most = max(most, len(out))
        transfer.take(device.feed(out))
    assert most < 1200
    assert device.weights == make_blob(1)


def test_noise_on_the_line_costs_packets_and_nothing_else() -> None:
    flash, device = updated()
    draw = random.Random(7)
    transfer = Transfer(make_blob(2))
    damaged = 0

    def through(data: bytes) -> bytes:
        nonlocal damaged
        if draw.random() > 0.05 or not data:
            return data
        damaged += 1
        place = draw.randrange(len(data))
        kind = draw.randrange(3)
        if kind == 0:
            return data[:place] + bytes([data[place] ^ 1 << draw.randrange(8)]) + data[place + 1 :]
        return data[:place] + (b"noise" if kind == 1 else b"") + data[place + 1 :]

    while not transfer.done:
        out = transfer.give()
        pieces = [out[start : start + 700] for start in range(0, len(out), 700)]
        back = b"".join(through(device.feed(through(piece))) for piece in pieces)
        if back:
            transfer.take(back)
        elif not out:
            transfer.silence()
    assert damaged > 20
    assert device.weights == make_blob(2)


def test_power_may_fail_at_any_operation_of_the_flash() -> None:
    """The host begins again each time; at every start old or new weights run and pass."""
    draw = random.Random(8)
    flash, device = updated()
    failures = 0
    for sequence in range(2, 5):
        wanted, before = make_blob(sequence), device.weights
        while device.weights != wanted:
            left = draw.randrange(1, 400)

            def count_down(_kind: str, _count: int) -> None:
                nonlocal left
                left -= 1
                if left == 0:
                    raise PowerFailure

            flash.on_operation = count_down
            transfer = Transfer(wanted)
            while flash.alive and not transfer.done:
                transfer.take(device.feed(transfer.give()))
            failures += not flash.alive
            flash.on_operation = lambda _kind, _count: None
            flash.alive = True
            device = Device(flash)
            assert device.weights in (before, wanted)
            assert device.runs_well
    assert failures > 20


def test_a_device_without_a_store_says_so() -> None:
    with pytest.raises(UpdateRefused) as refused:
        send(Device(None), Transfer(make_blob(1)))
    assert refused.value.status is Status.NO_STORE


def changed(at: int, value: int, size: int = 0) -> bytes:
    """Blob 2 with another word in its header, of `size` bytes, and the checksum that fits."""
    weights = make_blob(2)
    size = size or len(weights)
    weights = weights[:at] + struct.pack("<I", value) + weights[at + 4 :]
    return sealed(weights[:size].ljust(size, b"\0"))


def other_graph() -> bytes:
    arch = built_in_architecture()
    return make_blob(4, Architecture(**{**vars(arch), "fc": arch.fc + 8}))


REFUSED = {
    Status.MAGIC: lambda: b"RIFF" + make_blob(2)[4:],
    Status.VERSION: lambda: changed(4, 99),
    Status.TRUNCATED: lambda: changed(8, 200, size=200),
    Status.CHECKSUM: lambda: make_blob(2)[:-70] + b"?" + make_blob(2)[-69:],
    Status.GRAPH: other_graph,
    Status.LAYOUT: lambda: make_blob(2, layout=LAYOUTS[host_packing().name]),
    Status.MATRIX: lambda: changed(64 + 4, 0x12345678),
    Status.SIZE: lambda: changed(8, 1 << 20, size=1 << 20),
    Status.SELF_TEST: lambda: changed(48, 0x12345678),
}


@pytest.mark.parametrize("status", REFUSED)
def test_each_fault_of_a_blob_is_refused_with_its_own_words(status: Status) -> None:
    flash, device = updated()
    with pytest.raises(UpdateRefused) as refused:
        send(device, Transfer(REFUSED[status]()))
    assert refused.value.status is status
    words = {str(UpdateRefused(other)) for other in REFUSED if other is not status}
    assert str(refused.value) not in words
    assert device.weights == Device(flash).weights == make_blob(1)


def test_after_a_refusal_good_weights_are_taken() -> None:
    flash, device = updated()
    with pytest.raises(UpdateRefused):
        send(device, Transfer(REFUSED[Status.CHECKSUM]()))
    send(device, Transfer(make_blob(2)))
    assert device.weights == make_blob(2)


def test_weights_that_fail_their_self_test_are_rolled_back_for_good() -> None:
    flash = Flash()
    verdicts = []

    def self_test(_model: object) -> bool:
        verdicts.append(device.sequence)
        return len(verdicts) == 1

    device = Device(flash, self_test=self_test)
    send(device, Transfer(make_blob(1)))
    with pytest.raises(UpdateRefused) as refused:
        send(device, Transfer(make_blob(2)))
    assert refused.value.status is Status.SELF_TEST
    assert len(verdicts) == 2
    assert device.weights == Device(flash).weights == make_blob(1)


def test_weights_that_take_the_device_down_are_not_tried_twice() -> None:
    """A crash, or a reset by the watchdog, in the self-test."""
    flash, _ = updated()

    def self_test(_model: object) -> bool:
        flash.alive = False
        return False

    device = Device(flash, self_test=self_test)
    transfer = Transfer(make_blob(2))
    while flash.alive:
        transfer.take(device.feed(transfer.give()))
    flash.alive = True
    tried = []
    restarted = Device(flash, self_test=lambda model: tried.append(model) or True)
    assert restarted.weights == make_blob(1)
    assert not tried


def test_a_flash_that_fails_is_told() -> None:
    flash, device = updated()

    flash.worn_out = True
    with pytest.raises(UpdateRefused) as refused:
        send(device, Transfer(make_blob(2)))
    assert refused.value.status is Status.FLASH
    assert device.weights == make_blob(1)


@pytest.mark.parametrize(
    ("survive", "after_restart"),
    [
        pytest.param("weights", 1, id="the note of the commit fails"),
        pytest.param("commit", 2, id="the note before the trial fails"),
        pytest.param("tried", 1, id="the note after the trial fails"),
        pytest.param("pages", 1, id="the last page fails"),
    ],
)
def test_a_flash_that_fails_at_the_end_is_told(survive: str, after_restart: int) -> None:
    """The old weights stay in use; after a restart, with a flash that works, either do."""
    flash, device = updated()
    full, unfinished = divmod(len(make_blob(2)), 256)
    assert unfinished
    pages = (full + 1) * 256
    last = {"pages": full * 256, "weights": pages, "commit": pages + 64, "tried": pages + 128}
    written = -64  # the note of the reception

    def wear_out(kind: str, count: int) -> None:
        nonlocal written
        written += count if kind == "program" else 0
        flash.worn_out = written >= last[survive]

    flash.on_operation = wear_out
    with pytest.raises(UpdateRefused) as refused:
        send(device, Transfer(make_blob(2)))
    assert refused.value.status is Status.FLASH
    assert device.weights == make_blob(1)
    flash.worn_out = False
    flash.on_operation = lambda _kind, _count: None
    restarted = Device(flash)
    assert restarted.weights == make_blob(after_restart)
    send(restarted, Transfer(make_blob(3)))
    assert restarted.weights == make_blob(3)


def test_weights_of_another_programs_network_are_passed_over() -> None:
    """A new program was flashed, and the store still holds what the one before it ran."""
    flash, _ = updated()
    store_directly(flash, other_graph())
    device = Device(flash)
    assert device.weights == make_blob(1)
    send(device, Transfer(make_blob(2)))
    assert Device(flash).weights == make_blob(2)
    only = Flash()
    store_directly(only, other_graph())
    assert Device(only).weights is None


def test_a_flash_that_no_store_fits_is_no_store() -> None:
    device = Device(Flash(size=3 * SECTOR_BYTES))
    with pytest.raises(UpdateRefused) as refused:
        send(device, Transfer(make_blob(1)))
    assert refused.value.status is Status.NO_STORE


def header(blob: bytes) -> bytes:
    return b"B\0\0\0" + blob[:64]


def data(offset: int, what: bytes) -> bytes:
    return b"D\0\0\0" + struct.pack("<I", offset) + what


def test_requests_that_are_none_are_refused() -> None:
    flash, device = updated()
    for request in (
        b"",
        b"Q",
        b"Q\0\0",
        b"Q\1\0\0",
        b"Q\0\1\0",
        b"Q\0\0\1",
        b"x\0\0\0",
        header(make_blob(2))[:-1],
        header(make_blob(2)) + b"\0",
        data(0, b"")[:-1],
    ):
        assert device.answer(request) is Status.REQUEST, request
    assert device.answer(data(0, b"abc")) is Status.NOT_BEGUN
    assert device.answer(b"C\0\0\0") is Status.NOT_BEGUN
    assert device.weights == make_blob(1)


def test_data_and_a_commit_out_of_turn_are_refused() -> None:
    _, device = updated()
    blob = make_blob(2)
    assert device.answer(header(blob)) is Status.OK
    assert device.answer(data(1, blob[1:9])) is Status.OFFSET
    assert device.answer(b"C\0\0\0") is Status.INCOMPLETE
    for start in range(0, len(blob) - 64, 1024):
        piece = blob[start : min(start + 1024, len(blob) - 64)]
        assert device.answer(data(start, piece)) is Status.OK
    rest = len(blob) - 64
    assert device.answer(data(rest, blob[rest:] + b"?")) is Status.REQUEST
    assert device.answer(b"C\0\0\0") is Status.INCOMPLETE
    assert device.answer(data(rest, blob[rest:])) is Status.OK
    assert device.answer(b"C\0\0\0") is Status.OK
    assert device.weights == blob


def test_a_reception_can_be_called_off() -> None:
    flash, device = updated()
    blob = make_blob(2)
    for called_off in (True, False):
        assert device.answer(header(blob)) is Status.OK
        assert device.answer(data(0, blob[:1024])) is Status.OK
        flash.alive = called_off
        assert device.answer(b"A\0\0\0") is (Status.OK if called_off else Status.FLASH)
        assert device.answer(data(1024, blob[1024:2048])) is Status.NOT_BEGUN
    flash.alive = True
    assert device.answer(b"A\0\0\0") is Status.OK
    assert device.weights == make_blob(1)


def test_a_commit_without_its_signature_can_be_made_good() -> None:
    device = Device(Flash(), check_signature=lambda signature, _blob: signature == b"s" * 64)
    blob = make_blob(1)
    assert device.answer(header(blob)) is Status.OK
    for start in range(0, len(blob), 1024):
        assert device.answer(data(start, blob[start : start + 1024])) is Status.OK
    for signature in (b"", b"s" * 63, b"s" * 65):
        assert device.answer(b"C\0\0\0" + signature) is Status.SIGNATURE
    assert device.answer(b"C\0\0\0" + b"s" * 64) is Status.OK
    assert device.weights == blob


def test_a_device_tests_itself_when_asked() -> None:
    assert updated()[1].answer(b"T\0\0\0") is Status.OK
    assert Device(None).answer(b"T\0\0\0") is Status.OK
    fails = Device(None, self_test=lambda _model: False)
    assert fails.answer(b"T\0\0\0") is Status.SELF_TEST


def test_a_self_test_is_the_same_with_the_kernels_of_any_instruction_set() -> None:
    _, device = updated()
    assert device.trial(b"scalar") == device.golden
    assert device.trial(b"z80") == 0


def frame(number: int, samples: bytes) -> bytes:
    packet = b"F" + bytes([number]) + samples
    return b"\xa5\x5a" + packet + struct.pack("<I", zlib.crc32(packet))


def test_sound_may_come_between_packets_of_an_update() -> None:
    """A frame's samples may hold anything, the mark of a packet too; garbled ones are told."""
    _, device = updated()
    samples = (b"\xa5\x5aU\0" * 240)[:960]
    transfer = Transfer(make_blob(2))
    number = 0
    while not transfer.done:
        assert device.feed(frame(number, samples)) == b""
        assert device.feed(frame(number, samples)[:-1] + b"?").startswith(b"\xa5\x5aN")
        transfer.take(device.feed(transfer.give()))
        number = (number + 1) % 256
    assert device.weights == make_blob(2)


def test_a_packet_longer_than_any_is_garbled() -> None:
    """Told at once: to wait for bytes that never come would swallow the packets behind it."""
    _, device = updated()
    for length in (1033, 0xFFFF):
        assert device.feed(b"\xa5\x5aU\0" + struct.pack("<H", length)).startswith(b"\xa5\x5aN")
    send(device, Transfer(make_blob(2)))
    assert device.weights == make_blob(2)


class Key:
    """An Ed25519 key of OpenSSL's, as who releases weights keeps it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._openssl("genpkey", "-algorithm", "ed25519", "-out", "key.pem")
        self._openssl("pkey", "-in", "key.pem", "-pubout", "-out", "public.pem")

    def sign(self, data: bytes) -> bytes:
        (self._folder / "data").write_bytes(data)
        words = ("-inkey", "key.pem", "-in", "data", "-out", "signature")
        self._openssl("pkeyutl", "-sign", "-rawin", *words)
        return (self._folder / "signature").read_bytes()

    def verifies(self, signature: bytes, data: bytes) -> bool:
        (self._folder / "data").write_bytes(data)
        (self._folder / "signature").write_bytes(signature)
        words = ("-pubin", "-inkey", "public.pem", "-in", "data", "-sigfile", "signature")
        return self._openssl("pkeyutl", "-verify", "-rawin", *words, check=False) == 0

    def _openssl(self, *words: str, check: bool = True) -> int:
        done = subprocess.run(
            ["openssl", *words], cwd=self._folder, check=check, capture_output=True, timeout=30
        )
        return done.returncode


def test_a_device_with_a_key_takes_signed_weights_alone(tmp_path: Path) -> None:
    """OpenSSL stands for the verifier that a firmware brings."""
    key = Key(tmp_path)
    device = Device(Flash(), check_signature=key.verifies)
    good = key.sign(make_blob(2))
    for signature in (b"", bytes(64), key.sign(make_blob(3)), good[:-1] + bytes([good[-1] ^ 1])):
        with pytest.raises(UpdateRefused) as refused:
            send(device, Transfer(make_blob(2), signature))
        assert refused.value.status is Status.SIGNATURE
        assert device.weights is None
    send(device, Transfer(make_blob(2), good))
    assert device.weights == make_blob(2)
