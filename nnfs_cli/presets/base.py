"""The contract of a preset, and the facts about a table that it uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nnfs_cli.components.component import Component


@dataclass(frozen=True)
class TableFacts:
    """The facts about the data of a config that a preset uses."""

    n_rows: int
    """Approximate number of training rows."""
    n_targets: int = 1
    """Number of target columns."""
    n_classes: int = 0
    """Number of classes of the target; 0 for a target of numbers."""
    n_numbers: int = 0
    """Number of numeric inputs with more than two different values."""
    n_categories: Mapping[str, int] = field(default_factory=dict)
    """Number of different categories of each categorical input, by column."""
    mostly_one_value: tuple[str, ...] = ()
    """Numeric inputs without negative values in which one value fills more than half of the rows."""
    heavy_tailed: Mapping[str, bool] = field(default_factory=dict)
    """Numeric inputs over several orders of magnitude, by column: whether a target of numbers follows their tails."""
    most_folds: int | None = None
    """Largest number of folds that the training rows can be dealt into by groups; None without groups."""


class Preset(Component, family="preset"):
    """A rule that fills in the keys that a config leaves out; a key that the config gives always wins."""

    needs = ("fill",)

    def fill(self, given: Mapping[str, Any], facts: TableFacts) -> dict[str, Any]:
        """Return the missing keys of a config as plain values. `given` are the settings that the config has, by key."""
        raise NotImplementedError

    def space(self, given: Mapping[str, Any], filled: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a search varies if the config does not say so: distributions by paths, as plain values.

        `given` are the keys of the config, and `filled` its values with what the preset has filled in.
        """
        return {}
