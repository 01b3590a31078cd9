"""The top of the report: how the run stands, its data, its net, its best figures and the verdicts on it."""

from __future__ import annotations

from collections.abc import Sequence

from nnfs_cli.display.summary import blend_in_words
from nnfs_cli.display.text import ROWS_OF, number
from nnfs_cli.report.blocks import Block, Facts, Figures, Notice, Tone
from nnfs_cli.report.run_facts import RunFacts
from nnfs_cli.system.wording import counted
from nnfs_cli.workflows.load_run import net_of

STATES: dict[str, tuple[Tone, str]] = {
    "running": ("plain", "The training is still running, or it was killed. The figures are those so far."),
    "interrupted": ("warn", "The training was interrupted; nnfs resume continues it. The figures are those so far."),
    "diverged": ("bad", "The training diverged: a loss or a gradient was not finite. The epochs before it are shown."),
    "failed": ("bad", "The training failed. The epochs before that are shown."),
}
HALF = 150  # characters of a long description of a net, at its beginning and at its end
UNKNOWN: tuple[Tone, str] = ("bad", "It is not known how the training ended.")


def summary(facts: RunFacts) -> Sequence[Block]:
    """Return the blocks at the top of the page."""
    blocks: list[Block] = []
    if facts.state != "finished":
        tone, sentence = STATES.get(facts.state, UNKNOWN)
        blocks.append(Notice(tone, facts.state, sentence))
    if rows := _headline(facts):
        blocks.append(Figures(rows))
    blocks.append(Facts(summary_facts(facts)))
    for verdict in facts.verdicts:
        blocks.append(Notice("warn" if verdict.severity == "warning" else "plain", verdict.severity, str(verdict)))
    return blocks


def faults(facts: RunFacts) -> list[Block]:
    """Return what could not be read, after all sections have been made."""
    return [Notice("bad", "missing", fault) for fault in facts.faults]


def _headline(facts: RunFacts) -> list[tuple[str, str]]:
    """Return the figures of the rows that were held out last: the test rows, else the validation rows."""
    split = next((name for name in ("test", "validation", "train") if name in facts.figures), None)
    if split is None:
        return []
    figures = {name: value for name, value in facts.figures[split].items() if name != "rows"}
    return [(number(value), f"{name}, {ROWS_OF[split]}") for name, value in list(figures.items())[:5]]


def summary_facts(facts: RunFacts) -> list[tuple[str, str]]:
    """Return a line each for the data, the net, the loss, the training, the epoch that was kept and the blend."""
    rows: list[tuple[str, str]] = []
    if facts.data is not None:
        sizes = ", ".join(f"{n:,} {split}" for split, n in dict(facts.data.get("rows", {})).items())
        rows.append(("data", f"{facts.data.get('name', 'unknown')}: {sizes} rows"))
    if (config := facts.config) is not None:
        with facts.noted():
            known = facts.experiment or facts.predictions  # a training that goes on predicts nothing for its page
            predictor = known.predictor if known else net_of(facts.run, config)
            rows.append(("net", _cut(predictor.model.describe().replace("->", "\u2192"))))
        size = "all rows" if config.batch_size == "full" else counted(int(config.batch_size or 0), "row")
        rows.append(("loss", config.loss.name))
        rate = f", lr {config.lr:g}" if config.lr else ""  # a minimizer has none
        rows.append(("training", f"{config.optimizer.name}{rate}, batches of {size}, seed {config.seed}"))
    if facts.log is not None:
        last = int(facts.log["epoch"][-1])
        total = f" of {config.epochs:,}" if config is not None else ""
        rows.append(("epochs", f"{last:,}{total}{_stopped(facts)}"))
    if facts.best_epoch is not None and config is not None:
        rows.append(("best epoch", f"{facts.best_epoch:,}, by {config.checkpoint.monitor}"))
    if parts := facts.metrics.get("blend"):
        rows.append(("blend", blend_in_words(parts)))
    return rows


def _cut(net: str) -> str:
    """Return the description of a net, without the middle if it is long."""
    return net if len(net) <= 2 * HALF else f"{net[:HALF]} \u2026 {net[-HALF:]}"


def _stopped(facts: RunFacts) -> str:
    """Return why training ended early, if it did."""
    stopped = facts.metrics.get("stopped")
    return f"; stopped: {stopped}" if stopped else ""
