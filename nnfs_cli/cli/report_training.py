"""Report training on stderr: the plan before it, and the figures or how to resume it after it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from nnfs_cli.cli.terminal import fact, print_json, report_row_weights, report_verdict, suggest
from nnfs_cli.display.stderr import note
from nnfs_cli.display.summary import summary_lines
from nnfs_cli.display.text import split_sizes
from nnfs_cli.system.secrets import without_secrets
from nnfs_cli.system.warn import warn
from nnfs_cli.system.wording import counted, listing, percent
from nnfs_cli.training.callbacks import Callback, Training
from nnfs_cli.workflows.verdicts import recorded_verdict

if TYPE_CHECKING:
    from nnfs_cli.config.config import Config
    from nnfs_cli.experiment.experiment import Experiment
    from nnfs_cli.nn.model import Model
    from nnfs_cli.report.watch import Watch
    from nnfs_cli.runs.directory import RunDirectory
    from nnfs_cli.workflows.run_predictions import FreshPredictions


def conduct(
    training: Callable[[], FreshPredictions],
    experiment: Experiment,
    run: RunDirectory,
    *,
    quiet: bool,
    json: bool,
    report: bool,
    watch: Watch | None = None,
) -> None:
    """Run the training of a run, report its figures or how to resume it, and print the run directory.

    With `report`, the page that shows the run is written, too, and shown to the browser that watches.
    """
    path = run.path.as_posix()
    resume = f"nnfs resume {shlex.quote(path)}"
    try:
        fresh = training()
    except KeyboardInterrupt as stop:
        stop.args = (f"{path} keeps what was learned so far; to continue:\n  {resume}",)
        raise
    except OSError:
        note(f"{path} keeps what was learned until its last checkpoint; to continue:\n  {resume}")
        raise
    metrics, verdicts = run.metrics(), recorded_verdict(run)
    if not quiet:
        note("")
        for label, text in summary_lines(metrics, experiment.config):
            fact(label, text)
        report_verdict(verdicts)
    if report:
        _write_report(run, experiment, fresh, quiet, watch)
    suggest(f"nnfs evaluate {shlex.quote(path)}, then nnfs predict --input FILE", quiet or json)
    if json:
        print_json({"run": path, "metrics": metrics, "verdict": [verdict.plain() for verdict in verdicts]})
    else:
        print(path)


def _write_report(
    run: RunDirectory, experiment: Experiment, fresh: FreshPredictions, quiet: bool, watch: Watch | None
) -> None:
    """Write the page of a run that has finished; if that fails, warn."""
    from nnfs_cli.report.run_facts import RunFacts
    from nnfs_cli.report.write import write_report

    retry = f"`nnfs report {shlex.quote(run.path.as_posix())}` writes it"
    try:
        page = write_report(RunFacts(run, experiment, fresh=fresh))
    except KeyboardInterrupt as stop:
        stop.args = (f"{run.path.as_posix()} has finished, but its report was not written; {retry}",)
        raise
    except Exception as error:  # the run itself is whole
        warn(f"the report was not written: {error}; {retry}")
    else:
        if watch is not None:
            fact("report", watch.finish(page))
        elif not quiet:
            fact("report", page.as_posix())


def announce(experiment: Experiment) -> None:
    """Report the data, the net and the training of a prepared experiment."""
    config, data, model = experiment.config, experiment.description, experiment.predictor.model
    if config.preset is not None:
        fact("preset", f"{config.preset.name} fills in what the config leaves out; see spec.yaml in the run directory")
    fact("data", data_in_words(data))
    fact("model", model_in_words(config, model))
    if config.holdout is not None:
        fact("holdout", _holdout(experiment))
    if config.blend:
        names = listing(model.name for model in config.blend)
        fact("blend", f"{names} {'joins' if len(config.blend) == 1 else 'join'} the net after its training")
    report_row_weights(data)
    fact("training", ", ".join(recipe(config)))


def announce_trackers(experiment: Experiment, run: RunDirectory) -> None:
    """Report where the figures of a run go besides the run."""
    for tracker in experiment.config.track:
        fact("track", f"{tracker.name}: {without_secrets(tracker.place(run.path))}")


def data_in_words(data: Mapping[str, Any]) -> str:
    """Describe the data of a run, given its record: rows, inputs, target, and the sizes of the splits."""
    kinds = [column["kind"] for column in data["inputs"]]
    inputs = listing(counted(kinds.count(kind), kind) for kind in ("number", "category", "date") if kind in kinds)
    rows = counted(sum(data["rows"].values()), "row")
    return f"{data['name']}: {rows}, {inputs} -> {_target(data['targets'])}; {split_sizes(data['rows'])}"


def model_in_words(config: Config, model: Model) -> str:
    """Describe a net: its layers and the number of its parameters."""
    parameters = counted(model.n_parameters, "parameter")
    return f"{model.describe()}{f'; {parameters} in all' if config.members > 1 else f', {parameters}'}"


def _holdout(experiment: Experiment) -> str:
    """Describe how members are scored out of fold."""
    members, folds = experiment.config.members, experiment.splits["train"].folds
    if folds is None or not folds.forward:
        return f"each of the {members} members trains without one fold of the rows and is scored on it"
    scored = f"{folds.n_folds} of {members} members, each scored on later rows than it trains on"
    return f"{scored}; the others train on all rows"


def _target(targets: list[dict[str, Any]]) -> str:
    """Describe the target: "2 classes (malignant 37 %, benign 63 %)" or "1 number (price)"."""
    if targets[0]["kind"] != "class":
        return f"{counted(len(targets), 'number')} ({', '.join(target['name'] for target in targets)})"
    if len(targets) > 1:
        return f"{counted(len(targets), 'label')} ({', '.join(map(_label, targets[:4]))}{', ...' * (len(targets) > 4)})"
    by_split = targets[0]["counts"]
    counts = {label: sum(split[label] for split in by_split.values()) for label in by_split["train"]}
    shares = ", ".join(_share(label, n / sum(counts.values())) for label, n in list(counts.items())[:4])
    return f"{counted(len(counts), 'class')} ({shares}{', ...' if len(counts) > 4 else ''})"


def _label(target: Mapping[str, Any]) -> str:
    """Describe one of several targets of two classes: "rain: yes 51 %"."""
    totals: dict[str, int] = {}
    for of_split in target["counts"].values():
        totals = {label: totals.get(label, 0) + n for label, n in of_split.items()}
    second = [*totals][-1]
    return f"{target['name']}: {_share(second, totals[second] / max(sum(totals.values()), 1))}"


def _share(label: str, share: float) -> str:
    """Format the share of a class; quote a label that could be read as a part of the number."""
    name = label if label.isidentifier() else f"'{label}'"
    return f"{name} {percent(share)}"


def recipe(config: Config) -> list[str]:
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


class Resumed(Callback):
    """A callback that announces a resumed training, once its saved state has been found to fit."""

    def __init__(self, experiment: Experiment, run: RunDirectory) -> None:
        self._experiment, self._run = experiment, run

    def on_begin(self, training: Training) -> None:
        """Report the experiment, and the epoch and the step of the restored state."""
        announce(self._experiment)
        announce_trackers(self._experiment, self._run)
        progress = training.progress
        if not progress.step:
            fact("resumed", f"from the beginning, to epoch {progress.epochs:,}; the run has no later state")
            return
        done = f"after {counted(progress.epoch, 'epoch')} and {counted(progress.step, 'step')}"
        fact("resumed", f"{done}, to epoch {progress.epochs:,}")
