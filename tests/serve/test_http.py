"""The protocol itself, on a real connection: bodies in pieces, several requests at once, and what is no HTTP at all."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.serve.house import rows_of
from tests.serve.live import Live, request

BODY = json.dumps(rows_of(1)).encode()
HEAD = b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"


@pytest.fixture(scope="module")
def live(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with Live(f"{runs}/flats-1", "--max-body", "1", folder=tmp_path_factory.mktemp("live")) as one:
        yield one
        assert one.stop() == 0
        assert "Traceback" not in one.log


@contextmanager
def connected(live: Live) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", live.port), 10) as one:
        yield one


def answers(connection: socket.socket, n: int) -> list[tuple[int, str, bytes]]:
    """The status, the headers and the body of the next answers; fewer if the server closes the connection."""
    found, data = list[tuple[int, str, bytes]](), b""
    while len(found) < n:
        head, end, rest = data.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        if end and length and len(rest) >= int(length[1]):
            size = int(length[1])
            found.append((int(head.split()[1]), head.decode(), rest[:size]))
            data = rest[size:]
            continue
        new = connection.recv(65_536)
        if not new:
            break
        data += new
    return found


def test_a_body_may_come_in_pieces(live: Live) -> None:
    with connected(live) as one:
        for content in (request("/predict", BODY), HEAD + b"transfer-encoding: chunked\r\n\r\n"):
            for i in range(0, len(content), 40):
                one.sendall(content[i : i + 40])
            if b"chunked" in content:
                for i in range(0, len(BODY), 30):
                    piece = BODY[i : i + 30]
                    one.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
                one.sendall(b"0\r\n\r\n")
            ((status, _, body),) = answers(one, 1)
            assert (status, len(json.loads(body)["predictions"])) == (200, 1)


def test_requests_may_come_before_the_answers(live: Live) -> None:
    with connected(live) as one:
        one.sendall(request("/predict", BODY) * 3 + request("/predict", b"[") + request("/predict", BODY))
        assert [status for status, _, _ in answers(one, 5)] == [200, 200, 200, 400, 200]


def test_a_body_that_is_too_large_is_refused_before_it_is_sent(live: Live) -> None:
    with connected(live) as one:
        one.sendall(HEAD + b"content-length: 1000001\r\nexpect: 100-continue\r\n\r\n")
        ((status, head, _),) = answers(one, 1)
        assert (status, "connection: close" in head) == (413, True)
        assert one.recv(1) == b""
    with connected(live) as one:
        one.sendall(HEAD + b"transfer-encoding: chunked\r\n\r\n" + b"fffff\r\n" + b" " * 0xFFFFF + b"\r\n")
        assert [status for status, _, _ in answers(one, 1)] == [413]


@pytest.mark.parametrize(
    "content",
    [
        b"\x16\x03\x01\x00\xa5\x01\x00\x00",  # of TLS
        b"hello\r\n\r\n",
        b"POST /predict HTTP/9.9\r\n\r\n",
        HEAD + b"content-length: -1\r\n\r\n",
        HEAD + b"content-length: 3\r\ncontent-length: 4\r\n\r\n",
        HEAD + b"transfer-encoding: chunked\r\n\r\nxyz\r\n",
        b"GET / HTTP/1.1\r\nhost : x\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused(live: Live, content: bytes) -> None:
    with connected(live) as one:
        one.sendall(content)
        one.shutdown(socket.SHUT_WR)
        assert [status for status, _, _ in answers(one, 1)] in ([400], [])
    with connected(live) as one:
        one.sendall(request("/predict", BODY))
        assert [status for status, _, _ in answers(one, 1)] == [200]


def test_nothing_else_is_offered(live: Live) -> None:
    upgrade = b"connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: eA==\r\n"
    for line, status in ((b"GET /health", 200), (b"GET /../etc/passwd", 404), (b"GET http://x/health", 200)):
        for more in (b"", upgrade):
            with connected(live) as one:
                one.sendall(line + b" HTTP/1.1\r\nhost: x\r\n" + more + b"\r\n")
                assert [found for found, _, _ in answers(one, 1)] == [status]
