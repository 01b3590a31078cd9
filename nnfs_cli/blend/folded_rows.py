"""The rows that blended models are fitted to: those of the net, and the sets of them that leave out a fold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Self, TypeVar

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.folds import Folds
from nnfs_cli.system.ignored_warnings import ignored_warnings, kept_filters
from nnfs_cli.system.parallel_map import parallel_map
from nnfs_cli.system.random import random_stream
from nnfs_cli.system.threads import allowed_threads

SETS = {500_000: 8, 5_000_000: 4}  # the most sets, below so many numbers; else FEW_SETS
FEW_SETS = 2
Result = TypeVar("Result")


def most_sets(n_numbers: int) -> int:
    """Return how many sets there are at most, for this many numbers of training rows x inputs x outputs."""
    return next((n for work, n in SETS.items() if n_numbers < work), FEW_SETS)


@dataclass(frozen=True)
class Sets:
    """Sets of training rows that leave out a fold, or several: a model is fitted to each.

    `of_member` (members,) is the set of each member of the ensemble: a set is without the folds of its members.
    """

    of_member: Array

    @classmethod
    def of(cls, folds: Folds, n_numbers: int = 0) -> Self:
        """Return the sets for these folds: one for each, if there are not too many, or else one for several.

        `n_numbers` tell the work of a set. Members without a fold, which train on all rows, share the last set.
        """
        n_members, n_folds = folds.trains.shape[1], folds.n_folds
        n_sets = n_folds if folds.forward else min(n_folds, most_sets(n_numbers))
        of_fold = np.arange(n_folds) * n_sets // n_folds
        return cls(np.concatenate([of_fold, np.full(n_members - n_folds, n_sets)]))

    @cached_property
    def n(self) -> int:
        """The number of sets."""
        return int(self.of_member.max()) + 1

    @cached_property
    def shares(self) -> Array:
        """The share of the members that each set belongs to, (sets,)."""
        return np.bincount(self.of_member) / len(self.of_member)


@dataclass(frozen=True)
class FoldedRows:
    """Training rows of an ensemble whose members each leave out a fold.

    `X` (rows, inputs) are the inputs of the net. `target` is the index of the class (rows,), or the numbers
    (rows, outputs) in the units of the net. `weight` (rows,) is None if all rows count alike. `plain` are the inputs,
    by index, that say all there is to know about a row; the others repeat them in another form. `codes` are those of
    them that number categories.
    """

    X: Array
    target: Array
    weight: Array | None
    folds: Folds
    sets: Sets
    n_outputs: int
    plain: Array
    codes: Array
    seed: int

    @property
    def n_classes(self) -> int:
        """The number of classes; 0 for a target of numbers."""
        return max(self.n_outputs, 2) if self.target.ndim == 1 else 0

    @cached_property
    def held_out_by(self) -> Array:
        """The set (rows,) that leaves out each row; -1 for rows of no fold."""
        fold = self.folds.fold
        return np.where(fold < 0, -1, self.sets.of_member[fold])

    @property
    def targets(self) -> list[Array]:
        """What single models learn: the classes (rows,), or each target (rows,) of numbers."""
        return [self.target] if self.n_classes else [*self.target.T]

    def fitted_by(self, k: int) -> Array:
        """Return the rows, by index, that a set holds."""
        return np.flatnonzero(self.folds.trains[:, self.sets.of_member == k].all(axis=1))

    def weight_of(self, rows: Array) -> Array | None:
        """Return the weights of some rows."""
        return None if self.weight is None else self.weight[rows].astype(np.float64)

    def as_outputs(self, rows: Array) -> Array:
        """Return the outputs (n, outputs) of a model that is always right about some rows, by index."""
        target = self.target[rows]
        if not self.n_classes:
            return target.astype(np.float64)
        return np.equal(target[:, None], 1 if self.n_outputs == 1 else np.arange(self.n_outputs)).astype(np.float64)

    def mean_of(self, rows: Array) -> Array:
        """Return the mean output (outputs,) that is right about some rows: the shares of classes, or a mean target."""
        return np.asarray(np.average(self.as_outputs(rows), axis=0, weights=self.weight_of(rows)))

    def for_each(self, work: Callable[[int], Result], first: int = 0) -> list[Result]:
        """Return the results for all sets from the `first`, in order. As many threads as are allowed do the work."""
        workers = allowed_threads()
        with kept_filters(), ignored_warnings():  # scikit-learn changes the filters in every thread
            return [result for _, result in parallel_map(work, range(first, self.sets.n), workers)]

    def seed_of(self, role: str, k: int) -> int:
        """Return a seed for scikit-learn, of a role and a set."""
        return int(random_stream(self.seed, role, member=k).integers(2**31))
