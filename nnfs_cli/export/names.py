"""Names in exported files."""

from __future__ import annotations

import itertools
import re
from collections.abc import Container


def name_from(part: str) -> str:
    """Return a lower-case name of letters, digits and underscores from what a part of a model begins with.

    >>> name_from("layer 1: linear 20")
    'layer_1'
    """
    return re.sub(r"[^a-z0-9]+", "_", part.partition(":")[0].lower())[:30].strip("_")


def unused(name: str, taken: Container[str]) -> str:
    """Return the name, or if it is taken, the first of name_2, name_3 and so on that is not."""
    return next(one for one in itertools.chain([name], (f"{name}_{n}" for n in itertools.count(2))) if one not in taken)
