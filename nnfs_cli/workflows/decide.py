"""Choose the threshold between two classes, and keep it in the run, so that `predict` decides by it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.table import text_of
from nnfs_cli.errors import RunError, UserError
from nnfs_cli.experiment.encode_splits import encode_splits
from nnfs_cli.metrics import PredictedRows
from nnfs_cli.prediction.encoded_rows import EncodedRows
from nnfs_cli.prediction.predictor import Predictor
from nnfs_cli.prediction.threshold import Costs, best_threshold
from nnfs_cli.runs.directory import RunDirectory
from nnfs_cli.system.wording import counted, did_you_mean, listing, shown
from nnfs_cli.workflows.load_run import data_of, restore

Threshold = float | Literal["best_f1", "best_accuracy", "none"]
Decision = dict[str, Any]


def decide(
    run: RunDirectory,
    threshold: Threshold | None = None,
    costs: Mapping[str, float] | None = None,
    data: Any = None,
    target: str | None = None,
) -> Decision | None:
    """Keep the threshold from which the second of two classes is predicted, and return it; None if it is removed.

    `threshold` is a probability, the metric that chooses it on the validation rows, or "none", which removes it. With
    `costs`, {"fp": ..., "fn": ...}, the threshold of least cost on the validation rows is chosen; see `Costs`.
    `evaluate` and `predict` use it from then on. `data` is as for `evaluate`.
    The result is the `threshold`, its `class`, and `by`: the metric that chose it, "costs" or "hand".
    Of several targets of two classes each, the thresholds of all change, or only that of `target`. The result then
    holds one for each of them, in `targets`.
    Raises `RunError` unless the run has probabilities of two classes, and validation rows if these choose.
    """
    if (threshold is None) == (costs is None):
        raise UserError("give either a threshold or costs to choose it by")
    with run.writing():
        decision, predictor = None, None
        if threshold != "none" or target is not None:
            predictor = restore(run, with_threshold=False)
            wanted = _targets(run, predictor, target)
        if threshold != "none" and predictor is not None:

            def splits() -> Mapping[str, EncodedRows]:
                return encode_splits(predictor, data_of(run, predictor.config, "give a number", data))

            decision = choose_threshold(run, predictor, threshold, costs_of(costs), splits, wanted)
        if target is not None:
            decision = _merged(run.records.decision(), target, decision)
        run.records.write_decision(decision)
    return decision


def _targets(run: RunDirectory, predictor: Predictor, target: str | None) -> tuple[str, ...]:
    """Return the targets to decide for: one, or all. Raises `RunError` unless there are several and this is one."""
    encoder = predictor.encoder
    if target is None:
        return encoder.targets
    if not encoder.pairs:
        raise RunError(f"{run.path} has a single target, {shown(encoder.targets[0])}; leave the target out")
    if target not in encoder.targets:
        hint = did_you_mean(target, encoder.targets) or f"; it has {listing(map(shown, encoder.targets))}"
        raise RunError(f"{run.path} has no target {shown(target)}{hint}")
    return (target,)


def _merged(kept: Decision | None, target: str, decision: Decision | None) -> Decision | None:
    """Return what was kept for all targets with the decision for one of them, or without one."""
    rules = {name: rule for name, rule in (kept or {}).get("targets", {}).items() if name != target}
    rules |= (decision or {}).get("targets", {})
    return _of_targets(rules) if rules else None


def _of_targets(rules: Mapping[str, Decision]) -> Decision:
    by = {rule["by"] for rule in rules.values()}
    return {"targets": dict(rules), "by": by.pop() if len(by) == 1 else "several"}


def costs_of(given: Mapping[str, float] | None) -> Costs | None:
    """Return costs from two numbers above 0 by name, fp and fn. Raises `UserError` if they are anything else."""
    if given is None:
        return None
    if isinstance(given, Mapping) and set(given) == {"fp", "fn"} and all(map(_is_cost, given.values())):
        return Costs(float(given["fp"]), float(given["fn"]))
    raise UserError(f"costs are two numbers above 0 by name, as in {{'fp': 1, 'fn': 20}}, found {given!r:.80}")


def choose_threshold(
    run: RunDirectory,
    predictor: Predictor,
    threshold: Threshold | None,
    costs: Costs | None,
    splits: Callable[[], Mapping[str, EncodedRows]],
    targets: Sequence[str] | None = None,
) -> Decision:
    """Return the decision for a `threshold`, or else the one of least cost; see `decide`.

    If several targets are two classes each, it is for these `targets`, by default for all.
    """
    require_probabilities(run, predictor)
    if threshold is not None and threshold not in ("best_f1", "best_accuracy") and not _is_share(threshold):
        raise RunError(f"a threshold is best_f1, best_accuracy, a number from 0 to 1 or none, found {shown(threshold)}")
    predicted = None
    if isinstance(threshold, str) or threshold is None:
        rows = splits().get("validation")
        if rows is None:
            raise RunError(f"{run.path} has no validation rows to choose a threshold on; give a number, such as 0.3")
        predicted = predictor.evaluate(rows)[1]
    pairs = dict(zip(predictor.encoder.targets, predictor.encoder.pairs, strict=False))
    if not pairs:
        second = None if predicted is None else (predicted.y_hat[:, 1], predicted.y == 1)
        return _rule(predictor, predictor.labels[1], threshold, costs, predicted, second)
    rules = {}
    for i, (target, pair) in enumerate(pairs.items()):
        if target in (targets or pairs):
            second = None if predicted is None else (predicted.y_hat[:, i], predicted.y[:, i] == 1)
            rules[target] = _rule(predictor, text_of(pair[1]), threshold, costs, predicted, second)
    return _of_targets(rules)


def _rule(
    predictor: Predictor,
    label: str,
    threshold: Threshold | None,
    costs: Costs | None,
    predicted: PredictedRows | None,
    second: tuple[Array, Array] | None,
) -> Decision:
    """Return the decision for one class, whose probabilities, and whether rows belong to it, are `second`."""
    rule: Decision = {"class": label, "by": "hand"}
    if predicted is not None and second is not None:
        weight = predicted.weight
        if threshold is None and costs is not None:
            rule |= {"by": "costs", "costs": {"fp": costs.fp, "fn": costs.fn}}
            weight = predictor.own_weight(predicted.weight, predicted.y)
        else:
            rule["by"] = threshold
        chosen: Any = costs if threshold is None else str(threshold).removeprefix("best_")
        threshold = best_threshold(*second, weight, chosen)
    return {"threshold": abs(float(threshold or 0)), **rule}  # -0 is 0


def require_probabilities(run: RunDirectory, predictor: Predictor) -> None:
    """Raise `RunError` unless the net gives probabilities of two classes."""
    classes, loss = predictor.labels, predictor.config.loss
    if predictor.encoder.pairs:
        return
    if len(classes) != 2 or not loss.probabilistic:
        found = counted(len(classes), "class") if classes else f"{loss.name}, a loss for numbers"
        found = found if loss.probabilistic else f"{loss.name}, whose scores are not probabilities"
        raise RunError(f"a threshold divides the probabilities of two classes; {run.path} has {found}")


def _is_share(value: object) -> bool:
    return _is_number(value) and 0 <= value <= 1  # type: ignore[operator]


def _is_cost(value: object) -> bool:
    return _is_number(value) and 0 < value < math.inf  # type: ignore[operator]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool | np.bool_)
