"""Start the server, load runs anew while it answers, and stop it when everything that has arrived is answered."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import select
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import ip_address
from types import FrameType
from typing import Any

import uvicorn

from nnfs_cli.errors import Terminated
from nnfs_cli.serve.application import Application
from nnfs_cli.serve.limits import Limits
from nnfs_cli.serve.metrics import Metrics
from nnfs_cli.serve.models import Models
from nnfs_cli.serve.sources import RunSource
from nnfs_cli.serve.token import VARIABLE, Token
from nnfs_cli.system.threads import available_cores, thread_limit
from nnfs_cli.system.warn import warn

WATCH_SECONDS = 2.0  # between two looks at the folders of runs
ACCEPT_SECONDS = 0.1  # in which the connections that wait are accepted, after the server was told to stop
GRACE_SECONDS = 0.5  # in which requests on open connections are answered after that
IDLE_SECONDS = 75  # after which a connection without requests is closed
GARBAGE = 2_000, 10, 10  # objects after which it is searched for: each may hold the body of a request
BACKLOG = 2_048  # connections that wait to be accepted


@dataclass(frozen=True)
class Address:
    """Where to listen. The port 0 stands for any that is free."""

    host: str = "127.0.0.1"
    port: int = 8000

    def listen(self) -> socket.socket:
        """Return a socket that listens here. Raises `OSError` that names the address."""
        try:
            family, kind, protocol, _, place = socket.getaddrinfo(
                self.host, self.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            listener = socket.socket(family, kind, protocol)
            try:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind(place)
                listener.listen(BACKLOG)
            except OSError:
                listener.close()
                raise
        except OSError as error:
            raise OSError(error.errno, error.strerror, f"{self.host}:{self.port}") from None
        return listener


def serve(
    sources: Sequence[RunSource],
    address: Address,
    limits: Limits,
    watch: bool,
    tell: Callable[[str], None],
    announce: Callable[[str, Models], None],
) -> None:
    """Answer requests until the process is told to stop.

    `tell` is given lines for the operator, and `announce` the URL and the models once requests are answered. SIGHUP
    loads the runs anew, and so does a change of them if they are to be watched. Raises `UserError` and `RunError`
    before it listens, and `OSError` if it cannot.
    """
    metrics, token = Metrics(), Token.from_environment(os.environ)
    with thread_limit(1), ThreadPoolExecutor(available_cores(), "nnfs-serve") as workers:
        models = Models(sources, workers, metrics, tell)
        application = Application(models, limits, token, metrics, workers)
        with contextlib.closing(address.listen()) as listener:
            host, port, *_ = listener.getsockname()
            if not token.required and not ip_address(host).is_loopback:
                warn(f"whoever can reach {host} may ask for predictions; set {VARIABLE} to a token that they need")
            url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
            server = _Server(application, models, watch, lambda: announce(url, models))
            with _garbage_found_soon():
                server.run(sockets=[listener])
            if server.force_exit:
                raise Terminated


@contextlib.contextmanager
def _garbage_found_soon() -> Iterator[None]:
    """Search for garbage often, but not among what is there now, which stays."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*GARBAGE)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


class _Server(uvicorn.Server):
    """The server. A first signal stops it once all requests are answered, a second one at once."""

    def __init__(self, application: Application, models: Models, watch: bool, ready: Callable[[], None]) -> None:
        config = uvicorn.Config(
            application,
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=IDLE_SECONDS,
            backlog=BACKLOG,
        )
        super().__init__(config)
        self._application, self._models, self._watch, self._ready = application, models, watch, ready
        self._tasks: set[asyncio.Task[Any]] = set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        self._listeners = sockets or []
        self._loop = asyncio.get_running_loop()
        if hasattr(signal, "SIGHUP"):
            self._loop.add_signal_handler(signal.SIGHUP, self._start, self._models.reload, False)
        if self._watch:
            self._start(self._watch_runs)
        self._ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop, or stop at once the second time."""
        if self._application.closing:
            self.force_exit = self.should_exit = True
            return
        self._application.closing = True
        self._loop.call_soon_threadsafe(self._start, self._drain)

    def _start(self, work: Callable[..., Any], *arguments: Any) -> None:
        task = self._loop.create_task(work(*arguments))
        self._tasks.add(task)  # the loop itself keeps no reference
        task.add_done_callback(self._tasks.discard)

    async def _drain(self) -> None:
        """Accept no more connections, answer what arrives on the open ones for a moment, then close these."""
        for listener in self._listeners:
            listener.listen(0)  # no more connections wait to be accepted: closing would break those that do
        await asyncio.sleep(ACCEPT_SECONDS)
        until = self._loop.time() + GRACE_SECONDS
        while select.select(self._listeners, [], [], 0)[0] and self._loop.time() < until:
            await asyncio.sleep(0)  # one more connection waits, which the loop accepts
        for server in self.servers:
            server.close()
        until = self._loop.time() + GRACE_SECONDS
        while self.server_state.connections and self._loop.time() < until:
            await asyncio.sleep(0.02)
        self.should_exit = True

    async def _watch_runs(self) -> None:
        while not self._application.closing:
            await asyncio.sleep(WATCH_SECONDS)
            await self._models.reload(True)
