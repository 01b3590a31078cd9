"""Say what was chosen for a table before training, and why, as findings."""

from __future__ import annotations

from collections.abc import Iterator

from nnfs_cli.config.config import Config
from nnfs_cli.inspection.finding import Finding
from nnfs_cli.inspection.propose import AS_ASKED, Proposal
from nnfs_cli.inspection.suggest import drop_column
from nnfs_cli.inspection.suggestion import Suggestion
from nnfs_cli.presets.tabular import MIN_HOLDOUT_ROWS
from nnfs_cli.system.wording import counted


def choices(proposal: Proposal, config: Config) -> Iterator[Finding]:
    """Yield what `propose` chose, as far as the config keeps it: the task, the columns left out, and held-out rows."""
    task, profile = proposal.task, proposal.profile
    if (task.goal == "regression") == (config.loss.task == "regression"):
        message, other = f"calls for {task.why}", "classes" if task.goal == "regression" else "numbers"
        message += f"; another loss predicts {other} instead" if task.alternative else ""
        value = {"classes": "cross_entropy", "numbers": "mse"}[other]
        loss = Suggestion("loss", ("loss",), value) if task.alternative else None
        yield Finding("task", proposal.targets[0], message, loss)
    else:
        message = f"is learned by {config.loss.task}, since the loss is {config.loss.name}"
        yield Finding("task", proposal.targets[0], message)
    for sentence in profile.odd:
        yield Finding("odd", None, f"{sentence}; such cells are read as missing values")
    for name, one in proposal.parsed.items():
        yield Finding("parsed", name, f"is read as {one.meaning} ({one.n_read:,} of {one.n_cells:,} cells)")
    for name, why in proposal.dropped.items():
        if why != AS_ASKED:
            yield Finding("left_out", name, f"is left out, since it {why}")
    group, split = proposal.group, config.split
    if group and split.column_by_key.get("group") == group.column:
        message = f"{group}, so it is no input and rows of one owner stay in one split"
        yield Finding("grouped", group.column, message)
    dates = proposal.dates
    if dates and split.test and not split.column_by_key:
        message = "holds dates, but the test rows are drawn at random; to predict the future, hold out the latest rows"
        latest = Suggestion("split", ("split",), {"test": split.test, "time": dates[0]})
        yield Finding("time", dates[0], message, latest)
    if profile.n_rows < MIN_HOLDOUT_ROWS and not any(split.fractions.values()):
        rows = counted(profile.n_rows, "row")
        yield Finding("few_rows", None, f"{rows} are too few to hold any out: no figure tells how good the net is")
    for name, why in proposal.suspicious.items():
        message = f"{why}; it should be left out unless its value is known when you predict"
        yield Finding("leak", name, message, drop_column(config, name))
