"""The members of an ensemble: how good each is on the rows that it left out, and how far they disagree."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from nnfs_cli.arrays import Array, evenly_spaced
from nnfs_cli.charts.annotations import Rule
from nnfs_cli.charts.chart import Chart
from nnfs_cli.charts.histogram import Histogram
from nnfs_cli.charts.points import Points
from nnfs_cli.display.text import ROWS_OF, number
from nnfs_cli.report.blocks import Block, Charts, Section, Text
from nnfs_cli.report.run_facts import RunFacts
from nnfs_cli.workflows.run_predictions import RunPredictions

ROWS = 1_000  # rows that each member predicts alone
MOST = 64  # members that do
BARS = 30
BLEND_NOTE = (
    "In the figures by member, the other models of the blend join the member. The disagreement is that of the nets."
)
SPREAD_NOTE = "Where members disagree, their mean is less certain."


def members(facts: RunFacts) -> Section | None:
    """Return the figures of the members out of fold, and the spread of their predictions."""
    found = facts.predictions
    if found is None or found.predictor.config.members == 1:
        return None
    n, blocks = found.predictor.config.members, list[Block]()
    charts = []
    if (by_member := out_of_fold(found)) is not None:
        each = f"Each of the {n} members is scored on the fold that it was not trained on"
        spread = by_member.figures[np.isfinite(by_member.figures)]
        ends = f"{number(float(spread.min()))} to {number(float(spread.max()))}" if len(spread) else "undefined"
        blocks.append(
            Text(f"{each}; all folds together give {by_member.name} {number(by_member.together)}, single ones {ends}.")
        )
        charts.append((_by_member(by_member), "Folds are small, so their figures differ by chance, too."))
    split = found.main_split
    name, values = disagreement(found, split)
    charts.append((_spread(name, values, split), SPREAD_NOTE))
    if found.predictor.blend is not None:
        blocks.append(Text(BLEND_NOTE, soft=True))
    return Section("members", "Members", [*blocks, Charts(charts)])


class ByMember(NamedTuple):
    """A figure of each member, NaN where it is not defined, and of all folds together."""

    name: str
    members: Array  # their numbers, from 0
    figures: Array
    together: float


def out_of_fold(found: RunPredictions) -> ByMember | None:
    """Return the first metric of each member on its own fold; None unless the run has `holdout: fold`."""
    rows = found.rows.get("validation")
    if rows is None or rows.member is None:
        return None
    predicted, metric = found.predicted("validation"), (found.predictor.config.metrics or ())[0]
    weight = np.ones(len(rows)) if predicted.weight is None else predicted.weight
    numbers = np.unique(rows.member)
    figures = [metric.score(replace(predicted, weight=np.where(rows.member == j, weight, 0))) for j in numbers.tolist()]
    return ByMember(metric.column, numbers, np.array(figures), metric.score(predicted))


def disagreement(found: RunPredictions, split: str) -> tuple[str, Array]:
    """Return what spreads between members, in words, and its standard deviation over the members for some rows."""
    predictor, rows = found.predictor, found.rows[split]
    some = rows.take(evenly_spaced(len(rows), ROWS))
    answers = np.stack(
        [
            predictor.answer(predictor.model.predict(some.X, member=np.full(len(some), j)))
            for j in range(min(predictor.config.members, MOST))
        ]
    ).astype(np.float64)
    labels = predictor.labels
    if not labels:
        return f"predicted {predictor.encoder.targets[0]}", answers[..., 0].std(axis=0)
    kind = "probability" if predictor.config.loss.probabilistic else "score"
    if len(labels) == 2:
        return f"{kind} of {labels[1]}", answers[..., 1].std(axis=0)
    best = answers.mean(axis=0).argmax(axis=1)
    return f"{kind} of the predicted class", answers[:, np.arange(len(best)), best].std(axis=0)


def _by_member(found: ByMember) -> Chart:
    return Chart(
        "Figures out of fold by member",
        "member",
        found.name,
        [Points(found.members + 1, found.figures)],
        [Rule("all folds", y=found.together)] if np.isfinite(found.together) else [],
    )


def _spread(name: str, values: Array, split: str) -> Chart:
    values = values[np.isfinite(values)]
    counts, edges = np.histogram(values, BARS)
    title = "Disagreement of the members"
    return Chart(title, f"standard deviation of the {name}", ROWS_OF[split], [Histogram(edges, counts)])
