"""Answer `POST /predict`, without what a framework does for each request."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor
from typing import Any
from urllib.parse import parse_qsl

from nnfs_cli.serve.batcher import Batcher
from nnfs_cli.serve.body import Disconnected, Receive, receive_body
from nnfs_cli.serve.formats import Format, encoded, format_of_answer, format_of_body
from nnfs_cli.serve.limits import Limits
from nnfs_cli.serve.metrics import Metrics
from nnfs_cli.serve.model import Question
from nnfs_cli.serve.models import Models
from nnfs_cli.serve.refusal import Refusal
from nnfs_cli.serve.rows import Rows
from nnfs_cli.serve.token import Token
from nnfs_cli.system.wording import did_you_mean, named, shown

SMALL = 16_384  # bytes of a body that the event loop reads by itself, and rows of an answer that it writes
LARGE = 1_000_000  # bytes of a body from which on few are held at once
LARGE_AT_ONCE = 4
OPTIONS = ("interval", "reasons")

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
        headers: dict[bytes, bytes] = dict(scope["headers"])
        self.token.check(headers.get(b"authorization", b""))
        if scope["method"] != "POST":
            message = f"rows are sent with POST, found {shown(scope['method'])}"
            raise Refusal(405, "wrong_method", message, headers=(("allow", "POST"),))
        of = [headers.get(key, b"").decode("latin-1") for key in (b"content-type", b"content-encoding", b"accept")]
        form = format_of_body(of[0], of[1].lower())
        answer_form = format_of_answer(of[2], form)
        interval, reasons = options(scope["query_string"])
        if len(length := headers.get(b"content-length", b"")) < len(str(LARGE)) and length.isdigit():
            body = await receive_body(receive, headers, self.limits)
            return await self._predicted(name, body, (form, answer_form), interval, reasons), answer_form
        async with self._large:
            body = await receive_body(receive, headers, self.limits)
            return await self._predicted(name, body, (form, answer_form), interval, reasons), answer_form

    async def _predicted(
        self, name: str, body: bytes, forms: tuple[Format, Format], interval: float | None, reasons: int | None
    ) -> bytes:
        """Return the answer to a body."""
        batcher = self.models.batchers[name]
        if len(body) <= SMALL and reasons is None:
            rows = batcher.model.read(body, forms[0], self.limits)
            found = await batcher.ask(Question(rows, interval))
            content = encoded(found, forms[1])
        else:
            try:
                async with asyncio.timeout(self.limits.seconds):
                    rows, content = await self._by_workers(batcher, body, forms, interval, reasons)
            except TimeoutError:
                message = f"the rows were not predicted within {self.limits.seconds:g} seconds; send fewer at once"
                raise Refusal(503, "too_slow", message, headers=(("retry-after", "1"),)) from None
        self.metrics.rows.add((("model", name),), rows.n)
        return content

    async def _by_workers(
        self, batcher: Batcher, body: bytes, forms: tuple[Format, Format], interval: float | None, reasons: int | None
    ) -> tuple[Rows, bytes]:
        run = asyncio.get_running_loop().run_in_executor
        rows = await run(self._workers, batcher.model.read, body, forms[0], self.limits)
        if reasons is not None and rows.n > self.limits.explained_rows:
            message = f"reasons are given for at most {self.limits.explained_rows:,} rows at once, found {rows.n:,}"
            raise Refusal(413, "too_many_rows", message, rows.n)
        found = await batcher.ask(Question(rows, interval, reasons))
        return rows, await run(self._workers, encoded, found, forms[1])


async def send_answer(
    send: Send, status: int, media: str, body: bytes, headers: tuple[tuple[str, str], ...] = ()
) -> None:
    """Send an answer as a whole."""
    all_headers = [(b"content-type", media.encode()), (b"content-length", b"%d" % len(body))]
    all_headers += [(key.encode(), value.encode()) for key, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": all_headers})
    await send({"type": "http.response.body", "body": body})


def options(query: bytes) -> tuple[float | None, int | None]:
    """Return the interval and the number of reasons that the query of a URL asks for. Raises `Refusal`."""
    if not query:
        return None, None
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    given = dict(pairs)
    if len(given) < len(pairs):
        raise Refusal(422, "wrong_option", "each option is given once in the query")
    for name in given:
        if name not in OPTIONS:
            hint = did_you_mean(name, OPTIONS) or "; there are interval and reasons"
            raise Refusal(422, "wrong_option", f"there is no option {named(name)}{hint}")
    interval = reasons = None
    if (text := given.get("interval")) is not None:
        interval = _number(text)
        if not 0 < interval < 1:
            raise Refusal(422, "wrong_option", f"interval is a probability such as 0.9, found {shown(text)}")
    if (text := given.get("reasons")) is not None:
        if not (text.isascii() and text.isdecimal() and 0 < len(text) < 10 and int(text)):
            raise Refusal(422, "wrong_option", f"reasons is a number such as 3, found {shown(text)}")
        reasons = int(text)
    return interval, reasons


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
