"""The learning curves, with the best epoch marked, and the learning rate."""

from __future__ import annotations

import numpy as np

from nnfs_cli.charts.chart import Chart
from nnfs_cli.charts.line import Line
from nnfs_cli.charts.scale import has_wide_range
from nnfs_cli.display.learning_curves import curves
from nnfs_cli.report.blocks import Block, Charts, Section, Text
from nnfs_cli.report.run_facts import RunFacts

LOSS_NOTE = (
    "Both curves should fall. A validation curve that rises while the other one falls shows overfitting; two curves "
    "that stay high show a net that is too small or a learning rate that does not suit."
)


def learning(facts: RunFacts) -> Section | None:
    """Return the learning curves by epoch."""
    if (log := facts.log) is None:
        return Section("learning", "Learning curves", [Text("No epoch was logged.")])
    charts, blocks = [], list[Block]()
    for name in dict.fromkeys(name.split("_", 1)[1] for name in log if name.startswith(("train_", "val_"))):
        values = {of: log[f"{of}_{name}"] for of in ("train", "val") if f"{of}_{name}" in log}
        label = f"loss ({facts.config.loss.name})" if name == "loss" and facts.config else ""
        chart = curves(name, log["epoch"], values, facts.best_epoch, label)
        charts.append((chart, LOSS_NOTE if name == "loss" and len(values) > 1 else ""))
    rate = log.get("lr", np.empty(0))
    if len(np.unique(rate)) > 1:
        lines = [Line(log["epoch"], rate)]
        charts.append((Chart("Learning rate", "epoch", "learning rate", lines, y_log=has_wide_range(rate)), ""))
    elif rate.size:
        blocks.append(Text(f"The learning rate is {rate[0]:g} in all epochs.", soft=True))
    if facts.config and facts.config.blend:
        blocks.append(Text("The curves show the net alone: the other models of its blend join it later.", soft=True))
    return Section("learning", "Learning curves", [Charts(charts), *blocks])
