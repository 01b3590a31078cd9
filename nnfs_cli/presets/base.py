"""What a preset is: it knows the data a little, and says what each key of a config is that is not given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nnfs_cli.components.component import Component


@dataclass(frozen=True)
class Seen:
    """What a preset goes by.

    `n_rows` is about how many rows train; `n_classes` is 0 for a target of numbers. There are `n_numbers` columns of
    numbers, with more than two different ones each, and `words` counts the different words
    of each column of them. `crowded` are columns of numbers of 0 or more, more than half of which are one number.
    """

    n_rows: int
    n_targets: int = 1
    n_classes: int = 0
    n_numbers: int = 0
    words: Mapping[str, int] = field(default_factory=dict)
    crowded: tuple[str, ...] = ()


class Preset(Component, family="preset"):
    """An ordinary config, of which any key may be given by hand."""

    needs = ("fill",)

    def fill(self, given: Mapping[str, Any], seen: Seen) -> dict[str, Any]:
        """What the config does not say, as plain values. `given` are the settings that it does have, by key."""
        raise NotImplementedError
