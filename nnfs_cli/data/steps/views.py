"""Several ways to look at the same numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, cast

import numpy as np
from pydantic import AfterValidator

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import NotEmpty
from nnfs_cli.components.section import invalid
from nnfs_cli.data.steps.base import Fit, NumberStep, Statistics, fit_chain
from nnfs_cli.data.steps.chain import Steps
from nnfs_cli.data.steps.impute import Impute


def _of_numbers(chains: tuple[Steps, ...]) -> tuple[Steps, ...]:
    for step in (step for chain in chains for step in chain):
        if isinstance(step, Impute):
            raise invalid("impute comes before views, as in [impute, views: ...]")
        if not isinstance(step, NumberStep) or isinstance(step, Views):
            raise invalid(f"views are of numbers; {step.name} cannot be one of them")
    return chains


class Views(NumberStep, name="views", main="chains"):
    """Take a number through several steps, or chains of steps, and put what they give side by side.

    x -> (f_1(x), ..., f_n(x)), where each f_i is fitted to the training rows by itself: a net may be given a number as
    it is, and the bins that it is in. Comes last.
    Source: Gorishniy, Rubachev and Babenko, "On Embeddings for Numerical Features in Tabular Deep Learning" (2022).
    """

    examples = ("views: [standardize, quantile]", "views: [[robust, smooth_clip], piecewise_linear: 8]")
    widens = True

    chains: Annotated[tuple[Steps, ...], NotEmpty, AfterValidator(_of_numbers)]
    """Each a step, or a list of steps that follow one another."""

    def fit(self, column: Array) -> Fit:
        """What each step has to know, by its place."""
        return {
            f"{i}.{j}.{key}": value
            for i, chain in enumerate(self.chains)
            for j, fit in enumerate(fit_chain(cast(tuple[NumberStep, ...], chain), column))
            for key, value in fit.items()
        }

    def transform(self, values: Array, statistics: Statistics) -> Array:
        """(rows, columns) -> (rows, what all views make of them)."""
        views = []
        for chain in self._chains(statistics):
            view = values
            for step, of_step in chain:
                view = step.transform(view, of_step)
            views.append(view)
        return np.concatenate(views, axis=1)

    def outputs(self, columns: Sequence[str], statistics: Statistics) -> list[tuple[str, str]]:
        """View by view; what has no name of its own is called by its steps."""
        named = []
        for chain in self._chains(statistics):
            steps = ", ".join(step.name for step, _ in chain)
            named += [(column, name or steps) for column, name in chain[-1][0].outputs(columns, chain[-1][1])]
        return named

    def _chains(self, statistics: Statistics) -> Iterator[list[tuple[NumberStep, Statistics]]]:
        """The steps of each chain, with what they know."""
        for i, chain in enumerate(self.chains):
            places = [f"{i}.{j}." for j in range(len(chain))]
            known = [
                {key.removeprefix(at): array for key, array in statistics.items() if key.startswith(at)}
                for at in places
            ]
            yield list(zip(cast(tuple[NumberStep, ...], chain), known, strict=True))
