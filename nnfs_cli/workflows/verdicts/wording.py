"""How numbers are written in verdicts."""

from __future__ import annotations


def brief(value: float) -> str:
    """Return a number with three digits, as in "0.0831", or "1,204" if it is large.

    >>> brief(0.08312), brief(1203.7)
    ('0.0831', '1,204')
    """
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"
