"""One line at the bottom of a terminal that says what is being done; it is gone when that is done."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator

from nnfs_cli.display.region import Region
from nnfs_cli.system.wording import in_a_line


@contextlib.contextmanager
def status_line(wanted: bool = True) -> Iterator[Callable[[str], None]]:
    """Yield a function that shows a text in the line, in place of the text before.

    It shows nothing if no line is `wanted`, or if stderr is no terminal that can draw it.
    """
    region = Region()
    drawn = wanted and sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and region.begin()
    try:
        yield (lambda text: region.draw([in_a_line(text)[: region.size[0] - 1]])) if drawn else (lambda text: None)
    finally:
        region.end()
