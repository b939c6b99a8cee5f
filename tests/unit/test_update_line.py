"""A transfer on a line: the firmware's own C at its other end."""

import pytest

from kit.errors import DeviceError
from kit.update import Status, Transfer, ask, protocol, send_weights
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


def test_the_answer_to_another_question_is_not_taken_for_this_one() -> None:
    device = Device(Flash())
    stray = device.feed(protocol.packet(9, protocol.request(protocol.ABORT)))
    assert ask(Wire(device, before=stray), protocol.QUERY).letter == protocol.QUERY


def test_nobody_answers() -> None:
    with pytest.raises(DeviceError, match="nobody who takes weights answers"):
        ask(Deaf(Device(Flash())), protocol.QUERY, timeout_s=0.05)
