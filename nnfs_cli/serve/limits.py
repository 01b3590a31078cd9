"""How much a request may ask for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The most bytes of a body, rows of a request, rows of a request for reasons, and seconds that a request takes."""

    body: int = 64_000_000
    rows: int = 1_000_000
    explained_rows: int = 1_000
    seconds: float = 30.0
