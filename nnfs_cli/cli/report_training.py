"""Report training on stderr: the plan before it, a table of epochs during it, and the figures after it."""

from __future__ import annotations

import itertools
import math
import shlex
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from nnfs_cli.cli.terminal import (
    fact,
    note,
    number,
    print_json,
    report_row_weights,
    split_sizes,
    suggest,
    visible,
)  # fmt: skip
from nnfs_cli.system.wording import counted, listing, percent
from nnfs_cli.training.callbacks import Callback, Training
from nnfs_cli.training.progress import LogRow

if TYPE_CHECKING:
    from nnfs_cli.config.config import Config
    from nnfs_cli.experiment.experiment import Experiment
    from nnfs_cli.runs.directory import RunDirectory

HIDDEN = ("step", "seconds", "lr")  # columns of the log that the table leaves out
LINES = 20  # epochs of a long training that a terminal shows, approximately; the log has all of them


def conduct(training: Callable[[], object], run: RunDirectory, config: Config, quiet: bool, json: bool) -> None:
    """Run the training of a run, report its figures or how to resume it, and print the run directory."""
    path = run.path.as_posix()
    resume = f"nnfs resume {shlex.quote(path)}"
    try:
        training()
    except KeyboardInterrupt as stop:
        stop.args = (f"{path} keeps what was learned so far; to continue:\n  {resume}",)
        raise
    except OSError:
        note(f"{path} keeps what was learned until its last checkpoint; to continue:\n  {resume}")
        raise
    metrics = run.metrics()
    if not quiet:
        _report_figures(metrics, config)
    suggest(f"nnfs evaluate {shlex.quote(path)}, then nnfs predict --input FILE", quiet or json)
    if json:
        print_json({"run": path, "metrics": metrics})
    else:
        print(path)


# Before training


def announce(experiment: Experiment) -> None:
    """Report the data, the net and the training of a prepared experiment."""
    config, data, model = experiment.config, experiment.description, experiment.predictor.model
    if config.preset is not None:
        fact("preset", f"{config.preset.name} fills in what the config leaves out; see spec.yaml in the run directory")
    total = sum(data["rows"].values())
    kinds = [column["kind"] for column in data["inputs"]]
    inputs = listing(counted(kinds.count(kind), kind) for kind in ("number", "category", "date") if kind in kinds)
    sizes = split_sizes(data["rows"])
    fact("data", f"{data['name']}: {counted(total, 'row')}, {inputs} -> {_target(data['targets'])}; {sizes}")
    parameters = counted(model.n_parameters, "parameter")
    in_all = f"; {parameters} in all" if config.members > 1 else f", {parameters}"
    fact("model", f"{model.describe()}{in_all}")
    if config.holdout is not None:
        fact("holdout", f"each of the {config.members} members trains without one fold of the rows and is scored on it")
    report_row_weights(data)
    fact("training", ", ".join(_recipe(config)))


def _target(targets: list[dict[str, Any]]) -> str:
    """Describe the target: "2 classes (malignant 37 %, benign 63 %)" or "1 number (price)"."""
    if targets[0]["kind"] != "class":
        return f"{counted(len(targets), 'number')} ({', '.join(target['name'] for target in targets)})"
    by_split = targets[0]["counts"]
    counts = {label: sum(split[label] for split in by_split.values()) for label in by_split["train"]}
    shares = ", ".join(_share(label, n / sum(counts.values())) for label, n in list(counts.items())[:4])
    return f"{counted(len(counts), 'class')} ({shares}{', ...' if len(counts) > 4 else ''})"


def _share(label: str, share: float) -> str:
    """Format the share of a class; quote a label that could be read as a part of the number."""
    name = label if label.isidentifier() else f"'{label}'"
    return f"{name} {percent(share)}"


def _recipe(config: Config) -> list[str]:
    """Return the loss, the optimizer and every other setting of the training that is not at its default."""
    batch = "all rows" if config.batch_size == "full" else f"batch {config.batch_size}"
    recipe = [config.loss.name, f"{config.optimizer.name} lr {config.lr:g}" if config.lr else config.optimizer.name]
    if config.schedule.name != "constant":
        recipe.append(config.schedule.name)
    if config.schedule.warmup:
        recipe.append(f"warmup {config.schedule.warmup:g}")
    recipe += [f"{key} {factor:g}" for key, factor in config.penalty if factor]
    recipe += [f"clipped by {key}" for key, bound in config.clip or () if bound]
    recipe += [batch if config.accumulate == 1 else f"{config.accumulate} x {batch}", counted(config.epochs, "epoch")]
    if config.averaging:
        recipe.append(config.averaging.label())
    if config.early_stopping:
        recipe.append(f"patience {config.early_stopping.patience}")
    return [*recipe, f"seed {config.seed}"]


# During training


def progress() -> Callback:
    """Return the callback that suits stderr: a bar on a terminal, plain lines in a file or a pipe."""
    return Bar() if sys.stderr.isatty() else Lines()


