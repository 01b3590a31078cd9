"""`nnfs train`: from a config to a run directory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nnfs_cli.cli.choices import Code, Json, Overrides, read
from nnfs_cli.cli.output import fact, note, number, parts_in_words, print_json, say_weights
from nnfs_cli.errors import counted, listing

if TYPE_CHECKING:
    from nnfs_cli.experiment import Experiment
    from nnfs_cli.spec import Spec


def train(
    config: Annotated[Path, typer.Argument(help="The YAML file that says what to learn and how.")],
    set_: Overrides = None,
    runs: Annotated[Path, typer.Option(help="The folder in which the run directory is made.")] = Path("runs"),
    json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but warnings and errors.")] = False,
    code: Code = None,
) -> None:
    """Train the net that CONFIG describes.

    Prints the run directory, as the last line on stdout.
    """
    spec = read(config, set_, code)
    from nnfs_cli import tasks
    from nnfs_cli.cli.progress import watcher

    experiment = tasks.prepare(spec)
    if not quiet:
        _announce(experiment)
    run = tasks.begin(experiment, runs)
    try:
        tasks.train(experiment, run, [] if quiet else [watcher()])
    except KeyboardInterrupt as stop:
        stop.args = (f"{run.path.as_posix()} keeps what was learned so far",)
        raise
    metrics = run.metrics()
    if not quiet:
        _conclude(metrics, experiment.spec)
    if json:
        print_json({"run": run.path.as_posix(), "metrics": metrics})
    else:
        print(run.path.as_posix())


def _announce(experiment: Experiment) -> None:
    """What is about to happen, in three lines."""
    spec = experiment.spec
    data, model = experiment.description, experiment.predictor.model
    target = data["targets"][0]
    if target["kind"] == "class":
        counts = {label: sum(part[label] for part in target["counts"].values()) for label in target["counts"]["train"]}
        shares = ", ".join(_share(label, n / sum(counts.values())) for label, n in list(counts.items())[:4])
        goal = f"{counted(len(counts), 'class', 'classes')} ({shares}{', ...' if len(counts) > 4 else ''})"
    else:
        names = ", ".join(target["name"] for target in data["targets"])
        goal = f"{counted(len(data['targets']), 'number')} ({names})"
    total = sum(data["rows"].values())
    kinds = [column["kind"] for column in data["inputs"]]
    plurals = {"number": "numbers", "category": "categories", "date": "dates"}
    inputs = listing(counted(kinds.count(kind), kind, many) for kind, many in plurals.items() if kind in kinds)
    fact("data", f"{data['name']}: {counted(total, 'row')}, {inputs} -> {goal}; {parts_in_words(data['rows'])}")
    fact("model", f"{model.describe()}, {counted(model.n_parameters, 'parameter')}")
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
    return f"{name} {100 * share:.0f} %" if share >= 0.005 else f"{name} <1 %"


def _conclude(metrics: dict[str, Any], spec: Spec) -> None:
    """What came out, on the rows that were held back."""
    note("")
    if "stopped" in metrics:
        fact("stopped", metrics["stopped"])
    if metrics["best_epoch"] is not None and ("validation" in metrics or spec.checkpoint.monitor != "val_loss"):
        fact("best", f"epoch {metrics['best_epoch']:,}, by its {spec.checkpoint.monitor}")
    held_back = [part for part in metrics if part in ("validation", "test")]
    for part in held_back or ["train"]:
        figures = dict(metrics[part])
        n_rows = int(figures.pop("rows"))
        fact(
            part,
            f"{', '.join(f'{name} {number(value)}' for name, value in figures.items())} ({counted(n_rows, 'row')})",
        )
