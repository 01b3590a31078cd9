"""Follows the protocol of TabArena on tables that you have downloaded: `python -m tests.benchmarks.tabarena FOLDER`.

N. Erickson et al., TabArena: A Living Benchmark for Machine Learning on Tabular Data, NeurIPS 2025. Each table has
outer splits of three folds, repeated 10 times below 2,500 rows, once above 250,000 and else 3 times. The error is
1 - AUC of two classes, the log loss of more, and the RMSE of numbers. In the Elo ratings, each split is a game between
each two models, all games of a table weigh as much as those of another, and the default RandomForest has 1000.

The folder holds a file for each table, its splits as OpenML has them, and a description as `tables.py` tells. With the
package `openml`, this makes one in the current folder:

    import openml, yaml
    from urllib.request import urlretrieve
    about = {}
    for number in openml.study.get_suite("tabarena-v0.1").tasks:
        task = openml.tasks.get_task(number)
        data = task.get_dataset()
        X, _, is_category, names = data.get_data()
        X.to_csv(f"{data.name}.csv", index=False)
        urlretrieve(task.estimation_procedure["data_splits_url"], f"{data.name}.arff")
        about[data.name] = {
            "path": f"{data.name}.csv", "target": task.target_name, "splits": f"{data.name}.arff",
            "classes": "classification" in task.task_type.lower(),
            "categories": [n for n, is_one in zip(names, is_category) if is_one and n != task.target_name],
        }
    yaml.safe_dump(about, open("tables.yaml", "w"))

Models run with their defaults, as their users run them. TabArena bags most of them over eight inner folds. Results that
it has published can be rated beside those measured here, see `--published`.
"""

from __future__ import annotations

import argparse
import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from nnfs_cli.arrays import Array
from tests.benchmarks.accuracy import compared, one_thread
from tests.benchmarks.comparison import Figures
from tests.benchmarks.models import MODELS
from tests.benchmarks.tables import Task, in_folder

ANCHOR, RATING, SCALE = "RandomForest", 1000, 400
ROUNDS = 200  # of the bootstrap
PENALTY = 1e-6  # keeps the rating of a model finite that never lost; TabArena's

Errors = dict[str, Array]  # by table: (splits, models)


def repeats(n_rows: int) -> int:
    """How often the folds of a table are drawn anew."""
    return 10 if n_rows < 2_500 else 1 if n_rows > 250_000 else 3


def protocol(task: Task, lite: bool = False) -> Task:
    """A table with those of its splits that count; of the lite protocol, the first only."""
    if not task.splits:
        raise ValueError(f"{task.name}: its description names no splits")
    return replace(task, splits=task.splits[: 1 if lite else 3 * repeats(task.table.n_rows)])


def error(figures: Mapping[str, float]) -> float:
    """The error of one model on one split."""
    if "metric_error" in figures:  # of a published result
        return figures["metric_error"]
    return 1 - figures["roc_auc"] if "roc_auc" in figures else figures["loss"]


def errors_of(found: Figures, models: Sequence[str]) -> Errors:
    """The errors on the splits that all models have. A table without any is left out."""
    errors = {}
    for table, of in found.items():
        by_split = [{one["split"]: error(one) for one in of.get(model, ())} for model in models]
        if splits := sorted(set.intersection(*map(set, by_split))):
            errors[table] = np.array([[of_model[split] for of_model in by_split] for split in splits])
    return errors


def wins(errors: Errors) -> Array:
    """For each table, the share of its splits in which a model (row) is ahead of another; a tie is half a win."""
    shares = []
    for of in errors.values():
        ours, theirs = of[:, :, None], of[:, None, :]
        shares.append(((ours < theirs) + 0.5 * (ours == theirs)).mean(axis=0))
    won = np.array(shares)
    won[:, np.arange(won.shape[1]), np.arange(won.shape[1])] = 0
    return won


