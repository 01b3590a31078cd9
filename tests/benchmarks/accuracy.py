"""Compares how good models are: `python -m tests.benchmarks.accuracy [FOLDER ...]`, after `pip install '.[bench]'`.

Every model learns from the same 80 % of a table's rows and is judged by the others, for several splits, on one thread
and in a process of its own. A folder holds files and a description of them, see `tables.py`. Prints a report in
Markdown. With `--output`, every figure is written at once to a JSON file, and what the file holds is not measured
again; so a comparison can be stopped and continued, and a model added later.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import traceback
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import chain, product
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from nnfs_cli.metrics import Metric, PredictedRows
from nnfs_cli.system.threads import VARIABLES
from tests.benchmarks.accuracy_report import markdown, summary
from tests.benchmarks.models import MODELS, answer
from tests.benchmarks.part import PREFIXES, Found, circumstances, say
from tests.benchmarks.tables import Task, built_in, in_folder

PEERS = ("numpy", "scikit-learn", "lightgbm", "catboost", "pytabkit", "torch")
COMPARED = [model for model in MODELS if model != "RandomForest"]


def figures(task: Task, test: np.ndarray, y_hat: np.ndarray) -> dict[str, float]:
    """The figure that counts, `loss`, and those that people know: accuracy, for two classes with its AUC, or R2."""
    names = (
        ("log_loss", "accuracy", *(["roc_auc"] if task.n_classes == 2 else [])) if task.n_classes else ("rmse", "r2")
    )
    y = task.y[test] if task.n_classes else task.y[test][:, None]
    predicted = PredictedRows(y, y_hat if task.n_classes else y_hat.reshape(-1, 1))
    loss, *known = (Metric.resolve(name).score(predicted) for name in names)
    return {"loss": loss, **dict(zip(names[1:], known, strict=True))}


def measured(task: Task, name: str, split: int) -> dict[str, float]:
    """One model on one split, in a process of its own; also its seconds of learning, and the most memory it took."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(_measured, task, name, split).result()


def _measured(task: Task, name: str, split: int) -> dict[str, float]:
    import resource

    train, test = task.split(split)
    y_hat, seconds = answer(name, task, train, test)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"split": split, **figures(task, test, y_hat), "seconds": seconds, "megabytes": memory}


def compared(tasks: Sequence[Task], models: Sequence[str], splits: int, output: Path | None) -> Found:
    """Measure what is not in a file yet: split by split, the fast models and the small tables first.

    A model that fails on a table is named on stderr, and has no figure there.
    """
    about, found = circumstances(PEERS), read(output)
    for split, model, task in product(range(splits), models, sorted(tasks, key=lambda task: task.table.n_rows)):
        done = {one["split"] for one in found.get("figures", {}).get(task.name, {}).get(model, ())}
        if split in done or (task.splits and split >= len(task.splits)):
            continue
        say(f"split {split} of {task.name}: {model}")
        try:
            of_split = measured(task, model, split)
        except Exception:
            traceback.print_exc()
        else:
            found = added(found, about, task.name, model, of_split, output)
    return found


def read(output: Path | None) -> Found:
    """What a file holds, nothing if it is not there yet."""
    found: Found = json.loads(output.read_text(encoding="utf-8")) if output and output.exists() else {}
    return found


def added(found: Found, about: Found, table: str, model: str, figures: dict[str, float], output: Path | None) -> Found:
    """Add figures to what was found, and to the file; another process may write to the same file."""
    if output is None:
        return _with(found, about, table, model, figures)
    with output.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        found = _with(json.loads(file.read() or "{}"), about, table, model, figures)
        text = json.dumps(found, indent=1) + "\n"
        file.truncate(0)
        file.write(text)
    return found


def _with(found: Found, about: Found, table: str, model: str, figures: dict[str, float]) -> Found:
    packages = {**found.get("machine", {}).get("packages", {}), **about["machine"]["packages"]}
    tables = found.get("figures", {})
    tables.setdefault(table, {}).setdefault(model, []).append(figures)
    return {"date": about["date"], "machine": {**about["machine"], "packages": packages}, "figures": tables}


def selected(found: Found, tables: Sequence[str] | None, models: Sequence[str]) -> Found:
    """What was found of some tables and models, in the order of the models."""
    kept = {table: of for table, of in found["figures"].items() if not tables or table in tables}
    return {**found, "figures": {table: {m: of[m] for m in models if m in of} for table, of in kept.items()}}


def main(words: Sequence[str] | None = None) -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, help="with tables and a description of them")
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--tables", nargs="+", help="only these")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=COMPARED, help="only these")
    parser.add_argument("--output", type=Path, help="of the figures, in JSON; what it holds is not measured again")
    parser.add_argument("--show", type=Path, help="report the figures of this file instead of measuring")
    parser.add_argument("--summary", action="store_true", help="print the short table of the README")
    given = parser.parse_args(words)
    found = read(given.show)
    if not given.show:
        tasks = chain(built_in(), *map(in_folder, given.folders))
        wanted = [task for task in tasks if task.name in (given.tables or [task.name])]
        found = compared(wanted, given.models, given.splits, given.output)
    report = summary if given.summary else markdown
    print(report(selected(found, given.tables, given.models)), end="")


def one_thread() -> None:
    """Let the processes that are begun have one thread each, and nothing else that a machine says of them."""
    for name in [name for name in os.environ if name.startswith(PREFIXES)]:
        del os.environ[name]
    os.environ.update(dict.fromkeys(VARIABLES, "1"))


if __name__ == "__main__":
    one_thread()
    main()
