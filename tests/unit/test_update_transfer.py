"""A transfer's patience, its window, and what it does when a device loses what it was told."""

import pytest

from kit.errors import DeviceError
from kit.update import Status, Transfer, UpdateRefused, protocol
from kit.update.transfer import Phase
from tests.host.update_device import Device, Flash, make_blob

PACKET_BYTES = 1042


def advance(transfer: Transfer, device: Device, phase: Phase) -> None:
    """Carry a transfer on until it has come to a phase."""
    while transfer.phase is not phase:
        transfer.take(device.feed(transfer.give()))


def waits_until_given_up(transfer: Transfer) -> list[float]:
    """For how long a transfer waits, time and again, when nothing comes any more."""
    waits = []
    with pytest.raises(DeviceError) as given_up:
        while True:
            assert transfer.give()
            waits.append(transfer.patience_s)
            transfer.silence()
    assert not isinstance(given_up.value, UpdateRefused)
    total = len(make_blob(1))
    place = f"at byte {transfer.acknowledged} of {total}"
    assert ("does not answer" if transfer.running is None else place) in given_up.value.message
    return waits


@pytest.mark.parametrize(
    ("phase", "waits"),
    [
        (Phase.QUERY, [1.0] * 10),
        (Phase.BEGIN, [5.0] * 4),
        (Phase.DATA, [3.0, 5.0, 5.0, 5.0]),
        (Phase.COMMIT, [30.0] * 3),
    ],
)
def test_a_device_that_falls_silent_is_asked_again_and_given_up(
    phase: Phase, waits: list[float]
) -> None:
    transfer = Transfer(make_blob(1))
    advance(transfer, Device(Flash()), phase)
    assert waits_until_given_up(transfer) == waits


def test_a_device_that_loses_a_commit_s_answer_is_asked_what_it_runs() -> None:
    transfer, device = Transfer(make_blob(1)), Device(Flash())
    advance(transfer, device, Phase.COMMIT)
    device.feed(transfer.give())
    transfer.silence()
    transfer.take(device.feed(transfer.give()))
    assert transfer.phase is Phase.CONFIRM
    transfer.take(device.feed(transfer.give()))
    assert transfer.done
    assert device.weights == make_blob(1)


def test_a_device_that_says_nothing_of_what_it_runs_is_given_up() -> None:
    transfer, device = Transfer(make_blob(1)), Device(Flash())
    advance(transfer, device, Phase.COMMIT)
    device.feed(transfer.give())
    transfer.silence()
    transfer.take(device.feed(transfer.give()))
    assert waits_until_given_up(transfer) == [1.0] * 9


def test_a_device_that_was_reset_before_a_commit_gets_it_again() -> None:
    flash, transfer = Flash(), Transfer(make_blob(1))
    advance(transfer, Device(flash), Phase.COMMIT)
    device = Device(flash)
    advance(transfer, device, Phase.DONE)
    assert device.weights == make_blob(1)


def test_a_device_that_is_reset_again_and_again_is_given_up() -> None:
    flash, transfer = Flash(), Transfer(make_blob(1))
    resets = 0
    with pytest.raises(DeviceError, match="loses the update again and again"):
        while True:
            advance(transfer, Device(flash), Phase.DATA)
            transfer.take(Device(flash).feed(transfer.give()))
            resets += 1
    assert resets == 8


@pytest.mark.parametrize(
    ("window", "packets"),
    [
        (16384, 15),
        (4 * PACKET_BYTES, 4),
        (4 * PACKET_BYTES - 1, 3),
        (0, 1),
        (1 << 20, 128),
    ],
)
def test_as_many_packets_fly_as_the_device_has_room_for(window: int, packets: int) -> None:
    transfer = Transfer(make_blob(1))
    advance(transfer, Device(Flash(), window=window), Phase.DATA)
    assert len(transfer.give()) == packets * PACKET_BYTES
    assert transfer.give() == b""


def test_silence_is_counted_from_the_last_progress() -> None:
    transfer, device = Transfer(make_blob(1)), Device(Flash())
    for _ in range(6):
        advance(transfer, device, Phase.DATA)
        transfer.take(device.feed(transfer.give()))
        transfer.silence()
    advance(transfer, device, Phase.DONE)


def test_an_answer_that_comes_twice_counts_once() -> None:
    transfer, device = Transfer(make_blob(1)), Device(Flash())
    answer = device.feed(transfer.give())
    assert transfer.take(answer + answer)
    assert transfer.phase is Phase.BEGIN
    assert not transfer.take(b"noise")


def test_a_device_that_misses_bytes_at_a_commit_gets_the_update_again() -> None:
    flash, transfer = Flash(), Transfer(make_blob(1))
    advance(transfer, Device(flash), Phase.COMMIT)
    answered(transfer, Status.INCOMPLETE)
    assert transfer.phase is Phase.BEGIN
    device = Device(flash)
    advance(transfer, device, Phase.DONE)
    assert device.weights == make_blob(1)


def test_an_acknowledgement_of_nothing_new_is_no_progress() -> None:
    transfer = Transfer(make_blob(1))
    advance(transfer, Device(Flash()), Phase.DATA)
    silences = 0
    with pytest.raises(DeviceError, match="at byte 0 of"):
        while True:
            answered(transfer, Status.OK)
            silences += 1
            transfer.silence()
    assert silences == 4


def test_no_weights_are_sent_without_a_signature_that_is_asked_for() -> None:
    device = Device(Flash(), check_signature=lambda _signature, _blob: True)
    transfer = Transfer(make_blob(1))
    with pytest.raises(UpdateRefused) as refused:
        transfer.take(device.feed(transfer.give()))
    assert refused.value.status is Status.SIGNATURE
    assert transfer.phase is Phase.QUERY
    advance(Transfer(make_blob(1), bytes(64)), device, Phase.DONE)


def answered(transfer: Transfer, status: Status) -> None:
    """An answer to the first request that a transfer gives now, without a word of what runs."""
    request = transfer.give()
    number = request[request.index(protocol.MARK) + 3]
    payload = b"Q" + bytes([status, protocol.PROTOCOL, 0]) + bytes(4)
    transfer.take(protocol.packet(number, payload))


def test_an_answer_to_a_query_has_to_say_what_runs() -> None:
    with pytest.raises(DeviceError, match="answer to a query is cut short"):
        answered(Transfer(make_blob(1)), Status.OK)


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (Status.NOT_BEGUN, Status.REQUEST),
        (Status.OFFSET, Status.REQUEST),
        (Status.INCOMPLETE, Status.REQUEST),
        (Status.NO_STORE, Status.NO_STORE),
    ],
)
def test_a_refusal_that_makes_no_sense_is_a_misunderstanding(status: Status, told: Status) -> None:
    with pytest.raises(UpdateRefused) as refused:
        answered(Transfer(make_blob(1)), status)
    assert refused.value.status is told


@pytest.mark.parametrize("phase", [Phase.QUERY, Phase.BEGIN, Phase.DATA, Phase.COMMIT])
def test_a_refusal_ends_a_transfer_wherever_it_is(phase: Phase) -> None:
    transfer = Transfer(make_blob(1))
    advance(transfer, Device(Flash()), phase)
    with pytest.raises(UpdateRefused) as refused:
        answered(transfer, Status.FLASH)
    assert refused.value.status is Status.FLASH
