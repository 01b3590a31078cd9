"""Compares prediction intervals: `python -m tests.benchmarks.intervals [FOLDER]`, after `pip install '.[bench]'`.

Every method learns from the same rows and makes intervals at 90 % for others, on made tables and on scikit-learn's
diabetes, and on the tables of numbers in a folder, see `tables.py`. Prints a table in Markdown: how often intervals
hold the truth, for the fifth of the rows where that is least often, and how wide they are on average, relative to those
of nnfs. The fifths are those of the true spread of the noise in made tables, and of the width of nnfs' intervals in
others. "equal width" is what nnfs did before it learned the spread: the same distance around each prediction.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nnfs_cli import NetRegressor
from nnfs_cli.arrays import Array
from tests.benchmarks.tables import in_folder
from tests.prediction.test_interval_coverage import ALIKE, LEVEL, SETTINGS, UNLIKE, made

ROWS, NEW, MOST = 600, 2_000, 3_000
Bounds = tuple[Array, Array]


class Problem(NamedTuple):
    """Rows to learn from and new rows; `hardness` (new rows,) orders the new rows, if it is known."""

    X: Array
    y: Array
    X_new: Array
    y_new: Array
    hardness: Array | None


def nnfs(problem: Problem, name: str, seed: int) -> Bounds:
    """The preset with its intervals."""
    net = NetRegressor(random_state=seed, **SETTINGS.get(name, {})).fit(problem.X, problem.y)
    low, high = net.predict_interval(problem.X_new, level=LEVEL).T
    return low, high


def equal_width(problem: Problem, name: str, seed: int) -> Bounds:
    """The preset on four fifths of the rows, and the errors on the others in the target's own units."""
    cut = len(problem.y) * 4 // 5
    net = NetRegressor(random_state=seed, **SETTINGS.get(name, {})).fit(problem.X[:cut], problem.y[:cut])
    errors = np.sort(np.abs(problem.y[cut:] - net.predict(problem.X[cut:])))
    bound = errors[min(int(np.ceil((len(errors) + 1) * LEVEL)), len(errors)) - 1]
    answer = net.predict(problem.X_new)
    return answer - bound, answer + bound


def mapie_cv_plus(problem: Problem, name: str, seed: int) -> Bounds:
    """MAPIE's CV+ with five folds around the preset."""
    from mapie.regression import CrossConformalRegressor

    net = NetRegressor(random_state=seed, **SETTINGS.get(name, {}))
    method = CrossConformalRegressor(net, confidence_level=LEVEL, method="plus", cv=5, random_state=seed)
    _, bounds = method.fit_conformalize(problem.X, problem.y).predict_interval(problem.X_new)
    return bounds[:, 0, 0], bounds[:, 1, 0]


def mapie_cqr(problem: Problem, name: str, seed: int) -> Bounds:
    """MAPIE's conformalized quantile regression around boosting, with a fifth of the rows to conformalize."""
    from mapie.regression import ConformalizedQuantileRegressor
    from sklearn.ensemble import GradientBoostingRegressor

    cut = len(problem.y) * 4 // 5
    boosting = GradientBoostingRegressor(loss="quantile", random_state=seed)
    method = ConformalizedQuantileRegressor(boosting, confidence_level=LEVEL)
    method.fit(problem.X[:cut], problem.y[:cut]).conformalize(problem.X[cut:], problem.y[cut:])
    _, bounds = method.predict_interval(problem.X_new)
    return bounds[:, 0, 0], bounds[:, 1, 0]


METHODS: dict[str, Callable[[Problem, str, int], Bounds]] = {
    "nnfs": nnfs,
    "equal width": equal_width,
    "CV+ (MAPIE)": mapie_cv_plus,
    "CQR (MAPIE)": mapie_cqr,
}


def problems(folder: Path | None, sets: int) -> Iterator[tuple[str, list[Problem]]]:
    """Made tables, then real ones, each as several splits into rows to learn from and new rows."""
    for name in ("normal", "heavy tails", "two kinds", "much for few", "factor", "counts"):
        data = [made({**ALIKE, **UNLIKE}[name], ROWS + NEW, seed) for seed in range(sets)]
        yield name, [Problem(X[:ROWS], y[:ROWS], X[ROWS:], y[ROWS:], noise[ROWS:]) for X, y, noise in data]
    from sklearn.datasets import load_diabetes

    yield "diabetes", list(_splits(*load_diabetes(return_X_y=True), sets))
    for task in in_folder(folder) if folder else ():
        if not task.n_classes:
            X = np.stack([task.table.numbers(name) for name, kind in task.kinds.items() if kind == "number"], axis=1)
            yield task.name, list(_splits(X, task.y, sets))


def _splits(X: Array, y: Array, sets: int) -> Iterator[Problem]:
    for seed in range(sets):
        order = np.random.default_rng(seed).permutation(len(y))[:MOST]
        train, new = np.split(order, [len(order) * 7 // 10])
        yield Problem(X[train], y[train], X[new], y[new], None)


def report(folder: Path | None, sets: int) -> Iterator[str]:
    """The table, line by line."""
    yield f"| table | {' | '.join(METHODS)} |"
    yield f"|---|{'---:|' * len(METHODS)}"
    for name, several in problems(folder, sets):
        shares: dict[str, list[float]] = {method: [] for method in METHODS}
        fifths: dict[str, list[list[float]]] = {method: [] for method in METHODS}
        widths: dict[str, list[float]] = {method: [] for method in METHODS}
        for seed, problem in enumerate(several):
            hardness = problem.hardness
            for method, bounds_of in METHODS.items():
                print(f"{name} {seed} {method} ...", file=sys.stderr)
                low, high = bounds_of(problem, name, seed)
                hardness = high - low if hardness is None else hardness
                inside = (low <= problem.y_new) & (problem.y_new <= high)
                parts = np.array_split(inside[np.argsort(hardness, kind="stable")], 5)
                shares[method].append(float(inside.mean()))
                fifths[method].append([float(part.mean()) for part in parts])
                widths[method].append(float((high - low).mean()))
        cells = []
        for method in METHODS:
            width = np.mean(widths[method]) / np.mean(widths["nnfs"])
            worst = np.mean(fifths[method], axis=0).min()
            cells.append(f"{100 * np.mean(shares[method]):.1f} %, {100 * worst:.0f} %, {width:.2f}")
        yield f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--sets", type=int, default=10)
    given = parser.parse_args()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for line in report(given.folder, given.sets):
            print(line, flush=True)


if __name__ == "__main__":
    main()
