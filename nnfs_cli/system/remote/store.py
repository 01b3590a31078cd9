"""Read and write the objects of stores such as Amazon S3 and Google Cloud Storage, by the file systems of pyarrow.

Credentials are those that the environment has for these stores, such as AWS_ACCESS_KEY_ID. AWS_ENDPOINT_URL names
another server that speaks the protocol of S3, and STORAGE_EMULATOR_HOST one that speaks that of Google's store, which
asks for no credentials.
"""

from __future__ import annotations

import contextlib
import datetime
import errno
import os
import re
from collections.abc import Iterator
from typing import Any, BinaryIO
from urllib.parse import quote, unquote, urlsplit

from nnfs_cli.errors import UserError

BLOCK = 1 << 20  # bytes
TIMEOUT = 30  # seconds without an answer
ATTEMPTS = 3
DENIED = ("ACCESS_DENIED", "INVALID_ACCESS_KEY", "SIGNATURE", "HTTP status 403", "HTTP status 401", "PERMISSION_DENIED")

CUT = ("partial file", "outstanding read data remaining")  # how curl says that an answer is not complete


def download(url: str) -> Iterator[bytes]:
    """Yield the content of an object. Raises `OSError` if the server is gone, `UserError` if it denies access."""
    got = 0
    with _plain_errors(url):
        with _file_system(url).open_input_stream(path_in(url), compression=None) as stream:
            while block := stream.read(BLOCK):
                got += len(block)
                yield block
        size = _file_system(url).get_file_info(path_in(url)).size
        if size is not None and size != got:
            raise OSError(errno.EIO, f"it has changed while it was read: {got:,} of {size:,} bytes came", url)


def upload(url: str, file: BinaryIO) -> None:
    """Write an object from an open file. It appears when it is complete."""
    with _plain_errors(url), _file_system(url).open_output_stream(path_in(url), compression=None) as stream:
        while block := file.read(BLOCK):
            stream.write(block)


def names_at(url: str) -> list[str]:
    """Return the paths of all objects below the folder of a URL, or below the part of it before a pattern."""
    from pyarrow import fs

    folder = [part for part in path_in(url).split("/") if part]
    parts = []
    for part in folder:
        if any(mark in part for mark in "*?["):
            break
        parts.append(part)
    with _plain_errors(url):
        found = _file_system(url).get_file_info(fs.FileSelector("/".join(parts), recursive=True))
    return [f"/{about.path.partition('/')[2]}" for about in found if about.type == fs.FileType.File]


def sibling(url: str, path: str) -> str:
    """Return the URL of another object in the same bucket."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{quote(path, safe='/=')}"


def path_in(url: str) -> str:
    """Return the bucket and the path of an object."""
    parts = urlsplit(url.replace("?", "%3F").replace("#", "%23"))
    return f"{parts.netloc}{unquote(parts.path)}"


def _file_system(url: str) -> Any:
    from pyarrow import fs

    if url.startswith("gs:"):
        scheme, _, host = os.environ.get("STORAGE_EMULATOR_HOST", "").rpartition("://")
        other = {"endpoint_override": host, "scheme": scheme or "http", "anonymous": True} if host else {}
        return fs.GcsFileSystem(retry_time_limit=datetime.timedelta(seconds=TIMEOUT), **other)
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if not (endpoint or region):
        region = fs.resolve_s3_region(urlsplit(url).netloc)
    return fs.S3FileSystem(
        endpoint_override=endpoint,
        region=region,
        connect_timeout=TIMEOUT,
        request_timeout=TIMEOUT,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=ATTEMPTS),
    )


@contextlib.contextmanager
def _plain_errors(url: str) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except FileNotFoundError:
        raise FileNotFoundError(errno.ENOENT, "there is no such object", url) from None
    except (OSError, pa.ArrowException) as error:
        if isinstance(error, OSError) and error.filename == url:
            raise
        why = re.sub(r".*curlCode: \d+, ([^;]+).*", r"\1", str(error).splitlines()[0])
        if any(word in why for word in DENIED):
            raise UserError(f"{url}: access is denied; check the credentials in the environment") from None
        if any(word in why for word in CUT):
            raise OSError(errno.EIO, "the store closed the connection too early; try again later", url) from None
        raise OSError(errno.EIO, f"the store cannot be reached: {why}", url) from None
