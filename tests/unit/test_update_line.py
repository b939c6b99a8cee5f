"""A transfer on a line: the firmware's own C at its other end."""

import types

import pytest

from kit import host
from kit.errors import DeviceError
from kit.update import Status, Transfer, ask, line, protocol, send_weights
from tests.host.update_device import Device, Flash, make_blob


class Wire:
    """A line to a device; `before` is what it says before it answers."""

    def __init__(self, device: Device, before: bytes = b"") -> None:
        self._device, self._came = device, before

    def write(self, data: bytes) -> None:
        self._came += self._device.feed(data)

    def read_some(self, timeout_s: float) -> bytes:
        assert 0 <= timeout_s <= 30
        came, self._came = self._came[:700], self._came[700:]
        return came


class Deaf(Wire):
    """A line on which nothing comes back."""

    def read_some(self, timeout_s: float) -> bytes:
        return b""


def test_progress_goes_from_little_to_everything() -> None:
    told = []
    send_weights(
        Wire(Device(Flash())),
        Transfer(make_blob(1)),
        lambda done, total: told.append((done, total)),
    )
    assert told == sorted(told)
    assert told[0][0] == 0
    assert told[-1] == (len(make_blob(1)), len(make_blob(1)))


def test_a_device_is_asked_what_it_runs() -> None:
    device = Device(Flash())
    send_weights(Wire(device), Transfer(make_blob(1)))
    answer = ask(Wire(device, before=b"noise" + protocol.MARK), protocol.QUERY)
    assert (answer.number, answer.letter, answer.status) == (0, protocol.QUERY, Status.OK)
    assert answer.running.sequence == 1
    assert answer.running.crc == protocol.blob_crc(make_blob(1))
    assert not answer.running.wants_signature


@pytest.mark.parametrize(("passes", "status"), [(True, Status.OK), (False, Status.SELF_TEST)])
def test_a_device_is_asked_to_test_itself(passes: bool, status: Status) -> None:
    device = Device(Flash(), self_test=lambda _model: passes)
    answer = ask(Wire(device), protocol.TEST)
    assert (answer.letter, answer.status) == (protocol.TEST, status)


def test_statuses_are_the_firmware_s() -> None:
    _, lib = host.load("pn_update.h")
    for status in Status:
        assert getattr(lib, f"PN_UPDATE_{status.name}") == status
    assert [status.value for status in Status.__members__.values()] == list(range(17))


def test_the_answer_to_another_question_is_not_taken_for_this_one() -> None:
    device = Device(Flash())
    stray = device.feed(protocol.packet(9, protocol.request(protocol.ABORT)))
    (aborted,) = protocol.PacketReader().feed(stray)
    assert (aborted.letter, aborted.status) == (protocol.ABORT, Status.OK)
    assert ask(Wire(device, before=stray), protocol.QUERY).letter == protocol.QUERY


def test_nobody_answers() -> None:
    with pytest.raises(DeviceError, match="nobody who takes weights answers"):
        ask(Deaf(Device(Flash())), protocol.QUERY, timeout_s=0.05)


class Clock(Deaf):
    """A line on which nothing comes back, and the time that passes while that is waited for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(Device(Flash()))
        self.now_s, self.waits = 1000.0, []
        monkeypatch.setattr(line, "time", types.SimpleNamespace(monotonic=lambda: self.now_s))

    def read_some(self, timeout_s: float) -> bytes:
        self.waits.append(timeout_s)
        self.now_s += timeout_s
        return b""


def test_a_line_is_looked_at_twice_a_second_until_patience_ends(monkeypatch) -> None:
    clock = Clock(monkeypatch)
    with pytest.raises(DeviceError, match="does not answer"):
        send_weights(clock, Transfer(make_blob(1)))
    assert clock.now_s == 1010.0
    assert max(clock.waits) == 0.5
    assert min(clock.waits) == 0.0


def test_an_answer_is_waited_for_half_a_minute(monkeypatch) -> None:
    clock = Clock(monkeypatch)
    with pytest.raises(DeviceError, match="nobody who takes weights answers"):
        ask(clock, protocol.QUERY)
    assert clock.waits == [30.0]


def test_each_answer_starts_patience_anew(monkeypatch) -> None:
    """A device that takes 0.4 s for each answer is slower in all than any patience."""
    clock, device, told = Clock(monkeypatch), Device(Flash(), window=0), []

    def answer(timeout_s: float) -> bytes:
        clock.now_s += 0.4
        return device.feed(told.pop() if told else b"")

    monkeypatch.setattr(clock, "write", told.append)
    monkeypatch.setattr(clock, "read_some", answer)
    send_weights(clock, Transfer(make_blob(1)))
    assert device.weights == make_blob(1)
    assert clock.now_s > 1030
