"""Receive the body of a request, as the ASGI specification (version 3) describes it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from nnfs_cli.serve.limits import Limits
from nnfs_cli.serve.refusal import Refusal

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
CLOSE = (("connection", "close"),)  # what follows of the body is not read


class Disconnected(Exception):  # noqa: N818 - nobody is left to be told
    """The client has left before its request was complete."""


async def receive_body(receive: Receive, headers: Mapping[bytes, bytes], limits: Limits) -> bytes:
    """Return the body. Raises `Refusal` for one that is too large or too slow, and `Disconnected`."""
    length = headers.get(b"content-length", b"")
    if length.isdigit() and int(length) > limits.body:
        raise _too_large(limits)
    try:
        async with asyncio.timeout(limits.seconds):
            return await _received(receive, limits)
    except TimeoutError:
        message = f"the body did not arrive within {limits.seconds:g} seconds"
        raise Refusal(408, "too_slow", message, headers=CLOSE) from None


async def _received(receive: Receive, limits: Limits) -> bytes:
    message: Message = await receive()
    if message["type"] == "http.disconnect":
        raise Disconnected
    if not message.get("more_body"):
        body: bytes = message["body"]
        if len(body) > limits.body:
            raise _too_large(limits)
        return body
    parts = bytearray(message["body"])
    while message.get("more_body"):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        parts += message["body"]
        if len(parts) > limits.body:
            raise _too_large(limits)
    return bytes(parts)


def _too_large(limits: Limits) -> Refusal:
    message = f"the body has more than {limits.body:,} bytes, which is the most that is taken; send fewer rows at once"
    return Refusal(413, "body_too_large", message, headers=CLOSE)
