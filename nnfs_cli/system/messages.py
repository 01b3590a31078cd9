"""Values as messages in a pipe between this process and a worker that it has started.

Pickles are made and read here only: both ends of the pipe are nnfs itself, and nothing that came from a file or a
network is ever read as one.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from multiprocessing.reduction import ForkingPickler
from typing import Any, BinaryIO

Parts = Sequence[Any]  # of bytes: a pickle, and the contents of the arrays in it

_SIZE = struct.Struct("<Q")


def packed(value: object) -> Parts:
    """Return a value as the parts of a message. Large arrays are not copied: their parts are their own memory."""
    body, arrays = io.BytesIO(), list[Any]()
    ForkingPickler(body, 5, True, arrays.append).dump(value)
    return [body.getbuffer(), *(array.raw() for array in arrays)]


def unpacked(parts: Parts) -> Any:
    """Return the value of a message."""
    return ForkingPickler.loads(parts[0], buffers=parts[1:])


def write_message(stream: BinaryIO, parts: Parts) -> None:
    """Write a message to a pipe. Raises `OSError` if nobody reads it any more."""
    stream.write(_SIZE.pack(len(parts)))
    for part in parts:
        stream.write(_SIZE.pack(len(part)))
        stream.write(part)
    stream.flush()


def read_message(stream: BinaryIO) -> Parts:
    """Wait for a message in a pipe, and return its parts. Raises `EOFError` if the pipe ends."""
    (n_parts,) = _SIZE.unpack(_read(stream, _SIZE.size))
    return [_read(stream, *_SIZE.unpack(_read(stream, _SIZE.size))) for _ in range(n_parts)]


def _read(stream: BinaryIO, size: int) -> bytearray:
    content = bytearray(size)  # which arrays keep as their memory
    if stream.readinto(content) < size:  # type: ignore[attr-defined]  # of every binary stream with a buffer
        raise EOFError
    return content
