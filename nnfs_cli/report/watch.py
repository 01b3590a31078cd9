"""Serve the report of a run while it is trained, to the browser on this machine and to nobody else."""

from __future__ import annotations

import hmac
import math
import secrets
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

from nnfs_cli.experiment.experiment import Experiment
from nnfs_cli.report.live_report import live_report
from nnfs_cli.runs.directory import RunDirectory

HOST = "127.0.0.1"
PAUSE = 2.0  # seconds from one page to the next, at least
SHARE = 0.02  # of the time, at most, that is spent on making pages
HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Watch:
    """A server of one page on the loopback interface, within a `with` block.

    The page is at an address that only the user is told, since other users of the machine can reach the interface, too.
    It is made when a browser asks for it, and seldom enough to leave the training its time.
    Raises `OSError` if the port is taken; port 0 stands for any free port.
    """

    def __init__(self, port: int = 0) -> None:
        self._make: Callable[[], str] | None = None
        self._page = b""
        self._next = 0.0  # time from which on a new page may be made
        self._asked = -math.inf  # time of the last request
        self._making = threading.Lock()
        self._final = threading.Event()  # whether the page is that of a training that has ended
        self._finals = 0  # how often that page was sent
        self._seen = threading.Event()  # whether a browser shows it
        self._path = f"/{secrets.token_urlsafe(16)}/"
        try:
            self._server = _Server((HOST, port), _Handler)
        except OSError as error:
            raise OSError(error.errno, f"{error.strerror}; --port takes another one", f"port {port}") from None
        self._server.watch = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)

    @property
    def url(self) -> str:
        """The address of the page."""
        return f"http://{HOST}:{self._server.server_port}{self._path}"

    def __enter__(self) -> Self:
        """Begin to serve."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the server."""
        self._server.shutdown()
        self._server.server_close()

    def show(self, run: RunDirectory, experiment: Experiment) -> None:
        """Serve the report of a run that is about to be trained."""
        own = RunDirectory(run.path)  # without the lock of the training
        self._make = lambda: live_report(own, experiment)

    def finish(self, report: Path) -> str:
        """Serve the final report to the browser that follows the training, if there is one, and return its file URL.

        Waits until the browser shows it, for at most two of its pauses.
        """
        with self._making:
            self._page = report.read_bytes()
            self._final.set()
        if time.monotonic() - self._asked < 3 * PAUSE:
            self._seen.wait(2 * PAUSE)
        return report.absolute().as_uri()

    def admits(self, host: str | None, path: str) -> bool:
        """Return whether a request is for the page, and by its own address.

        A web page elsewhere whose name leads to this machine (DNS rebinding) gives its own name as the host.
        """
        hosts = {f"{name}:{self._server.server_port}" for name in (HOST, "localhost")}
        return host in hosts and hmac.compare_digest(path.encode(), self._path.encode())

    def page(self) -> tuple[bytes, bool]:
        """Return the page, and whether the training has ended."""
        self._asked = time.monotonic()
        with self._making:
            if not self._final.is_set() and self._asked >= self._next and self._make is not None:
                self._page = self._make().encode()
                ended = time.monotonic()
                self._next = ended + max(PAUSE / 2, (ended - self._asked) / SHARE)
            return self._page, self._final.is_set()

    def sent(self, final: bool, opened: bool) -> None:
        """Note that the page was sent, and whether to a browser that opens it.

        The script of the page only learns that the training has ended, and makes the browser open the page again. A
        browser that does not say why it asks has opened it when it asks a second time.
        """
        with self._making:
            self._finals += final
        if final and (opened or self._finals > 1):
            self._seen.set()


class _Server(ThreadingHTTPServer):
    """The server; a connection that is still open does not keep the process."""

    daemon_threads = True
    allow_reuse_address = False  # on Windows another program could listen on the same port
    watch: Watch

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a browser that has gone away."""


class _Handler(BaseHTTPRequestHandler):
    """Answers GET for the one page; all else is refused."""

    server: _Server
    server_version = "nnfs"
    sys_version = ""
    timeout = 10.0

    def do_GET(self) -> None:
        """Send the page."""
        watch = self.server.watch
        if not watch.admits(self.headers.get("Host"), self.path):
            self.send_error(404)
            return
        try:
            page, final = watch.page()
        except Exception:  # the browser asks again, and the training goes on
            self.send_error(500)
            return
        self.send_response(200)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.send_header("X-Nnfs-Training", "ended" if final else "running")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)
        watch.sent(final, self.headers.get("Sec-Fetch-Mode") == "navigate")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing of requests."""
