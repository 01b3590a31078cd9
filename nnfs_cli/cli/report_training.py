"""What is said before, while and after a net is trained."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nnfs_cli.cli.terminal import fact, note, number, print_json, say_weights, splits_in_words
from nnfs_cli.system.wording import counted, listing, percent

if TYPE_CHECKING:
    from nnfs_cli.config.config import Config
    from nnfs_cli.experiment.experiment import Experiment
    from nnfs_cli.runs.run import Run


def conduct(training: Callable[[], object], run: Run, spec: Config, quiet: bool, json: bool) -> None:
    """Let the training of a run happen, say what came out or how to go on, and print the run directory."""
    path = run.path.as_posix()
    again = f"nnfs resume {shlex.quote(path)}"
    try:
        training()
    except KeyboardInterrupt as stop:
        stop.args = (f"{path} keeps what was learned so far; to go on:\n  {again}",)
        raise
    except OSError:
        note(f"{path} keeps what was learned until its last checkpoint; to go on:\n  {again}")
        raise
    metrics = run.metrics()
    if not quiet:
        _conclude(metrics, spec)
    if json:
        print_json({"run": path, "metrics": metrics})
    else:
        print(path)


def announce(experiment: Experiment) -> None:
    """What is about to happen, in three lines."""
    spec = experiment.config
    data, model = experiment.description, experiment.predictor.model
    target = data["targets"][0]
    if target["kind"] == "class":
        counts = {
            label: sum(split[label] for split in target["counts"].values()) for label in target["counts"]["train"]
        }
        shares = ", ".join(_share(label, n / sum(counts.values())) for label, n in list(counts.items())[:4])
        goal = f"{counted(len(counts), 'class')} ({shares}{', ...' if len(counts) > 4 else ''})"
    else:
        names = ", ".join(target["name"] for target in data["targets"])
        goal = f"{counted(len(data['targets']), 'number')} ({names})"
    total = sum(data["rows"].values())
    kinds = [column["kind"] for column in data["inputs"]]
    inputs = listing(counted(kinds.count(kind), kind) for kind in ("number", "category", "date") if kind in kinds)
    if spec.preset is not None:
        fact("preset", f"{spec.preset.name} fills in what the config leaves out; spec.yaml in the run has all of it")
    fact("data", f"{data['name']}: {counted(total, 'row')}, {inputs} -> {goal}; {splits_in_words(data['rows'])}")
    fact("model", f"{model.describe()}, {counted(model.n_parameters, 'parameter')}")
    if spec.holdout is not None:
        fact("holdout", f"each of the {spec.members} members is kept from one fold of the rows, and judged by it")
    say_weights(data)
    batch = "all rows" if spec.batch_size == "full" else f"batch {spec.batch_size}"
    how = [spec.loss.name, f"{spec.optimizer.name} lr {spec.lr:g}" if spec.lr else spec.optimizer.name]
    if spec.schedule.name != "constant":
        how.append(spec.schedule.name)
    if spec.schedule.warmup:
        how.append(f"warmup {spec.schedule.warmup:g}")
    how += [f"{key} {factor:g}" for key, factor in spec.penalty if factor]
    how += [f"clipped by {key}" for key, bound in spec.clip or () if bound]
    how += [batch if spec.accumulate == 1 else f"{spec.accumulate} x {batch}", counted(spec.epochs, "epoch")]
    if spec.averaging:
        how.append(spec.averaging.label())
    if spec.early_stopping:
        how.append(f"patience {spec.early_stopping.patience}")
    fact("training", ", ".join([*how, f"seed {spec.seed}"]))


def _share(label: str, share: float) -> str:
    """How much of the rows a class has; a label that is a number is quoted, lest the two run together."""
    name = label if label.isidentifier() else f"'{label}'"
    return f"{name} {percent(share)}"


def _conclude(metrics: dict[str, Any], spec: Config) -> None:
    """What came out, on the rows that were held back."""
    note("")
    if "stopped" in metrics:
        fact("stopped", metrics["stopped"])
    if metrics["best_epoch"] is not None and ("validation" in metrics or spec.checkpoint.monitor != "val_loss"):
        fact("best", f"epoch {metrics['best_epoch']:,}, by its {spec.checkpoint.monitor}")
    held_back = [split for split in metrics if split in ("validation", "test")]
    for split in held_back or ["train"]:
        figures = dict(metrics[split])
        n_rows = int(figures.pop("rows"))
        fact(
            "out of fold" if spec.holdout and split == "validation" else split,
            f"{', '.join(f'{name} {number(value)}' for name, value in figures.items())} ({counted(n_rows, 'row')})",
        )
