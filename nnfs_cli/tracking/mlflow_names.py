"""Names of params and metrics that MLflow accepts."""

from __future__ import annotations

import hashlib
import re

LONGEST = 250  # characters of a name


def cleaned(name: str) -> str:
    """Return a name in which every character that MLflow refuses is `_`; a long one is cut, and ends with a digest."""
    clean = re.sub(r"[^\w.\- ]", "_", name)
    if clean.strip(".") == "":
        clean = "_" * len(clean) or "_"
    if len(clean) > LONGEST - 50:  # which leaves room for what may stand before it
        clean = f"{clean[: LONGEST - 70]}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
    return clean


class Names:
    """Names that are different for different figures, in the order in which these are asked for."""

    def __init__(self) -> None:
        self._given: dict[str, str] = {}  # by the name of the figure

    def of(self, name: str) -> str:
        """Return the name that MLflow gets for a figure."""
        if name not in self._given:
            clean, taken, n = cleaned(name), {*self._given.values()}, 1
            while (numbered := clean if n == 1 else f"{clean}-{n}") in taken:
                n += 1
            self._given[name] = numbered
        return self._given[name]

    @property
    def changed(self) -> dict[str, str]:
        """The figures whose names MLflow does not accept, by the names that it gets."""
        return {given: name for name, given in self._given.items() if given != name}
