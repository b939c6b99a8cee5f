"""Channels and sessions: bytes and lines arrive whole, and every wait ends."""

import contextlib
import os
import pty
import socket
import struct
import subprocess
import sys
import threading
import time

import pytest

from kit import process
from kit.channel import ProcessChannel, SerialChannel
from kit.errors import DeviceError
from kit.runner import Capabilities, Session, Started

GREETINGS = 40
CAPABILITIES = Capabilities(emulated=False, exit_code=True, end_of_input=True)


def start(script: str) -> Session:
    child = process.start(["sh", "-c", script])
    return Session(Started(ProcessChannel(child), child), "1", CAPABILITIES)


def test_lines_end_at_done_and_bytes_before_it_stay_apart() -> None:
    with start("printf 'one\\r\\ntwo\\n'; cat; printf 'PN_DONE bad=0\\n'; echo beyond") as session:
        lines = session.lines(5)
        assert [next(lines), next(lines)] == ["one", "two"]
        session.write(b"\x00\x01\n\x02")
        assert session.read_exact(4, 5) == b"\x00\x01\n\x02"
        session.finish_writing()
        assert list(lines) == ["PN_DONE bad=0"]
        assert session.close() == 0


def test_an_empty_line_is_a_line_while_more_may_come() -> None:
    child = process.start(["sh", "-c", "echo; exec cat"])
    with contextlib.closing(ProcessChannel(child)) as channel:
        assert channel.read_line(5) == b""
        channel.finish_writing()
        assert channel.read_line(5) is None


def test_the_exit_code_is_the_programs() -> None:
    session = start("exit 7")
    assert list(session.lines(5)) == []
    assert session.close() == 7


def test_much_output_blocks_neither_side() -> None:
    with start("cat") as session:
        data = bytes(range(256)) * 4096
        session.write(data)
        session.finish_writing()
        assert session.read_exact(len(data), 10) == data


def test_silence_ends_in_a_timeout_and_the_program_is_ended() -> None:
    began = time.monotonic()
    with pytest.raises(DeviceError, match=r"waited 0.2 s"), start("exec sleep 30") as session:
        session.read_exact(1, 0.2)
    assert 0.2 <= time.monotonic() - began < 5


@pytest.mark.parametrize(("bytes_of_line", "ends"), [(1 << 20, True), ((1 << 20) + 1, False)])
def test_a_line_may_have_a_mebibyte(bytes_of_line: int, ends: bool) -> None:
    script = f"head -c {bytes_of_line} /dev/zero; sleep 0.5; echo; exec sleep 30"
    child = process.start(["sh", "-c", script])
    channel = ProcessChannel(child)
    try:
        if ends:
            assert channel.read_line(20) == bytes(bytes_of_line)
        else:
            with pytest.raises(DeviceError, match="1048576 bytes came without the end of a line"):
                channel.read_line(20)
    finally:
        child.kill()
        channel.close()
        child.wait()


def test_a_line_that_does_not_end_is_given_up() -> None:
    with (
        pytest.raises(DeviceError, match="without the end of a line"),
        start("exec tr '\\000' x </dev/zero") as session,
    ):
        next(session.lines(30))


def test_an_early_end_shows_the_last_words() -> None:
    with pytest.raises(DeviceError) as caught, start("printf abc") as session:
        session.read_exact(10, 5)
    assert "ended" in caught.value.message
    assert "abc" in caught.value.hint


def test_writing_to_an_ended_program_is_a_device_error() -> None:
    session = start("exit 0")
    assert session.close() == 0
    with pytest.raises(DeviceError, match="ended"):
        session.write(b"x")


def test_a_program_that_stays_is_stopped() -> None:
    session = start("exec sleep 30")
    with pytest.raises(DeviceError, match="did not end within 0.2 s"):
        session.close(0.2)


