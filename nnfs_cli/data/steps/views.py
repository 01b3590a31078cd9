"""Several transformations of the same numbers, side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from typing import Annotated, cast

import numpy as np
from pydantic import AfterValidator, Field

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import NotEmpty
from nnfs_cli.components.section import invalid
from nnfs_cli.data.steps.base import Fit, NumberStep, Statistics, fit_chain, ready
from nnfs_cli.data.steps.chain import Steps
from nnfs_cli.data.steps.impute import Impute
from nnfs_cli.pipeline.parts import part
from nnfs_cli.pipeline.shapes import concatenate
from nnfs_cli.pipeline.value import Value


def _only_number_steps(chains: tuple[Steps, ...]) -> tuple[Steps, ...]:
    for step in (step for chain in chains for step in chain):
        if isinstance(step, Impute):
            raise invalid("impute must come before views, as in [impute, views: ...]")
        if not isinstance(step, NumberStep) or isinstance(step, Views):
            raise invalid(f"{step.name} cannot be one of the views; they take other steps for numbers")
    return chains


class Views(NumberStep, name="views", main="chains"):
    """Apply several steps, or chains of steps, to the same number and put their outputs side by side.

    y = (f_1(x), ..., f_n(x)): a net can receive, for instance, a number itself and its bins. The step comes last.

    Fitted: each f_i by itself, to the training rows.
    Source: Gorishniy, Rubachev and Babenko, "On Embeddings for Numerical Features in Tabular Deep Learning" (2022).
    """

    examples = ("views: [standardize, quantile]", "views: [[robust, smooth_clip], piecewise_linear: 8]")
    widens = True

    chains: Annotated[tuple[Steps, ...], NotEmpty, AfterValidator(_only_number_steps)] = Field(kw_only=False)
    """The views: each is a step, or a list of steps that follow one another."""

    def fit(self, column: Array, weights: Array | None = None) -> Fit:
        """Return the fits of all steps, with keys of the form "chain.step.key"."""
        return {
            f"{i}.{j}.{key}": value
            for i, chain in enumerate(self.chains)
            for j, fit in enumerate(fit_chain(cast(tuple[NumberStep, ...], chain), column, weights))
            for key, value in fit.items()
        }

    def transform(self, values: Array, statistics: Statistics) -> Array:
        """Transform values (rows, columns) into (rows, outputs of all views)."""
        return self.ready(statistics)(values)

    def ready(self, statistics: Statistics) -> Callable[[Array], Array]:
        """Return `transform` with these statistics, which are shared out among the steps once."""
        chains = [[ready(step, its_statistics) for step, its_statistics in chain] for chain in self._chains(statistics)]

        def transform(values: Array) -> Array:
            return np.concatenate([reduce(lambda view, step: step(view), chain, values) for chain in chains], axis=1)

        return transform

    def operations(self, values: Value, statistics: Statistics) -> Value:
        """Return the outputs of all views."""
        views = []
        for chain in self._chains(statistics):
            view = values
            for step, its_statistics in chain:
                with part(step.name, its_statistics):
                    view = step.operations(view, its_statistics)
            views.append(view)
        return concatenate(views)

    def require_operations(self) -> None:
        """Raise `ExportError` if one of the steps does not say as operations what it computes."""
        super().require_operations()
        for step in (step for chain in self.chains for step in chain):
            step.require_operations()

    def outputs(self, columns: Sequence[str], statistics: Statistics) -> list[tuple[str, str]]:
        """Return the outputs view by view; an output without a suffix is named by the steps of its view."""
        named = []
        for chain in self._chains(statistics):
            steps = ", ".join(step.name for step, _ in chain)
            named += [(column, name or steps) for column, name in chain[-1][0].outputs(columns, chain[-1][1])]
        return named

    def n_plain(self, columns: Sequence[str], statistics: Statistics) -> int:
        """Return the number of outputs of the first view, and of those after it that have one for each column."""
        n = 0
        for *_, (step, its_statistics) in self._chains(statistics):
            more = len(step.outputs(columns, its_statistics))
            if step.widens:
                return n or more
            n += more
        return n

    def _chains(self, statistics: Statistics) -> Iterator[list[tuple[NumberStep, Statistics]]]:
        """Yield the steps of each chain with their statistics."""
        for i, chain in enumerate(self.chains):
            prefixes = [f"{i}.{j}." for j in range(len(chain))]
            by_step = [
                {key.removeprefix(prefix): array for key, array in statistics.items() if key.startswith(prefix)}
                for prefix in prefixes
            ]
            yield list(zip(cast(tuple[NumberStep, ...], chain), by_step, strict=True))
