"""One update as a conversation, without a line: bytes to send, bytes that came, silence."""

import collections
import enum

from kit.errors import DeviceError
from kit.update import protocol
from kit.update.protocol import Answer, PacketReader, Running, Status, UpdateRefused

_MAX_FLYING = 128  # packets: half of what their numbers tell apart
_RESTARTS = 8  # of the device, or receptions that were lost, before giving up


class Phase(enum.Enum):
    """What the next answer decides."""

    QUERY = enum.auto()
    BEGIN = enum.auto()
    DATA = enum.auto()
    COMMIT = enum.auto()
    CONFIRM = enum.auto()  # a commit's answer was lost: what does the device run?
    DONE = enum.auto()


_PATIENCE_S = {
    Phase.QUERY: 1.0,
    Phase.BEGIN: 5.0,  # two sectors are erased
    Phase.DATA: 3.0,
    Phase.COMMIT: 30.0,  # megabytes are checked, the network tried out
    Phase.CONFIRM: 1.0,
}
_ATTEMPTS = {Phase.QUERY: 10, Phase.BEGIN: 4, Phase.DATA: 4, Phase.COMMIT: 3, Phase.CONFIRM: 10}


class Transfer:
    """Sends a blob to a device, from where an earlier transfer of it ended.

    Call `give` for the bytes to send now, `take` with those that came, and `silence` when no answer
    came for `patience_s`; until `done`. `take` and `silence` raise UpdateRefused when the device
    refuses the weights and DeviceError when it does not answer or loses them again and again.
    """

    def __init__(self, blob: bytes, signature: bytes = b"") -> None:
        self.running: Running | None = None
        self.first_offset: int | None = None  # where this transfer began to send
        self.acknowledged = 0
        self._blob, self._signature = blob, signature
        self._reader = PacketReader()
        self._out = bytearray()
        self._number = 0
        self._sent = 0
        self._flying: collections.deque[tuple[int, int]] = collections.deque()  # number, bytes
        self._attempts = 0
        self._restarts = 0
        self._enter(Phase.QUERY, flush=True)

    @property
    def done(self) -> bool:
        """Whether the device runs the weights."""
        return self.phase is Phase.DONE

    @property
    def total(self) -> int:
        """Bytes of the blob."""
        return len(self._blob)

    @property
    def patience_s(self) -> float:
        """Seconds without an answer after which to call `silence`, until `done`."""
        return _PATIENCE_S[self.phase]

    def give(self) -> bytes:
        """Bytes to send now; empty while answers have to come first."""
        self._fill_window()
        out = bytes(self._out)
        self._out.clear()
        return out

    def take(self, data: bytes) -> bool:
        """Bytes that came from the device. Returns whether there was an answer in them."""
        answers = self._reader.feed(data)
        for answer in answers:
            self._handle(answer)
        return bool(answers)

    def silence(self) -> None:
        """Nothing came for long: say it again."""
        self._attempts += 1
        if self._attempts >= _ATTEMPTS[self.phase]:
            raise self._gave_up()
        again = Phase.BEGIN if self.phase is Phase.DATA else self.phase
        self._enter(again, flush=True)

    def _gave_up(self) -> DeviceError:
        if self.phase is Phase.QUERY:
            return DeviceError(
                "the device does not answer",
                hint="does the program `device` run on it? ./tools/percepnet flash device --help",
            )
        return DeviceError(
            f"the device answers no more, at byte {self.acknowledged} of {len(self._blob)}",
            hint="it keeps its weights; the same command goes on from there",
        )

    def _enter(self, phase: Phase, flush: bool = False) -> None:
        """Start a phase by its request; flush ends a packet that was cut."""
        self.phase = phase
        self._flying.clear()
        if flush:
            self._out.clear()
            self._out += protocol.FLUSH
        if phase in (Phase.QUERY, Phase.CONFIRM):
            self._ask(protocol.request(protocol.QUERY))
        elif phase is Phase.BEGIN:
            self._ask(protocol.request(protocol.BEGIN, self._blob[: protocol.HEADER_BYTES]))
        elif phase is Phase.COMMIT:
            self._ask(protocol.request(protocol.COMMIT, self._signature))

    def _ask(self, payload: bytes) -> None:
        self._number = (self._number + 1) % 256
        packet = protocol.packet(self._number, payload)
        self._flying.append((self._number, len(packet)))
        self._out += packet

    def _fill_window(self) -> None:
        while self.phase is Phase.DATA and self._sent < len(self._blob):
            data = self._blob[self._sent : self._sent + self.running.data_bytes]
            in_flight = sum(size for _, size in self._flying)
            # A window that takes no whole packet still takes one at a time.
            size = len(data) + protocol.DATA_OVERHEAD
            full = in_flight + size > self.running.window or len(self._flying) == _MAX_FLYING
            if self._flying and full:
                return
            self._ask(protocol.data_request(self._sent, data))
            self._sent += len(data)

    def _handle(self, answer: Answer) -> None:
        """Answers to requests that are no longer waited for say nothing any more."""
        if answer.number not in (number for number, _ in self._flying):
            return
        while self._flying.popleft()[0] != answer.number:
            continue
        handle = {
            Phase.QUERY: self._on_query,
            Phase.BEGIN: self._on_begin,
            Phase.DATA: self._on_data,
            Phase.COMMIT: self._on_commit,
            Phase.CONFIRM: self._on_confirm,
        }[self.phase]
        handle(answer)

    def _on_query(self, answer: Answer) -> None:
        self._require(answer, Status.OK)
        if answer.running is None:
            raise DeviceError("the device's answer to a query is cut short")
        self.running = answer.running
        if self.running.wants_signature and not self._signature:
            raise UpdateRefused(Status.SIGNATURE)
        already = self._is_running(answer)
        self._attempts = 0
        self._enter(Phase.DONE if already else Phase.BEGIN)

    def _is_running(self, answer: Answer) -> bool:
        running = answer.running
        return bool(running and running.sequence) and running.crc == protocol.blob_crc(self._blob)

    def _on_begin(self, answer: Answer) -> None:
        self._require(answer, Status.OK)
        if self.first_offset is None:
            self.first_offset = answer.offset
        self._sent = self.acknowledged = answer.offset
        self._go_on()

    def _go_on(self) -> None:
        everything = self.acknowledged == len(self._blob)
        if everything or self.phase is Phase.BEGIN:
            self._enter(Phase.COMMIT if everything else Phase.DATA)

    def _on_data(self, answer: Answer) -> None:
        if answer.status is Status.NOT_BEGUN:
            self._begin_again()
            return
        self._require(answer, Status.OK, Status.OFFSET)
        if answer.status is Status.OFFSET:
            # What was sent after the gap is refused too: those answers are not waited for.
            self._flying.clear()
            self._sent = self.acknowledged = answer.offset
            return
        if answer.offset > self.acknowledged:
            self._attempts = 0
        self.acknowledged = answer.offset
        self._go_on()

    def _on_commit(self, answer: Answer) -> None:
        if answer.status is Status.NOT_BEGUN:
            self._enter(Phase.CONFIRM)
        elif answer.status is Status.INCOMPLETE:
            self._begin_again()
        else:
            self._require(answer, Status.OK)
            self._enter(Phase.DONE)

    def _on_confirm(self, answer: Answer) -> None:
        self._require(answer, Status.OK)
        if self._is_running(answer):
            self._enter(Phase.DONE)
        else:
            self._begin_again()

    def _begin_again(self) -> None:
        """The device knows nothing of this reception: it was reset, or gave it up."""
        self._restarts += 1
        if self._restarts > _RESTARTS:
            raise DeviceError(
                "the device loses the update again and again",
                hint="look at its power supply; it keeps its weights",
            )
        self._enter(Phase.BEGIN)

    def _require(self, answer: Answer, *good: Status) -> None:
        if answer.status not in good:
            raise UpdateRefused(_as_refusal(answer.status))


def _as_refusal(status: Status) -> Status:
    """A status that only makes sense while data flows is, elsewhere, a misunderstanding."""
    odd = (Status.OK, Status.NOT_BEGUN, Status.OFFSET, Status.INCOMPLETE)
    return Status.REQUEST if status in odd else status
