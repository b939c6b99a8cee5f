"""An update from beginning to end with a board that runs by itself: the firmware's C at the other
end of a serial line."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.device import Device as DeskDevice
from kit.errors import KitError
from kit.paths import BUILD
from kit.runner import Runner, make_runner
from kit.target import load_target
from kit.update import Status, Update, UpdateRefused, session, update_weights
from tests.host.update_device import Device, Flash, make_blob

BOARD = "virt_a15"
TIMEOUT_S = 30.0


class Board:
    """A board that is switched on, and a socket in the place of its serial port.

    guests: how many came and left again.
    """

    def __init__(self) -> None:
        self.device = Device(Flash())
        self.guests = 0
        self._server = socket.create_server(("127.0.0.1", 0))
        self._left = threading.Condition()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def runner(self, **keys: str) -> Runner:
        """The runner of this board, as the device map would have it."""
        url = f"socket://127.0.0.1:{self._server.getsockname()[1]}"
        desk_device = DeskDevice("bench", BOARD, serial=url, emulated=True, **keys)
        return make_runner(load_target(BOARD), desk_device)

    def wait_until_left(self, guests: int) -> None:
        with self._left:
            assert self._left.wait_for(lambda: self.guests == guests, TIMEOUT_S)

    def switch_off(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join(TIMEOUT_S)

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._server.accept()
            except OSError:
                return
            with line:
                while data := line.recv(1 << 16):
                    line.sendall(self.device.feed(data))
            with self._left:
                self.guests += 1
                self._left.notify()


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Board]:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    switched_on = Board()
    yield switched_on
    switched_on.switch_off()


def test_a_board_takes_weights_and_its_line_is_free_again(board: Board) -> None:
    shares = []
    assert update_weights(board.runner(), make_blob(1), progress=shares.append) == Update(0, 1)
    board.wait_until_left(1)
    assert board.device.weights == make_blob(1)
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert update_weights(board.runner(), make_blob(1)) == Update(None, 1)
    assert update_weights(board.runner(), make_blob(2)) == Update(0, 2)
    board.wait_until_left(3)


def test_an_update_that_failed_leaves_the_line_free(board: Board) -> None:
    with pytest.raises(UpdateRefused, match="no weight blob"):
        update_weights(board.runner(), b"RIFF" + make_blob(1)[4:])
    board.wait_until_left(1)


def test_weights_that_pass_once_and_not_again_are_told(board: Board) -> None:
    verdicts = iter([True, False])
    board.device = Device(Flash(), self_test=lambda _model: next(verdicts))
    with pytest.raises(UpdateRefused) as refused:
        update_weights(board.runner(), make_blob(1))
    assert refused.value.status is Status.SELF_TEST
    assert next(verdicts, None) is None


def test_a_device_that_is_not_ready_is_not_spoken_to(board: Board) -> None:
    with pytest.raises(KitError, match="crossed"):
        update_weights(board.runner(wiring="crossed"), make_blob(1))
    assert board.device.weights is None


def test_boards_flash_is_their_own_and_others_have_a_file() -> None:
    assert session._settings(make_runner(load_target(BOARD))) == {}
    computer = make_runner(load_target("host_x86_64"))
    assert session._settings(computer) == {"PN_FLASH": str(BUILD / "host_x86_64" / "weights.flash")}
    phone = DeskDevice("phone", "raspberry_pi_4", ssh="nowhere")
    shell = make_runner(load_target("raspberry_pi_4"), phone)
    assert session._settings(shell) == {"PN_FLASH": "weights.flash"}


def test_only_boards_behind_a_line_run_by_themselves(board: Board) -> None:
    assert session.runs_by_itself(board.runner())
    assert not session.runs_by_itself(make_runner(load_target(BOARD)))
    assert not session.runs_by_itself(make_runner(load_target("host_x86_64")))
