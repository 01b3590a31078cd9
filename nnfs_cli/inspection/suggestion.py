"""A change of a config that a finding suggests: data that prints as YAML and that `--fix` can apply."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from nnfs_cli.config.yaml import Path, dump_value
from nnfs_cli.errors import UserError
from nnfs_cli.system.wording import did_you_mean, listing, named

KINDS: Mapping[str, str] = {
    "drop": "leave out columns that tell nothing, repeat another one or give the target away",
    "parse": "read texts as numbers, dates or booleans",
    "encode": "read numbers that are codes as categories, and lists as their entries",
    "scale": "bring inputs of numbers into a range that nets learn from",
    "target": "learn the logarithm of a skewed target",
    "split": "keep the rows of an owner together, or hold out the latest rows",
    "metrics": "report how well a rare class is found",
}  # what `--fix` can apply
ALL = "all"


@dataclass(frozen=True)
class Suggestion:
    """A value for the key at a path of a config, such as ``["id"]`` for the path ``("dataset", "csv", "drop")``.

    `kind` is one of `KINDS`, or `loss` for Python users. A list is the whole list, with the entries that the config has
    already. `also` are values of other keys, by their paths, that make sense only with this one; None removes a key.
    `str` gives YAML that starts at the top of the config, with a line for each of its sections.

    >>> print(Suggestion("drop", ("dataset", "csv", "drop"), ("id", "name")))
    dataset: {csv: {drop: [id, name]}}
    """

    kind: str
    path: Path
    value: Any
    also: tuple[tuple[Path, Any], ...] = ()

    def __str__(self) -> str:
        """Return the values as YAML, from the top of the config; keys that are removed are not in it."""
        return "\n".join(dump_value({key: value})[1:-1] for key, value in self.nested.items())

    @property
    def nested(self) -> dict[str, Any]:
        """The values in the blocks of their paths, from the top of the config."""
        nested: dict[str, Any] = {}
        for path, value in self.edits.items():
            if value is not None:
                block = nested
                for key in path[:-1]:
                    block = block.setdefault(str(key), {})
                block[str(path[-1])] = value
        return nested

    @property
    def edits(self) -> dict[Path, Any]:
        """The values of all keys that change, by their paths; None removes a key."""
        return {self.path: self.value, **dict(self.also)}

    def is_in(self, other: Suggestion) -> bool:
        """Return whether another suggestion, which may be several in one, makes this one's change, too."""
        same = self.kind == "drop" or self.value == other.value
        return same and (self.kind, self.path) == (other.kind, other.path)

    def plain(self) -> dict[str, Any]:
        """Return the suggestion as plain values for JSON."""
        also = [{"path": list(path), "value": value} for path, value in self.also]
        return {"kind": self.kind, "path": list(self.path), "value": self.value, "also": also}


def chosen_kinds(names: str) -> tuple[str, ...]:
    """Return the kinds that a list with commas names; ``all`` names all of them.

    Raises `UserError` for a name that is no kind.
    """
    chosen = [name.strip() for name in names.split(",")]
    for name in chosen:
        if name not in (*KINDS, ALL):
            hint = did_you_mean(name, KINDS) or ";"
            raise UserError(f"there is no kind of change {named(name)}{hint} the kinds are {listing(KINDS)}")
    return tuple(KINDS) if ALL in chosen else tuple(chosen)


def joined(suggestions: Iterable[Suggestion]) -> list[Suggestion]:
    """Return the suggestions with a single one for all columns that are to be dropped."""
    found = list(suggestions)
    drops = [one for one in found if one.kind == "drop"]
    names = tuple(dict.fromkeys(name for one in drops for name in one.value))
    also = tuple(change for one in drops for change in one.also)
    together = [replace(drops[0], value=names, also=also)] if drops else []
    return [*together, *(one for one in found if one.kind != "drop")]