class Resumed(Callback):
    """A callback that announces a resumed training, once its saved state has been found to fit."""

    def __init__(self, experiment: Experiment) -> None:
        self._experiment = experiment

    def on_begin(self, training: Training) -> None:
        """Report the experiment, and the epoch and the step of the restored state."""
        announce(self._experiment)
        progress = training.progress
        if not progress.step:
            fact("resumed", f"from the beginning, to epoch {progress.epochs:,}; the run has no later state")
            return
        done = f"after {counted(progress.epoch, 'epoch')} and {counted(progress.step, 'step')}"
        fact("resumed", f"{done}, to epoch {progress.epochs:,}")


class Lines(Callback):
    """A callback that writes a table with a line for every logged epoch."""

    width = math.inf  # columns of the terminal

    def __init__(self) -> None:
        self._widths: dict[str, int] = {}  # of the columns that are shown

    def on_log(self, training: Training, row: LogRow) -> None:
        """Write one line. Columns that do not fit are left out; the log has them."""
        if not self._widths:
            widths = {name: max(len(name), 10) for name in row if name not in HIDDEN}
            widths["epoch"] = max(5, len(f"{training.progress.epochs:,}"))
            ends = itertools.accumulate(width + 2 for width in widths.values())
            self._widths = {name: widths[name] for name, end in zip(widths, ends, strict=True) if end <= self.width - 5}
            more = "  ..." if len(self._widths) < len(widths) else ""
            self.write("")
            self.explain(training)
            self.write("  " + "  ".join(name.rjust(width) for name, width in self._widths.items()) + more, "heading")
        self.write("  " + "  ".join(number(row[name]).rjust(width) for name, width in self._widths.items()))

    def explain(self, training: Training) -> None:
        """Write above the table which epochs it leaves out, if it does."""

    def write(self, line: str, style: str = "") -> None:
        """Write a line to stderr."""
        note(line)


class Bar(Lines):
    """A callback that draws a bar below the table, and of many epochs shows only some."""

    def __init__(self) -> None:
        super().__init__()
        self._progress = Progress(
            TextColumn("  epoch {task.fields[epoch]:,} of {task.fields[epochs]:,}"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[losses]}"),
            TimeRemainingColumn(compact=True),
            console=Console(stderr=True, highlight=False),
            transient=True,
            expand=True,
        )
        self._drawn = 0.0
        self.width = self._progress.console.width

    def on_begin(self, training: Training) -> None:
        """Draw the empty bar."""
        self._every = _round_up(training.progress.epochs / LINES)
        steps = training.progress.steps * training.progress.epochs
        self._task = self._progress.add_task("", total=steps, epoch=1, epochs=training.progress.epochs, losses="")
        self._progress.start()

    def on_step(self, training: Training) -> None:
        """Move the bar, at most five times a second."""
        now = time.monotonic()
        if now - self._drawn > 0.2:
            self._drawn = now
            self._progress.update(self._task, completed=training.progress.step, epoch=training.progress.epoch)

    def on_log(self, training: Training, row: LogRow) -> None:
        """Write a line for the first epoch, the last one and some between; show the losses of all beside the bar."""
        epoch = int(row["epoch"])
        last = epoch == training.progress.epochs or training.stopped
        if epoch <= training.plan.log_every or epoch % self._every == 0 or last:
            super().on_log(training, row)
        losses = "  ".join(f"{name} {number(row[name])}" for name in ("train_loss", "val_loss") if name in row)
        self._progress.update(self._task, losses=losses)

    def explain(self, training: Training) -> None:
        """Write above the table that it shows only some of the logged epochs, if so."""
        shown = math.lcm(self._every, training.plan.log_every)
        if shown > training.plan.log_every:
            self.write(f"  1 in {shown:,} epochs is shown; the log of the run has more")

    def on_end(self, training: Training) -> None:
        """Remove the bar."""
        self._progress.stop()

    def write(self, line: str, style: str = "") -> None:
        """Write a line above the bar."""
        console = self._progress.console
        bold = "bold" if style and not console.no_color else None
        console.print(visible(line), markup=False, soft_wrap=True, style=bold)


def _round_up(every: float) -> int:
    """Return the next number of the series 1, 2, 5, 10, 20, 50, ..."""
    magnitude = 1
    while True:
        for step in (1, 2, 5):
            if step * magnitude >= every:
                return step * magnitude
        magnitude *= 10


# After training


def _report_figures(metrics: dict[str, Any], config: Config) -> None:
    """Report why training stopped, the best epoch, and the figures on the held-out rows."""
    note("")
    if "stopped" in metrics:
        fact("stopped", metrics["stopped"])
    if metrics["best_epoch"] is not None and ("validation" in metrics or config.checkpoint.monitor != "val_loss"):
        fact("best", f"epoch {metrics['best_epoch']:,}, by {config.checkpoint.monitor}")
    held_out = [split for split in metrics if split in ("validation", "test")]
    for split in held_out or ["train"]:
        figures = dict(metrics[split])
        n_rows = int(figures.pop("rows"))
        how = ", out of fold" if config.holdout and split == "validation" else ""
        shown = ", ".join(f"{name} {number(value)}" for name, value in figures.items())
        fact(split, f"{shown} ({counted(n_rows, 'row')}{how})")
