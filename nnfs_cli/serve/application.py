"""The application that the server runs: it tells requests for predictions from all others."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor
from typing import Any

from nnfs_cli.serve.body import Receive
from nnfs_cli.serve.formats import Format
from nnfs_cli.serve.limits import Limits
from nnfs_cli.serve.metrics import Metrics
from nnfs_cli.serve.models import Models
from nnfs_cli.serve.predictions import Predictions, Send, send_answer
from nnfs_cli.serve.refusal import Refusal
from nnfs_cli.serve.routes import plain_routes
from nnfs_cli.serve.token import Token

OPEN = ("/health", "/ready")  # without a token: whoever watches the process needs them
READ = ("GET", "HEAD")


class Application:
    """An application of ASGI. Once it is `closing`, every answer ends its connection."""

    def __init__(self, models: Models, limits: Limits, token: Token, metrics: Metrics, workers: Executor) -> None:
        self.closing = False
        self._token = token
        self._predictions = Predictions(models, limits, token, metrics, workers)
        self._names = {"/predict": models.first} | {f"/models/{name}/predict": name for name in models.batchers}
        self._plain = plain_routes(models, metrics, limits, token.required, lambda: self.closing)
        self._paths = {route.path for route in self._plain.routes if hasattr(route, "path")}
        self._paths |= {f"/models/{name}/page" for name in models.batchers}

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":  # nothing else is offered to clients
            return
        name = self._names.get(scope["path"])
        if name is not None:
            await self._predictions.respond(name, scope, receive, send, self.closing)
            return
        try:
            if scope["path"] not in OPEN:
                self._token.check(dict(scope["headers"]).get(b"authorization", b""))
            if scope["path"] not in self._paths:
                raise Refusal(404, "not_found", "there is nothing here; / lists the models")
            if scope["method"] not in READ:
                raise Refusal(405, "wrong_method", "this is read with GET", headers=(("allow", "GET"),))
        except Refusal as refusal:
            headers = (*refusal.headers, ("connection", "close")) if self.closing else refusal.headers
            await send_answer(send, refusal.status, Format.json.value, refusal.body, headers)
            return
        await self._plain({**scope, "method": "GET"}, receive, _closing(send) if self.closing else send)  # type: ignore[arg-type]


def _closing(send: Send) -> Send:
    """Return a `send` whose answer ends the connection."""

    async def send_and_close(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
        await send(message)

    return send_and_close
