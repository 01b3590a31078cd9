"""A server in a process of its own, and clients that keep it busy."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from tests.conftest import ROOT

STARTS_WITHIN = 60.0  # seconds, on a busy machine
END = b"\r\n\r\n"


class Live:
    """`nnfs serve` on a free port of this machine."""

    def __init__(self, *words: object, folder: Path, **environment: str) -> None:
        self._log = folder / f"served-{time.monotonic_ns()}.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "nnfs_cli", "serve", *map(str, words), "--port", "0"],
                cwd=folder,
                env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
                stderr=log,
                stdout=log,
            )
        found = self.wait_for(r"serving +http://127\.0\.0\.1:(\d+)")
        self.port = int(found[1])

    @property
    def log(self) -> str:
        """What it has written so far."""
        return self._log.read_text(encoding="utf-8")

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Wait until it has written what fits a pattern, and return that. Raises `AssertionError` if it ends before."""
        until = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < until and self.process.poll() is None:
            if found := re.search(pattern, self.log):
                return found
            time.sleep(0.02)
        raise AssertionError(f"no {pattern} in\n{self.log}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(60)

    @property
    def memory(self) -> int:
        """Bytes of memory that the process has."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text(encoding="utf-8").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


def request(path: str, body: bytes, kind: str = "application/json", more: str = "") -> bytes:
    """A request with the method POST."""
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


class Client:
    """A client that asks again and again, on one connection for as long as the server keeps it open.

    `answers` counts answers by their status. `lost` are the errors of requests on which the connection, once it was
    there, ended without an answer.
    """

    def __init__(self, port: int, requests: Iterator[tuple[bytes, int]]) -> None:
        self.port, self._requests = port, requests
        self.answers, self.lost = Counter[int](), list[str]()
        self.wrong: list[tuple[int, int, bytes]] = []  # the status that was expected, that which came, and the answer
        self.bodies: list[bytes] = []
        self.keeps_bodies = False

    async def run(self, until: Callable[[], bool]) -> None:
        """Ask until some moment, or until nobody listens any more."""
        while not until():
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                return
            try:
                await self._converse(reader, writer, until)
            finally:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()

    async def _converse(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, until: Callable[[], bool]
    ) -> None:
        while not until():
            content, expected = next(self._requests)
            try:
                writer.write(content)
                status, headers, body = await answer_of(reader)
            except (OSError, asyncio.IncompleteReadError) as error:
                self.lost.append(repr(error))
                return
            self.answers[status] += 1
            if status != expected:
                self.wrong.append((expected, status, body))
            if self.keeps_bodies:
                self.bodies.append(body)
            if b"connection: close" in headers:
                return


async def answer_of(reader: asyncio.StreamReader) -> tuple[int, bytes, bytes]:
    """The status, the headers and the body of an answer."""
    headers = (await reader.readuntil(END)).lower()
    found = re.search(rb"content-length: (\d+)", headers)
    assert found is not None, headers
    return int(headers.split(b" ", 2)[1]), headers, await reader.readexactly(int(found[1]))


async def together(clients: Sequence[Client], until: Callable[[], bool], *meanwhile: Any) -> None:
    """Let clients ask at the same time, and something else happen meanwhile."""
    await asyncio.gather(*(client.run(until) for client in clients), *meanwhile)
