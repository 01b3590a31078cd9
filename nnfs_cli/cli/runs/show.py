"""`nnfs runs show`: one run on a page."""

from __future__ import annotations

import math
import shlex
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from nnfs_cli.cli.help import manual
from nnfs_cli.cli.options import Code, Json, Quiet, RunFolder, load
from nnfs_cli.cli.paths import open_run, run_meant
from nnfs_cli.cli.runs.list_runs import plain_overview
from nnfs_cli.cli.terminal import print_fact, print_json, suggest, width_of
from nnfs_cli.display.text import byte_size, duration
from nnfs_cli.system.wording import counted

if TYPE_CHECKING:
    from nnfs_cli.runs.directory import RunDirectory
    from nnfs_cli.runs.overview import RunOverview

HEIGHT, WIDEST = 9, 100  # lines and columns of the curves


@manual(
    "nnfs runs show runs/breast_cancer-1",
    "nnfs runs show runs/breast_cancer-1 --json",
    guide="runs",
)
def show(run: RunFolder = None, json: Json = False, quiet: Quiet = False, code: Code = None) -> None:
    """Show RUN on a page: its state, data, net and training, its curves, figures, verdicts and files."""
    from nnfs_cli.runs.overview import is_run, overview
    from nnfs_cli.runs.removal import files_of

    path = run_meant(run, quiet=True, which="any")  # the page names it
    path = path if is_run(path) else open_run(path).path
    load(code)
    found, files = overview(path), files_of(path)
    opened = None if found.state == "damaged" else open_run(path)
    if json:
        print_json({**plain_overview(found), **_records(opened), "files": files})
        return
    print_fact("run", path.as_posix())
    print_fact("state", _state(found), "warning" if found.state == "damaged" else "label")
    if opened is not None:
        _print_training(opened, found.best_epoch)
    sizes = ", ".join(f"{name} {byte_size(size)}" for name, size in files.items())
    print_fact("files", f"{counted(len(files), 'file')}, {byte_size(sum(files.values()))}: {sizes}")
    if command := _next(found):
        suggest(command, quiet)


def _records(run: RunDirectory | None) -> dict[str, Any]:
    """Return the final figures and the verdicts of a run, for JSON."""
    if run is None:
        return {"metrics": None, "verdict": []}
    return {
        "metrics": run.metrics() if run.records.has_metrics() else None,
        "verdict": run.records.verdict(),
    }


def _state(run: RunOverview) -> str:
    """Describe the state: "finished 3 days ago (2026-11-29 23:17); 10 epochs in 0.013 s"."""
    from nnfs_cli.runs.selection import in_words

    if run.state == "damaged":
        return f"damaged: {run.problem}"
    state: str = run.state
    if run.since is not None:
        age = in_words(datetime.now(UTC) - run.since)
        state += f" for {age}" if state == "running" else f" {age} ago"
        state += f" ({run.since.astimezone():%Y-%m-%d %H:%M})"
    epochs = counted(run.epochs or 0, "epoch")
    if run.planned not in (None, run.epochs):
        epochs += f" of {run.planned:,}"
    took = f" in {duration(run.seconds)}" if run.seconds is not None else ""
    return f"{state}; {epochs}{took}"


def _print_training(run: RunDirectory, best_epoch: int | None) -> None:
    """Print what was trained, how its losses went, and what came of it."""
    from nnfs_cli.cli.report_training import data_in_words, model_in_words, recipe
    from nnfs_cli.display.summary import summary_lines
    from nnfs_cli.workflows.load_run import config_of, net_of
    from nnfs_cli.workflows.verdicts import recorded_verdict

    print_fact("data", data_in_words(run.records.data()))
    config = config_of(run)
    print_fact("model", model_in_words(config, net_of(run, config).model))
    print_fact("training", ", ".join(recipe(config)))
    print_fact("engine", config.engine)
    if lines := _curves(run, best_epoch):
        print("\n".join(["", *lines, ""]))
    if run.records.has_metrics():
        for label, text in summary_lines(run.metrics(), config):
            print_fact(label, text)
    for verdict in recorded_verdict(run):
        print_fact("verdict", str(verdict), "warning" if verdict.severity == "warning" else "label")


def _curves(run: RunDirectory, best_epoch: int | None) -> list[str]:
    """Return the learning curves with the best epoch marked; none unless there are two epochs."""
    from nnfs_cli.display.text_curves import Thinned, shows_braille, text_curves

    rows = run.epochs()
    curves = {"train": Thinned(), "validation": Thinned()}
    for row in rows:
        for name, key in zip(curves, ("train_loss", "val_loss"), strict=True):
            curves[name].add(row["epoch"], row.get(key, math.nan))
    if len(rows) < 2:
        return []
    best = next((row for row in rows if row["epoch"] == best_epoch), None)
    width = min(width_of(sys.stdout) or 80, WIDEST) - 1
    return text_curves(
        {name: curve.points() for name, curve in curves.items()},
        width,
        HEIGHT,
        x_label="epoch",
        x_range=(rows[0]["epoch"], rows[-1]["epoch"]),
        mark=(best["epoch"], best.get("val_loss", best.get("train_loss", math.nan))) if best else None,
        braille=shows_braille(sys.stdout),
    )


def _next(run: RunOverview) -> str:
    """Return the commands that go on from a run in this state."""
    path = shlex.quote(run.path.as_posix())
    match run.state:
        case "finished":
            return f"nnfs evaluate {path}, then nnfs predict --run {path} --input FILE"
        case "interrupted" | "failed":
            return f"nnfs resume {path}"
        case "diverged":
            return f"nnfs doctor {path}"
        case _:
            return ""
