"""Compares how good models are: `python -m tests.benchmarks.accuracy [FOLDER ...]`, after `pip install '.[bench]'`.

Every model learns from the same 80 % of a table's rows and is judged by the others, for several seeds, on one thread
and in a process of its own. A folder holds files and a description of them, see `tables.py`. Prints a report in
Markdown, and writes every figure to a JSON file.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from statistics import fmean, geometric_mean
from typing import Any

import numpy as np

from nnfs_cli.metrics import Metric, PredictedRows
from nnfs_cli.runs.environment import describe_environment
from nnfs_cli.system.threads import VARIABLES
from tests.benchmarks.models import MODELS, answer
from tests.benchmarks.part import PREFIXES
from tests.benchmarks.tables import Task, built_in, in_folder

PEERS = ("numpy", "scikit-learn", "lightgbm", "catboost")
Figures = dict[str, dict[str, list[dict[str, float]]]]  # by table, then by model, one for each split


def figures(task: Task, test: np.ndarray, y_hat: np.ndarray) -> dict[str, float]:
    """The figure that counts, `loss`, and one that people know: accuracy or R2."""
    names = ("log_loss", "accuracy") if task.n_classes else ("rmse", "r2")
    y = task.y[test] if task.n_classes else task.y[test][:, None]
    predicted = PredictedRows(y, y_hat if task.n_classes else y_hat.reshape(-1, 1))
    loss, known = (Metric.resolve(name).score(predicted) for name in names)
    return {"loss": loss, names[1]: known}


def measured(task: Task, name: str, seed: int) -> dict[str, float]:
    """One model on one split, in a process of its own; also how long it learned, and the most memory it took."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measured, (task, name, seed))


def _measured(task: Task, name: str, seed: int) -> dict[str, float]:
    import resource

    train, test = task.split(seed)
    y_hat, seconds = answer(name, task, train, test)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {**figures(task, test, y_hat), "seconds": seconds, "megabytes": memory}


def means(found: Figures, key: str = "loss") -> dict[str, dict[str, float]]:
    """Of each table and model, over the splits."""
    return {
        table: {model: fmean(one[key] for one in splits) for model, splits in models.items()}
        for table, models in found.items()
    }


