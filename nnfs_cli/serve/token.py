"""The bearer token that clients must send, if the environment sets one (RFC 6750)."""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from nnfs_cli.errors import UserError
from nnfs_cli.serve.refusal import Refusal

VARIABLE = "NNFS_TOKEN"
SHORTEST = 16  # characters; a shorter one can be guessed


class Token:
    """The token of a server; without one, everybody may ask."""

    def __init__(self, secret: str | None) -> None:
        self._secret = None if secret is None else secret.encode()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Token:
        """Return the token of the environment. Raises `UserError` for one that is too short."""
        secret = environment.get(VARIABLE)
        if secret is not None and len(secret) < SHORTEST:
            raise UserError(f"{VARIABLE} is a token of {SHORTEST} characters or more; a shorter one can be guessed")
        return cls(secret)

    @property
    def required(self) -> bool:
        """Whether there is a token."""
        return self._secret is not None

    def check(self, authorization: bytes) -> None:
        """Raise `Refusal` unless the header of a request holds the token. It takes the same time for any wrong one."""
        if self._secret is None:
            return
        scheme, _, given = authorization.partition(b" ")
        if scheme.lower() != b"bearer" or not hmac.compare_digest(given.strip(), self._secret):
            message = "send the token of this server in the header  Authorization: Bearer TOKEN"
            raise Refusal(401, "no_token", message, headers=(("www-authenticate", "Bearer"),))
