"""How numbers are written in verdicts."""

from __future__ import annotations


def brief(value: float) -> str:
    """Return a number with three digits, as in "0.0831" or "3.4e+20", or as a whole number from 1,000 to a billion.

    >>> brief(0.08312), brief(1203.7), brief(3.402e20)
    ('0.0831', '1,204', '3.4e+20')
    """
    return f"{value:,.0f}" if 1_000 <= abs(value) < 1e9 else f"{value:.3g}"
