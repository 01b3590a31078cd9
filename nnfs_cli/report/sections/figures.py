"""How good the net is: its figures by split with their confidence intervals, beside simple models where known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.display.text import ROWS_OF, number
from nnfs_cli.report.blocks import Block, Notice, Rows, Section, Text
from nnfs_cli.report.run_facts import RunFacts
from nnfs_cli.workflows.bootstrap import intervals
from nnfs_cli.workflows.compare import Comparison
from nnfs_cli.workflows.run_predictions import RunPredictions

SEEN = (
    "Training rows are predicted by models that have seen most of them. Trees repeat what they have seen, so these "
    "figures of a blend are far better than those for new rows."
)
LINEAR_NOTE = (
    "This linear model is a ridge or logistic regression on the inputs of the net, after preprocessing. That of "
    "`nnfs evaluate --baselines` is fitted to the columns of the table, so its figures may differ."
)


def figures(facts: RunFacts) -> Section | None:
    """Return the figures of every split, or why there are none."""
    found = facts.predictions
    if found is None:
        recorded = [_table(facts.figures, {})] if facts.figures else []
        return Section("figures", "Figures", [*recorded, Notice("warn", "note", facts.why_no_predictions)])
    blocks: list[Block] = []
    if facts.state != "finished":
        state = f"The training is {facts.state}; these figures are for the best weights so far."
        blocks.append(Notice("warn", "note", state))
    metrics, seed = found.predictor.config.metrics or (), found.predictor.config.seed
    by_split = {split: intervals(metrics, found.predicted(split), seed) for split in found.held_out}
    blocks.append(_table(found.evaluation, by_split, found.evaluation.out_of_fold))
    if found.predictor.blend is not None and "train" in found.evaluation:
        blocks.append(Text(SEEN, soft=True))
    blocks += _decided(found.evaluation.decision)
    blocks += _beside_simple_models(found)
    if facts.baselines:
        blocks += _baselines(facts.baselines)
    return Section("figures", "Figures", blocks)


def _table(
    figures: Mapping[str, Mapping[str, Any]], bounds: Mapping[str, Mapping[str, Any]], out_of_fold: bool = False
) -> Rows:
    """Return a row for each figure and a column for each split; an interval follows its figure."""
    names = list(dict.fromkeys(name for of_split in figures.values() for name in of_split if name != "rows"))
    rows = [["rows", *(f"{int(of_split['rows']):,}" for of_split in figures.values())]] if figures else []
    for name in names:
        cells = [
            _with_interval(of_split.get(name), bounds.get(split, {}).get(name)) for split, of_split in figures.items()
        ]
        rows.append([name, *cells])
    header = [ROWS_OF.get(split, split) for split in figures]
    if out_of_fold:
        header = [f"{name}, out of fold" if name == ROWS_OF["validation"] else name for name in header]
    caption = "Figures with 95 % confidence intervals" if bounds else "Figures"
    return Rows(caption, ["figure", *header], rows)


def _with_interval(value: float | None, interval: tuple[float, float] | None) -> str:
    if interval is None:
        return number(value)
    low, high = interval
    return f"{number(value)} [{number(low)}, {number(high)}]"


def _decided(decision: Mapping[str, Any] | None) -> Iterator[Block]:
    """Yield the threshold that the figures are for, if one was decided."""
    if decision is not None:
        by_target = decision.get("targets", {"": decision})
        rules = [
            f"'{rule['class']}'{target and f' of {target}'} is predicted at a probability of"
            f" {number(rule['threshold'])} or more"
            for target, rule in by_target.items()
        ]
        what = "threshold" if len(rules) == 1 else "thresholds"
        yield Text(f"These figures are for the {what} that `nnfs decide` kept: {'; '.join(rules)}.", soft=True)


def _beside_simple_models(found: RunPredictions) -> Iterator[Block]:
    """Yield the loss of held-out rows beside that of the simple models that the verdicts compare it with."""
    by_split = found.losses
    own = "the net" if found.predictor.blend is None else "the blend"
    names = {"net": own, "linear": "a linear model on the same inputs", "constant": "the best constant"}
    rows = [
        [name, *(number(_mean(getattr(losses, model), losses.weight)) for losses in by_split.values())]
        for model, name in names.items()
        if all(getattr(losses, model) is not None for losses in by_split.values())
    ]
    if by_split:
        header = ["model", *(ROWS_OF[split] for split in by_split)]
        yield Rows("The loss beside that of simple models", header, rows, strong=frozenset({0}))
        if len(rows) > 2:
            yield Text(LINEAR_NOTE, soft=True)


def _mean(losses: Array, weight: Array | None) -> float:
    return float(np.average(losses, weights=weight))


def _baselines(found: Comparison) -> Iterator[Block]:
    """Yield the figures of the net and of baseline models on the same rows."""
    for split, models in found.items():
        names = list(next(iter(models.values())))
        rows = [[model, *(number(of_model.get(name)) for name in names)] for model, of_model in models.items()]
        caption = f"The net and baseline models on the same {ROWS_OF.get(split, split)}"
        yield Rows(caption, ["model", *names], rows, strong=frozenset({0}))
    for verdict in found.verdict:
        yield Notice("warn" if verdict.severity == "warning" else "plain", verdict.severity, f"{verdict}.")
