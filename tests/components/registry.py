"""The registered components as they were, after a test has defined some."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

from nnfs_cli.components.component import Component
from nnfs_cli.components.user_code import LOADED


@contextlib.contextmanager
def components_restored() -> Iterator[Callable[[], None]]:
    """Forget at the end which components were defined inside, and give the function that forgets them at once."""
    before = {family: dict(family.registered) for family in Component.families.values()}

    def forget() -> None:
        for family, members in before.items():
            family.registered.clear()
            family.registered.update(members)
        for name in LOADED:
            sys.modules.pop(name, None)
        LOADED.clear()

    try:
        yield forget
    finally:
        forget()