def elo(won: Array) -> Array:
    """The ratings (models,) of a Bradley-Terry model, with mean 0, from wins (models, models), by Newton's method."""
    games, skills = won + won.T, np.zeros(len(won))
    for _ in range(200):
        expected = 1 / (1 + np.exp(skills[None] - skills[:, None]))
        slope = (won - games * expected).sum(axis=1) - PENALTY * skills
        curvature = games * expected * (1 - expected)
        hessian = np.diag(curvature.sum(axis=1) + PENALTY) - curvature
        step = np.linalg.solve(hessian, slope)
        skills += np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-10:
            break
    return skills * SCALE / math.log(10)


def interval(won: Array, seed: int = 0) -> Array:
    """The 2.5 and 97.5 % quantiles (2, models) of the ratings with mean 0, over tables drawn with replacement."""
    rng = np.random.default_rng(seed)
    draws = [elo(won[rng.integers(len(won), size=len(won))].sum(axis=0)) for _ in range(ROUNDS)]
    return np.quantile(draws, [0.025, 0.975], axis=0)


def by_table(errors: Errors, figure: Array) -> Array:
    """The mean over the splits of each table, then over the tables: (models,) from figures (splits, models)."""
    ends = np.cumsum([len(of) for of in errors.values()])[:-1]
    return np.mean([part.mean(axis=0) for part in np.split(figure, ends)], axis=0)


def leaderboard(found: Figures, models: Sequence[str]) -> str:
    """The ratings of the models in Markdown, the best first."""
    from scipy.stats import rankdata

    errors = errors_of(found, models)
    if not errors:
        return "There is no split of any table that all models have.\n"
    won, rows = wins(errors), np.concatenate(list(errors.values()))
    ratings = elo(won.sum(axis=0))
    low, high = np.maximum(0, [[-1], [1]] * (interval(won) - ratings))
    least = rows.min(axis=1, keepdims=True)
    improvable = by_table(errors, 1 - np.divide(least, rows, out=np.ones_like(rows), where=rows > 0))
    ranks = by_table(errors, rankdata(rows, axis=1))
    base = RATING - ratings[list(models).index(ANCHOR)] if ANCHOR in models else RATING
    lines = [
        f"{len(errors)} tables, {len(rows)} splits. {ANCHOR if ANCHOR in models else 'The mean'} has {RATING} Elo.",
        "",
        "| model | Elo | 95 % interval | mean rank | improvability in % |",
        "|---|---:|---:|---:|---:|",
    ]
    for i in np.argsort(-ratings, kind="stable"):
        span = f"+{high[i]:.0f} / -{low[i]:.0f}"
        figures = f"{ratings[i] + base:.0f} | {span} | {ranks[i]:.2f} | {100 * improvable[i]:.1f}"
        lines.append(f"| {models[i]} | {figures} |")
    return "\n".join(lines) + "\n"


def published(path: Path) -> Figures:
    """The results of others: a CSV file with the columns method, dataset, fold and metric_error, as TabArena's are."""
    found: Figures = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            figures = {"split": int(row["fold"]), "metric_error": float(row["metric_error"])}
            found.setdefault(row["dataset"], {}).setdefault(row["method"], []).append(figures)
    return found


def main(words: Sequence[str] | None = None) -> None:
    """Measure and rate."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="with tables, their splits and a description")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=["nnfs", ANCHOR], help="only these")
    parser.add_argument("--tables", nargs="+", help="only these")
    parser.add_argument("--lite", action="store_true", help="only the first split of each table")
    parser.add_argument("--output", type=Path, help="of the figures, in JSON; what it holds is not measured again")
    parser.add_argument("--published", type=Path, help="CSV with results of others: method,dataset,fold,metric_error")
    given = parser.parse_args(words)
    tasks = [protocol(task, given.lite) for task in in_folder(given.folder)]
    tasks = [task for task in tasks if task.name in (given.tables or [task.name])]
    found = compared(tasks, given.models, max(len(task.splits) for task in tasks), given.output)["figures"]
    others = published(given.published) if given.published else {}
    together = {table: {**others.get(table, {}), **found.get(table, {})} for table in found}
    models = [*given.models, *dict.fromkeys(m for of in others.values() for m in of if m not in given.models)]
    models = [m for m in models if all(m in of for of in together.values())]
    print(leaderboard(together, models), end="")


if __name__ == "__main__":
    one_thread()
    main()
