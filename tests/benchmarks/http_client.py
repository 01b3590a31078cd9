"""A cheap client of HTTP: a few connections that send one request again and again, each after its last answer.

`python -m tests.benchmarks.http_client PORT PATH TYPE FILE CONNECTIONS SECONDS` sends the content of the file, and
prints in JSON the answers of every status, how many came in a second, and the milliseconds of most.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import cast

LENGTH, END = b"content-length: ", b"\r\n\r\n"


class Connection(asyncio.Protocol):
    """A connection that asks until some moment, and notes how long each answer took."""

    def __init__(self, request: bytes, until: float, note: Callable[[int, float], None]) -> None:
        self._request, self._until, self._note = request, until, note
        self.done = asyncio.get_running_loop().create_future()
        self._wanted = 0  # bytes of the answer, once its length is known
        self._received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._ask()

    def _ask(self) -> None:
        if time.perf_counter() >= self._until:
            self._transport.close()
            self.done.set_result(None)
            return
        self._asked = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._wanted:
            head = self._received.find(END)
            if head < 0:
                return
            start = self._received.find(LENGTH) + len(LENGTH)
            self._wanted = head + len(END) + int(self._received[start : self._received.find(b"\r", start)])
        if len(self._received) < self._wanted:
            return
        self._note(int(self._received[9:12]), time.perf_counter() - self._asked)
        self._received.clear()
        self._wanted = 0
        self._ask()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the server has closed the connection"))


async def asked(port: int, request: bytes, connections: int, seconds: float) -> dict[str, object]:
    """Ask on some connections for some seconds."""
    loop, statuses, times = asyncio.get_running_loop(), Counter[int](), list[float]()

    def note(status: int, duration: float) -> None:
        statuses[status] += 1
        times.append(duration)

    begun = time.perf_counter()
    opened = [
        (await loop.create_connection(lambda: Connection(request, begun + seconds, note), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    await asyncio.gather(*(connection.done for connection in opened))
    lasted = time.perf_counter() - begun
    p50, p99 = (1e3 * sorted(times)[int(share * len(times))] for share in (0.5, 0.99))
    return {"statuses": statuses, "requests": len(times) / lasted, "p50": p50, "p99": p99}


def main() -> None:
    """Ask as the command line says."""
    port, path, kind, file, connections, seconds = sys.argv[1:]
    body = Path(file).read_bytes()
    head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n\r\n"
    try:
        import uvloop

        run: Callable[..., dict[str, object]] = uvloop.run
    except ImportError:
        run = asyncio.run
    print(json.dumps(run(asked(int(port), head.encode() + body, int(connections), float(seconds)))))


if __name__ == "__main__":
    main()
