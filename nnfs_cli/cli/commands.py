"""The commands by panel. The file of a command is imported when it is first needed: most runs need one of them."""

from __future__ import annotations

import importlib
from collections.abc import Callable

PANELS: dict[str, tuple[str, ...]] = {
    "Start": ("init", "check", "audit", "summary", "baseline"),
    "Train": ("train", "resume", "cv", "tune", "doctor", "trace", "gradcheck"),
    "Use": (
        *("report", "evaluate", "explain", "decide", "predict", "whatif"),
        *("export", "serve", "card", "verify", "runs"),
    ),
    "Reference": ("guide", "components", "schema", "info"),
}
GROUPS: dict[str, tuple[str, ...]] = {"runs": ("compare", "show", "rm")}  # commands of commands
NAMES = [name for names in PANELS.values() for name in names]
FILES = {"runs": "runs.list_runs"}  # of the commands that do not lie in a file of their name


def function_of(name: str, group: str = "") -> Callable[..., None]:
    """Return the function of a command, or of a command of a group."""
    file = f"{group}.{name}" if group else FILES.get(name, name)
    found: Callable[..., None] = getattr(importlib.import_module(f"nnfs_cli.cli.{file}"), name)  # noqa: TID251 - see above
    return found
