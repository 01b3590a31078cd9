"""Warn the user at the line of their own code that led to the warning."""

from __future__ import annotations

import sys
import warnings

from nnfs_cli.errors import NnfsWarning


def warn(message: str) -> None:
    """Warn with `NnfsWarning`. Python names the line of the innermost caller outside of this package."""
    package, level = __name__.partition(".")[0], 2
    frame = sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] == package:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, NnfsWarning, stacklevel=level)
