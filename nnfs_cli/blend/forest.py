"""A forest of trees that split at random: what the neighbours of a row can say."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from nnfs_cli.arrays import Array
from nnfs_cli.blend.base import BlendedModel, Fitted, require
from nnfs_cli.blend.folded_rows import FoldedRows
from nnfs_cli.blend.tree_arrays import Tree, as_arrays, check_trees
from nnfs_cli.blend.tree_sums import sum_operations, sums
from nnfs_cli.components.field_types import Count, PositiveInt, Rate
from nnfs_cli.pipeline.elementwise import add, divide
from nnfs_cli.pipeline.value import Value, constant
from nnfs_cli.system.ignored_warnings import ignored_warnings


class Forest(BlendedModel, name="forest", main="trees"):
    """Extremely randomized trees, by scikit-learn: their mean output.

    Each split chooses the best of random thresholds, one for each of some random inputs. The trees grow until each leaf
    has rows of one class, or few rows, so the mean over many trees is a mean over the rows nearest to a row. For
    classes, one more tree that is a single leaf keeps each probability away from 0.
    Source: Geurts, Ernst and Wehenkel, "Extremely Randomized Trees" (2006).
    """

    strength = 1.0
    examples = ("forest", "forest: {trees: 100, min_rows: 2}")

    trees: Count = Field(default=50, kw_only=False)
    """The number of trees for each fold."""
    min_rows: PositiveInt = 1
    """The fewest rows of a leaf."""
    inputs: Rate = 0.5
    """Share of the inputs that each split chooses from."""

    def fit(self, rows: FoldedRows) -> Fitted:
        """Return the nodes of all trees, their roots (sets, trees, 1) and the mean targets (sets, outputs).

        Each leaf has a value for each output.
        """
        trees = as_arrays(rows.for_each(lambda k: self._fit(rows, k)), rows.plain, rows.n_outputs)
        return {**trees, "mean": np.stack([rows.mean_of(rows.fitted_by(k)) for k in range(rows.sets.n)])}

    def _fit(self, rows: FoldedRows, k: int) -> list[list[Tree | None]]:
        from sklearn import config_context
        from sklearn.tree import ExtraTreeClassifier, ExtraTreeRegressor

        some, rng = rows.fitted_by(k), np.random.RandomState(rows.seed_of("forest", k))
        X, y, weight = rows.X[np.ix_(some, rows.plain)].astype(np.float32), rows.target[some], rows.weight_of(some)
        found: list[list[Tree | None]] = []
        for _ in range(self.trees):  # scikit-learn's forest changes the filters of warnings, which threads share
            model = (ExtraTreeClassifier if rows.n_classes else ExtraTreeRegressor)(
                min_samples_leaf=self.min_rows, max_features=self.inputs, random_state=rng.randint(2**31 - 1)
            )
            with ignored_warnings(), config_context(skip_parameter_validation=True):  # checks take longer than a tree
                tree = model.fit(X, y, weight, check_input=False).tree_
            values = tree.value[:, :, 0]
            if rows.n_classes:
                shares = np.zeros((len(values), rows.n_classes))
                shares[:, model.classes_] = tree.value[:, 0] / tree.value[:, 0].sum(axis=1, keepdims=True)
                values = shares[:, 1:] if rows.n_outputs == 1 else shares
            left, right = tree.children_left, tree.children_right
            found.append([Tree.of(tree.feature, tree.threshold, left, right, values, left < 0)])
        return found

    def outputs(self, fitted: Fitted, X: Array, sets: Array, probable: bool) -> Array:
        """Return the mean of the values of the leaves of a row."""
        roots = fitted["roots"][sets]
        total = sums(fitted, X, roots, fitted["depth"][sets])
        if probable:
            total += fitted["mean"][sets][:, None]
        return np.asarray(total / (roots.shape[1] + probable))

    def operations(self, fitted: Fitted, X: Value, probable: bool) -> Value:
        """Return the mean of the values of the leaves of a row."""
        total = sum_operations(fitted, X)
        if probable:
            total = add(total, constant(fitted["mean"], "float64", members=True))
        return divide(total, fitted["roots"].shape[1] + probable)

    def check(self, fitted: Fitted, n_sets: int, n_inputs: int, n_outputs: int) -> None:
        """Raise `ValueError` unless the trees fit the net."""
        check_trees(fitted, n_sets, n_inputs, 1, n_outputs)
        require(fitted, "mean", (n_sets, n_outputs))
        if not fitted["roots"].size:
            raise ValueError("its forest has no trees")
