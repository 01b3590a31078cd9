"""The result of an evaluation: figures by split, and what helps to read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from nnfs_cli.metrics.class_counts import ClassCounts
from nnfs_cli.metrics.probabilities import AveragePrecision, RocAuc
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.prediction.threshold import Costs, TradeOff, trade_offs
from nnfs_cli.workflows.bootstrap import Interval, intervals
from nnfs_cli.workflows.by_column import FiguresBy
from nnfs_cli.workflows.decide import Decision
from nnfs_cli.workflows.figures import Scored, confusion_tables, finite
from nnfs_cli.workflows.verdicts import Verdict
from nnfs_cli.workflows.verdicts.decisions import decision_verdicts

THRESHOLDS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9)


class Evaluation(dict[str, dict[str, Any]]):
    """Figures by split, then by name: `rows`, `loss` and the metrics; None for an undefined figure.

    What else there is to say is computed when it is asked for. `decision` is the threshold between two classes that the
    figures are for, None for the most probable class, and `predictor` decides by it. `costs` are those that were given.
    `scored` holds the predictions by split.
    `by` holds the figures by the groups of a column, if they were asked for.
    `trained_on` says whether the rows are not those of the run's splits, but the whole table that it was trained on.

    >>> from nnfs_cli import train
    >>> found = train("configs/breast_cancer.yaml", epochs=3).evaluate(splits="validation")
    >>> [*found["validation"]], [*found.intervals["validation"]]
    (['rows', 'loss', 'accuracy'], ['accuracy'])
    """

    def __init__(
        self,
        scored: Mapping[str, Scored],
        predictor: Predictor,
        decision: Decision | None = None,
        costs: Costs | None = None,
        trained_on: bool = False,
        by: FiguresBy | None = None,
    ) -> None:
        super().__init__({split: finite(found.figures) for split, found in scored.items()})
        self.decision, self.costs, self.trained_on, self.by = decision, costs, trained_on, by
        self.predictor, self.scored = predictor, scored

    @property
    def out_of_fold(self) -> bool:
        """Whether the figures called validation are out of fold: each row is predicted by a net without it."""
        return self.predictor.config.holdout is not None

    @property
    def blend(self) -> list[dict[str, Any]]:
        """The `model`, `weight` and `loss` out of fold of each part of the blend, the net first; empty without one."""
        blend = self.predictor.blend
        return [] if blend is None else [{"model": name, **part} for name, part in blend.figures().items()]

    @cached_property
    def unweighted(self) -> dict[str, dict[str, Any]]:
        """The metrics of the same rows if all rows count alike, by split; empty if they do anyway."""
        return {
            split: finite(self.predictor.score(replace(found.predicted.with_weight, weight=None)))
            for split, found in self.scored.items()
            if found.predicted.weight is not None
        }

    @cached_property
    def intervals(self) -> dict[str, dict[str, Interval | None]]:
        """The 95 % confidence intervals of the metrics by split; see `workflows.bootstrap`."""
        config = self.predictor.config
        return {
            split: intervals(config.metrics or (), found.predicted, config.seed) for split, found in self.scored.items()
        }

    @cached_property
    def confusion(self) -> dict[str, dict[str, dict[str, int]]]:
        """The number of rows by true class, then by predicted class, by split; empty for a regression."""
        return {
            split: {
                label: dict(zip(table.labels, row, strict=True))
                for label, row in zip(table.labels, table.counts.tolist(), strict=True)
            }
            for split, table in confusion_tables(self.scored).items()
        }

    @cached_property
    def classes(self) -> dict[str, dict[str, dict[str, Any]]]:
        """The `precision`, `recall`, `f1` and `support` (rows) of each class, by split; empty for a regression.

        Each row counts once, as in the confusion matrix. A precision is None for a class that is never predicted.
        """
        found = {}
        for split, (labels, table) in confusion_tables(self.scored).items():
            counts = ClassCounts(table.diagonal(), table.sum(axis=1), table.sum(axis=0))
            columns = [each.tolist() for each in (counts.precision, counts.recall, counts.f1, counts.true)]
            names = ("precision", "recall", "f1", "support")
            by_class = [finite(dict(zip(names, figures, strict=True))) for figures in zip(*columns, strict=True)]
            found[split] = dict(zip(labels, by_class, strict=True))
        return found

    @cached_property
    def labels(self) -> dict[str, dict[str, dict[str, Any]]]:
        """The figures of each of several targets of two classes, by split; empty for a single target.

        They are `accuracy`, and of the second class `precision`, `recall`, `f1`, `roc_auc`, `average_precision` and its
        `support` (rows), the `threshold` that decides and the `confusion` matrix: the number of rows by true label,
        then by predicted label. Each row counts once.
        """
        found: dict[str, dict[str, dict[str, Any]]] = {}
        for split, scored in self.scored.items():
            if scored.labels is None:
                return {}
            rows = replace(scored.predicted, weight=None)
            ranked = {metric.name: rows.figure(metric.per_class) for metric in (RocAuc(), AveragePrecision())}
            found[split] = {}
            for i, (target, (names, counts)) in enumerate(scored.labels.items()):
                by_class = ClassCounts(counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0))
                figures = {"accuracy": counts.diagonal().sum() / max(counts.sum(), 1)}
                figures |= {name: getattr(by_class, name)[1] for name in ("precision", "recall", "f1")}
                figures |= {name: np.broadcast_to(each, len(scored.labels))[i] for name, each in ranked.items()}
                plain = finite({name: float(figure) for name, figure in figures.items()})
                plain["support"] = int(by_class.true[1])
                plain["threshold"] = self.predictor.decision.thresholds.get(target, 0.5)
                plain["confusion"] = {
                    name: dict(zip(names, row, strict=True)) for name, row in zip(names, counts.tolist(), strict=True)
                }
                found[split][target] = plain
        return found

    @cached_property
    def verdict(self) -> list[Verdict]:
        """What the predicted classes say, of all rows together; see `workflows.verdicts`. Empty for a regression."""
        labels, rows = self.predictor.labels, [found.predicted for found in self.scored.values()]
        if not labels:
            return []
        truth, decided = (np.concatenate(each) for each in ([one.y for one in rows], [one.decided for one in rows]))
        weights = np.concatenate([np.ones(len(one.y)) if one.weight is None else one.weight for one in rows])
        balanced = bool(self.predictor.encoder.class_weights) or self.predictor.decision.threshold is not None
        return [*decision_verdicts(truth, decided, weights, labels, balanced, noun="row")]

    @cached_property
    def trade_offs(self) -> dict[str, list[dict[str, Any]]]:
        """What some thresholds between two classes do, by split; empty unless there are probabilities of two classes.

        For each `threshold`, `precision` and `recall` of the second class, the share of rows `predicted` as it and,
        with costs, the mean `cost` of a row. Rows count by their weights, but not by class weights.
        """
        if len(self.predictor.labels) != 2 or not self.predictor.config.loss.probabilistic:
            return {}
        own = {self.decision["threshold"]} if self.decision else set()
        own |= {self.costs.threshold} if self.costs else set()
        return {
            split: [finite(row._asdict()) for row in self._trade_offs(found, sorted({*THRESHOLDS, *own}))]
            for split, found in self.scored.items()
        }

    def _trade_offs(self, found: Scored, thresholds: list[float]) -> list[TradeOff]:
        rows = found.predicted
        weight = self.predictor.own_weight(rows.weight, rows.y)
        if not rows.usable:
            return []
        return trade_offs(rows.y_hat[:, 1], rows.y == 1, weight, thresholds, self.costs)
