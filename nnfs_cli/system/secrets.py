"""Passwords and tokens in URLs: they stand in the environment, and neither in a config nor in a message."""

from __future__ import annotations

import os
import re
from urllib.parse import quote

from nnfs_cli.errors import UserError

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_WORDS = r"password|passwd|pwd|secret|token|signature|credential|(?:access|api)[_-]?key"  # in the name of a parameter
_IN_USER = re.compile(r"://[^\s/?#@:]*:(?P<secret>[^\s/]+)@")  # libpq takes ? and # in a password, too
_IN_SERVER = re.compile(r"postgres(?:ql)?://[^\s/?#@:]*:(?P<secret>[^\s@]+)@")  # also a slash that should be %2F
_IN_QUERY = re.compile(rf"[?&](?:[\w.-]*(?:{_WORDS})\w*|sig)=(?P<secret>[^\s&#'\"]+)", re.IGNORECASE)


def filled(url: str) -> str:
    """Return a URL with the environment variables that it names, as in ${DB_PASSWORD}, percent-encoded.

    Raises `UserError` for a variable that is not set.
    """

    def value(found: re.Match[str]) -> str:
        if found[1] not in os.environ:
            raise UserError(f"the environment variable {found[1]} is not set; {url} needs it")
        return quote(os.environ[found[1]], safe="")

    return _VARIABLE.sub(value, url)


def without_secrets(text: str, url: str = "") -> str:
    """Return a text without passwords: neither those in URLs, nor the values of variables that `url` names."""
    for name in _VARIABLE.findall(url):
        if secret := os.environ.get(name):
            text = text.replace(secret, f"${{{name}}}").replace(quote(secret, safe=""), f"${{{name}}}")
    for pattern in (_IN_USER, _IN_SERVER, _IN_QUERY):
        text = pattern.sub(_masked, text)
    return text


def _masked(found: re.Match[str]) -> str:
    secret = found["secret"]
    return found[0] if _VARIABLE.fullmatch(secret) else found[0].replace(secret, "***")


def require_no_secret(url: str, what: str) -> None:
    """Raise `UserError` if the URL of something, such as "the output", holds a password itself."""
    if holds_secret(url):
        remedy = "write ${NAME} in its place, in single quotes, and set the environment variable NAME"
        raise UserError(f"the URL of {what} holds a password; {remedy}")


def holds_secret(url: str) -> bool:
    """Return whether a URL holds a password or a token itself, instead of the name of an environment variable.

    >>> holds_secret("postgresql://ann:sesame@db/sales"), holds_secret("postgresql://ann:${DB_PASSWORD}@db/sales")
    (True, False)
    """
    return without_secrets(url) != url
