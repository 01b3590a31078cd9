"""Describe a run in a few lines, even if it is unfinished or damaged."""

from __future__ import annotations

import math
from typing import Any

from nnfs_cli.api.estimators.findings import folded
from nnfs_cli.display.html import facts_html, table_html, titled_html
from nnfs_cli.display.learning_curves import learning_curves
from nnfs_cli.display.summary import summary_lines, verdict_lines
from nnfs_cli.display.text import number
from nnfs_cli.errors import UserError
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.system.ignored_warnings import ignored_warnings
from nnfs_cli.workflows.load_run import UNUSABLE, blame_run, config_of, net_of
from nnfs_cli.workflows.verdicts import recorded_verdict

CURVES = ("epoch", "train_loss", "val_loss")


def describe(run: RunDirectory) -> str:
    """Return the path, the data, the net and the figures of a run, one a line."""
    facts = [*_facts(run), *_figures(run)]
    width = max(len(label) for label, _ in facts)
    return "\n".join([str(run.path), *(folded(f"  {label:<{width}}  ", text) for label, text in facts)])


def describe_html(run: RunDirectory) -> str:
    """Return the path, the data, the net, the figures by split and the learning curves of a run, as HTML."""
    return titled_html(
        run.path.as_posix(), facts_html(_facts(run)), _table(run), facts_html(_verdict(run)), _curves(run)
    )


def _facts(run: RunDirectory) -> list[tuple[str, str]]:
    """Return facts about a run, and the error if it is damaged."""
    facts = []
    try:
        state = run.status().get("state", "unknown")
        facts = [] if state == "finished" else [("state", state)]
        with blame_run(run), ignored_warnings():
            config, data = config_of(run), run.records.data()
            rows = ", ".join(f"{n:,} {split}" for split, n in data.get("rows", {}).items())
            facts.append(("data", f"{data.get('name', 'unknown')}: {rows} rows"))
            facts.append(("net", net_of(run, config).model.describe()))
    except UserError as error:
        return [*facts, ("error", " ".join(str(error).split()))]
    return facts


def _figures(run: RunDirectory) -> list[tuple[str, str]]:
    """Return the lines about the final figures, if there are any."""
    try:
        with ignored_warnings():
            return [*summary_lines(run.metrics(), config_of(run)), *_verdict(run)]
    except (UserError, *UNUSABLE):  # it is unfinished, or damaged in a way that the facts say
        return []


def _verdict(run: RunDirectory) -> list[tuple[str, str]]:
    """Return the lines of the verdict, if there are any."""
    try:
        return verdict_lines(recorded_verdict(run))
    except UserError:
        return []


def _table(run: RunDirectory) -> str:
    """Return a table of the final figures by split, if there are any."""
    splits = {split: figures for split, figures in _metrics(run).items() if isinstance(figures, dict)}
    names = list(dict.fromkeys(name for figures in splits.values() for name in figures))
    rows = [[split, *(number(figures.get(name)) for name in names)] for split, figures in splits.items()]
    return table_html(["", *names], rows) if rows else ""


def _curves(run: RunDirectory) -> str:
    """Return the learning curves, if the log has them."""
    try:
        rows = run.epochs()
    except UserError:
        return ""
    epochs, train_loss, val_loss = ([row.get(name, math.nan) for row in rows] for name in CURVES)
    return learning_curves(epochs, train_loss, val_loss, _metrics(run).get("best_epoch"))


def _metrics(run: RunDirectory) -> dict[str, Any]:
    try:
        return run.metrics()
    except UserError:
        return {}