def ranks(losses: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """The mean rank of each model over the tables: 1 is the best; equal ones share theirs."""
    from scipy.stats import rankdata

    models = list(next(iter(losses.values())))
    return dict(zip(models, np.mean([rankdata(list(of.values())) for of in losses.values()], axis=0), strict=True))


def scores(losses: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """The mean normalized score of each model: of a table, 1 for the least loss and 0 for the greatest."""
    models = list(next(iter(losses.values())))
    rows = np.array([list(of.values()) for of in losses.values()])
    least, greatest = rows.min(axis=1, keepdims=True), rows.max(axis=1, keepdims=True)
    normalised = (greatest - rows) / np.where(greatest > least, greatest - least, 1)
    return dict(zip(models, normalised.mean(axis=0).tolist(), strict=True))


def rivals_of(losses: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Return the losses without the constant model, which competes with nobody and has no rank."""
    return {table: {m: loss for m, loss in of.items() if m != "constant"} for table, of in losses.items()}


def beaten(rivals: Mapping[str, Mapping[str, float]]) -> dict[str, int]:
    """Return on how many tables nnfs has a smaller loss than each other model."""
    others = [m for m in next(iter(rivals.values())) if m != "nnfs"]
    return {m: sum(of["nnfs"] < of[m] for of in rivals.values() if "nnfs" in of) for m in others}


def summary(results: Mapping[str, Any]) -> str:
    """Return the short table of the README: a row for each model, the best mean rank first."""
    rivals = rivals_of(means(results["figures"]))
    seconds, ranked, wins = means(results["figures"], "seconds"), ranks(rivals), beaten(rivals)
    lines = ["| model | mean rank | nnfs is better on | seconds to train |", "|---|---:|---:|---:|"]
    for m in sorted(ranked, key=lambda m: ranked[m]):
        name = f"**{m}**" if m == "nnfs" else m
        better = "" if m == "nnfs" else f"{wins[m]} of {len(rivals)}"
        typical = geometric_mean([of[m] for of in seconds.values()])
        lines.append(f"| {name} | {ranked[m]:.1f} | {better} | {typical:.2f} |")
    about = (
        f"{results['date']}, {results['machine']['processor']}, one thread, {results['splits']} splits of each table."
    )
    return "\n".join([*lines, "", about]) + "\n"


def markdown(results: Mapping[str, Any]) -> str:
    """Return the report of the guide."""
    machine, found = results["machine"], results["figures"]
    packages = ", ".join(f"{name} {number}" for name, number in machine["packages"].items())
    losses = means(found)
    rivals = rivals_of(losses)
    models = list(next(iter(losses.values())))
    ranked, scored = ranks(rivals), scores(rivals)
    seconds, megabytes = means(found, "seconds"), means(found, "megabytes")
    lines = [
        f"Measured on {results['date']}: {machine['processor']}, one thread, Python {machine['python']}, {packages}.",
        f"Each figure is the mean log loss or RMSE of {results['splits']} splits; 80 % of the rows train.",
        "The smallest is bold.",
        "",
        "| table | " + " | ".join(models) + " |",
        "|---|" + "---:|" * len(models),
    ]
    for table, of in losses.items():
        least = min(of.values())
        cells = [f"**{loss:.4g}**" if loss == least else f"{loss:.4g}" for loss in of.values()]
        lines.append(f"| {table} | " + " | ".join(cells) + " |")
    wins = {m: sum(of[m] == min(of.values()) for of in rivals.values()) for m in ranked}
    total = {m: sum(of[m] for of in seconds.values()) for m in models}
    typical = {m: geometric_mean([of[m] for of in seconds.values()]) for m in models}
    most = {m: max(of[m] for of in megabytes.values()) for m in models}
    rows = {
        "mean rank": {m: f"{rank:.2f}" for m, rank in ranked.items()},
        "normalized score": {m: f"{score:.3f}" for m, score in scored.items()},
        "tables won": {m: str(n) for m, n in wins.items()},
        "nnfs is better on": {m: str(n) for m, n in beaten(rivals).items()} if "nnfs" in ranked else {},
        "seconds to train on all tables": {m: f"{n:.1f}" for m, n in total.items()},
        "seconds a table (geometric mean)": {m: f"{n:.2f}" for m, n in typical.items()},
        "peak memory in MB": {m: f"{n:,.0f}" for m, n in most.items()},
    }
    lines += [f"| {what} | " + " | ".join(of.get(m, "-") for m in models) + " |" for what, of in rows.items()]
    return "\n".join(lines) + "\n"


def main(words: Sequence[str] | None = None) -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, help="with tables and a description of them")
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--tables", nargs="+", help="only these")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS), help="only these")
    parser.add_argument("--output", type=Path, help="of the figures, in JSON")
    parser.add_argument("--show", type=Path, help="report the figures of this file instead of measuring")
    parser.add_argument("--summary", action="store_true", help="with --show: print the short table of the README")
    given = parser.parse_args(words)
    if given.show:
        report = summary if given.summary else markdown
        print(report(json.loads(given.show.read_text(encoding="utf-8"))), end="")
        return
    environment = describe_environment()
    machine = {key: environment[key] for key in ("processor", "platform", "python")}
    machine["packages"] = {name: version(name) for name in PEERS}
    found: Figures = {}
    for task in chain(built_in(), *map(in_folder, given.folders)):
        if given.tables and task.name not in given.tables:
            continue
        for name in given.models:
            print(f"{task.name}: {name} ...", file=sys.stderr)
            found.setdefault(task.name, {})[name] = [measured(task, name, seed) for seed in range(given.splits)]
    results = {
        "date": datetime.now(UTC).date().isoformat(),
        "splits": given.splits,
        "machine": machine,
        "figures": found,
    }
    if given.output:
        given.output.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(markdown(results), end="")


def _one_thread() -> None:
    """Let the processes that are begun have one thread each, and nothing else that a machine says of them."""
    for name in [name for name in os.environ if name.startswith(PREFIXES)]:
        del os.environ[name]
    os.environ.update(dict.fromkeys(VARIABLES, "1"))


if __name__ == "__main__":
    _one_thread()
    main()
