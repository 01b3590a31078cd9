"""Answer `POST /predict`, without what a framework does for each request."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor
from typing import Any

from nnfs_cli.serve.batcher import Batcher
from nnfs_cli.serve.body import Disconnected, Receive, receive_body
from nnfs_cli.serve.formats import Format, encoded
from nnfs_cli.serve.limits import Limits
from nnfs_cli.serve.metrics import Metrics
from nnfs_cli.serve.model import Question
from nnfs_cli.serve.models import Models
from nnfs_cli.serve.refusal import Refusal
from nnfs_cli.serve.rows import Rows
from nnfs_cli.serve.token import Token
from nnfs_cli.serve.wish import Wish
from nnfs_cli.system.wording import shown

SMALL = 16_384  # bytes of a body that the event loop reads by itself, as it does the answer
LARGE = 1_000_000  # bytes of a body from which on few are held at once
LARGE_AT_ONCE = 4

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Predictions:
    """The endpoint of all models."""

    def __init__(self, models: Models, limits: Limits, token: Token, metrics: Metrics, workers: Executor) -> None:
        self.models, self.limits, self.token, self.metrics, self._workers = models, limits, token, metrics, workers
        self._large = asyncio.Semaphore(LARGE_AT_ONCE)

    async def respond(self, name: str, scope: Mapping[str, Any], receive: Receive, send: Send, closing: bool) -> None:
        """Answer a request for predictions of a model, by its name. `closing` ends the connection afterwards."""
        begun = time.perf_counter()
        headers: tuple[tuple[str, str], ...] = ()
        try:
            body, form = await self._answer(name, scope, receive)
            status, media = 200, form.value
        except Disconnected:
            return
        except Refusal as refusal:
            status, media, body, headers = refusal.status, Format.json.value, refusal.body, refusal.headers
            self.metrics.refusals.add((("model", name), ("reason", refusal.kind)))
            if refusal.rows:
                self.metrics.refused_rows.add((("model", name),), refusal.rows)
        if closing:
            headers = (*headers, ("connection", "close"))
        await send_answer(send, status, media, body, headers)
        self.metrics.answered(name, status, time.perf_counter() - begun)

    async def _answer(self, name: str, scope: Mapping[str, Any], receive: Receive) -> tuple[bytes, Format]:
        """Return the answer to a request, and its format."""
        headers: dict[bytes, bytes] = dict(scope["headers"])
        self.token.check(headers.get(b"authorization", b""))
        if scope["method"] != "POST":
            message = f"rows are sent with POST, found {shown(scope['method'])}"
            raise Refusal(405, "wrong_method", message, headers=(("allow", "POST"),))
        wish = Wish.of(headers, scope["query_string"])
        length = headers.get(b"content-length", b"")
        small = length.isdigit() and int(length) < LARGE
        async with contextlib.nullcontext() if small else self._large:
            body = await receive_body(receive, headers, self.limits)
            return await self._predicted(self.models.batchers[name], body, wish), wish.answer_form

    async def _predicted(self, batcher: Batcher, body: bytes, wish: Wish) -> bytes:
        """Return the answer to a body."""
        if len(body) <= SMALL and wish.reasons is None:
            rows = batcher.model.read(body, wish.form, self.limits)
            content = encoded(await batcher.ask(Question(rows, wish.interval)), wish.answer_form)
        else:
            try:
                async with asyncio.timeout(self.limits.seconds):
                    rows, content = await self._by_workers(batcher, body, wish)
            except TimeoutError:
                message = f"the rows were not predicted within {self.limits.seconds:g} seconds; send fewer at once"
                raise Refusal(503, "too_slow", message, headers=(("retry-after", "1"),)) from None
        self.metrics.rows.add((("model", batcher.name),), rows.n)
        return content

    async def _by_workers(self, batcher: Batcher, body: bytes, wish: Wish) -> tuple[Rows, bytes]:
        """Return the rows of a body and the answer; the workers read and write."""
        run = asyncio.get_running_loop().run_in_executor
        rows = await run(self._workers, batcher.model.read, body, wish.form, self.limits)
        if wish.reasons is not None and rows.n > self.limits.explained_rows:
            message = f"reasons are given for at most {self.limits.explained_rows:,} rows at once, found {rows.n:,}"
            raise Refusal(413, "too_many_rows", message, rows.n)
        found = await batcher.ask(Question(rows, wish.interval, wish.reasons))
        return rows, await run(self._workers, encoded, found, wish.answer_form)


async def send_answer(
    send: Send, status: int, media: str, body: bytes, headers: tuple[tuple[str, str], ...] = ()
) -> None:
    """Send an answer as a whole."""
    all_headers = [(b"content-type", media.encode()), (b"content-length", b"%d" % len(body))]
    all_headers += [(key.encode(), value.encode()) for key, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": all_headers})
    await send({"type": "http.response.body", "body": body})
