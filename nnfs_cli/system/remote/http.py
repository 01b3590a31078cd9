"""Download files over HTTP."""

from __future__ import annotations

import base64
import contextlib
import errno
import http.client
import netrc
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from nnfs_cli.errors import UserError
from nnfs_cli.system.secrets import filled, without_secrets

TIMEOUT = 30  # seconds without an answer
BLOCK = 1 << 20  # bytes


def download(url: str) -> Iterator[bytes]:
    """Yield the content of a file. Raises `OSError` if the server is gone, `UserError` if it denies access."""
    request = urllib.request.Request(filled(url), headers=_headers(url))  # noqa: S310 - a URL of HTTP or HTTPS
    opener = urllib.request.build_opener(_SameScheme)
    got = 0
    try:
        with opener.open(request, timeout=TIMEOUT) as answer:
            length = answer.headers.get("Content-Length")
            while block := answer.read(BLOCK):
                got += len(block)
                yield block
            if length is not None and int(length) != got:
                raise http.client.IncompleteRead(b"", int(length) - got)
    except http.client.IncompleteRead as error:
        whole = f" of {got + error.expected:,}" if error.expected else ""
        raise _gone(url, f"the server closed the connection after {got:,}{whole} bytes") from None
    except urllib.error.HTTPError as error:
        error.close()
        raise _refused(url, error) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        why = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
        raise _gone(url, f"the server cannot be read: {without_secrets(str(why), url)}") from None


def _headers(url: str) -> dict[str, str]:
    """Return the headers of a request, with the password of the user's .netrc for this server, if there is one."""
    headers = {"User-Agent": "nnfs", "Accept-Encoding": "identity"}
    host = urlsplit(url).hostname
    with contextlib.suppress(OSError, netrc.NetrcParseError):
        if host and (known := netrc.netrc().authenticators(host)):
            pair = base64.b64encode(f"{known[0]}:{known[2]}".encode()).decode()
            headers["Authorization"] = f"Basic {pair}"
    return headers


def _gone(url: str, why: str) -> OSError:
    return OSError(errno.EIO, f"{why}; try again later", url)


def _refused(url: str, error: urllib.error.HTTPError) -> Exception:
    if error.code in (404, 410):
        return FileNotFoundError(errno.ENOENT, "the server has no such file", url)
    if error.code in (401, 403):
        remedy = "put the user and the password into .netrc, or a token as ${TOKEN} into the URL"
        return UserError(f"{url}: the server denies access ({error.code}); {remedy}")
    if 300 <= error.code < 400:
        return UserError(f"{url}: the server redirects to another kind of address, which nnfs does not follow")
    return _gone(url, f"the server answers {error.code} {error.reason}")


class _SameScheme(urllib.request.HTTPRedirectHandler):
    """Follows a redirect to the same scheme, or from http to https; not with a password to another host."""

    def redirect_request(self, request: Any, file: Any, code: int, message: str, headers: Any, new: str) -> Any:
        before, after = urlsplit(request.full_url), urlsplit(new)
        if after.scheme not in {before.scheme, "https"}:
            raise urllib.error.HTTPError(request.full_url, code, message, headers, file)
        following = super().redirect_request(request, file, code, message, headers, new)
        if following is not None and after.netloc != before.netloc:
            following.remove_header("Authorization")
        return following