def test_a_closed_channel_holds_nothing_open() -> None:
    """Nor does anybody read, who might read what is opened next."""
    before = set(threading.enumerate())
    child = process.start(["sh", "-c", "cat; sleep 0.2"])
    channel = ProcessChannel(child)
    channel.close()
    assert set(threading.enumerate()) <= before
    assert child.wait(30) == 0
    assert child.stdin.closed
    assert child.stdout.closed


def test_a_channel_does_not_keep_a_program_from_ending() -> None:
    """One that nobody closed, when Ctrl-C ends us: its thread waits for bytes that never come."""
    script = "from kit import process; from kit.channel import ProcessChannel; import os, sys; "
    script += "child = process.start(['sleep', '60']); ProcessChannel(child); print(child.pid)"
    done = subprocess.run(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, check=True, timeout=30
    )
    os.kill(int(done.stdout), 9)


def test_a_terminal_device_carries_bytes_both_ways_at_once() -> None:
    """What is there is given at once, however much would fit."""
    leader, follower = pty.openpty()
    channel = SerialChannel(os.ttyname(follower), 115200, 5)
    waits = []
    for _ in range(3):
        began = time.monotonic()
        os.write(leader, b"\x01\xfe\n")
        assert channel.read_exact(3, 5) == b"\x01\xfe\n"
        waits.append(time.monotonic() - began)
    assert min(waits) < 0.9
    channel.write(b"\xff\x00\n")
    assert os.read(leader, 100) == b"\xff\x00\n"
    channel.close()
    os.close(follower)
    os.close(leader)


def test_serial_over_a_socket_carries_bytes_both_ways() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def echo() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"hello\n")
                connection.sendall(connection.recv(100))

        thread = threading.Thread(target=echo, daemon=True)
        thread.start()
        channel = SerialChannel(f"socket://127.0.0.1:{server.getsockname()[1]}", 115200, 5)
        assert channel.read_line(5) == b"hello"
        channel.write(b"\xff\x00")
        assert channel.read_exact(2, 5) == b"\xff\x00"
        assert channel.read_line(5) is None
        channel.close()
        thread.join()


def test_a_serial_line_is_closed_while_its_other_end_stays_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        channel = SerialChannel(f"socket://127.0.0.1:{server.getsockname()[1]}", 115200, 5)
        connection, _ = server.accept()
        with connection:
            began = time.monotonic()
            channel.close()
            assert time.monotonic() - began < 5


def test_a_closed_serial_line_is_read_no_more() -> None:
    """What is opened next may have its number."""
    leader, follower = pty.openpty()
    before = set(threading.enumerate())
    channel = SerialChannel(os.ttyname(follower), 115200, 5)
    channel.close()
    assert set(threading.enumerate()) <= before
    os.close(follower)
    os.close(leader)


def test_writing_to_a_serial_line_that_was_cut_is_a_device_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        channel = SerialChannel(f"socket://127.0.0.1:{server.getsockname()[1]}", 115200, 5)
        connection, _ = server.accept()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    with pytest.raises(DeviceError, match="the program ended, or the line was cut"):
        channel.read_some(5)
    with pytest.raises(DeviceError, match="closed while it was sent data"):
        channel.write(b"x")
    channel.close()


def test_a_serial_line_that_is_not_there_is_a_device_error() -> None:
    with pytest.raises(DeviceError, match="cannot open"):
        SerialChannel("socket://127.0.0.1:1", 115200, 0.1)


def test_what_a_program_says_at_once_is_not_lost() -> None:
    """Many connections: each may lose its first bytes to a reader that is not open yet."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            for _ in range(GREETINGS):
                connection, _ = server.accept()
                with connection:
                    connection.sendall(b"PN_BOOT\n")

        threading.Thread(target=greet, daemon=True).start()
        url = f"socket://127.0.0.1:{server.getsockname()[1]}"
        for _ in range(GREETINGS):
            channel = SerialChannel(url, 115200, 5)
            assert channel.read_line(5) == b"PN_BOOT"
            channel.close()
