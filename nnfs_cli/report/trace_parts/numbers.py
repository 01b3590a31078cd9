"""Numbers on their way into a page: rounded as everywhere in a trace, and packed."""

from __future__ import annotations

import base64
import json
import math
import zlib
from typing import Any

from nnfs_cli.arrays import Array

DIGITS = 4  # significant ones, as everywhere in a trace


def numbers(array: Array) -> list[Any]:
    """Return an array as nested lists of rounded numbers; None for a number that is not finite."""
    if array.ndim > 1:
        return [numbers(each) for each in array]
    return [float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None for value in array.tolist()]


def packed(content: bytes) -> str:
    """Return bytes as text: compressed by deflate, then in base64. A browser unpacks it."""
    return base64.b64encode(zlib.compress(content)).decode("ascii")


def packed_json(value: object) -> str:
    """Return a JSON value as a packed text."""
    return packed(json.dumps(value, separators=(",", ":"), allow_nan=False).encode())
