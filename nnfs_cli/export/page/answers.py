"""What a page shows of the outputs of a model: for each target its prediction, and what belongs to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nnfs_cli.data.table import text_of
from nnfs_cli.pipeline.pipeline import Pipeline

KINDS = ("probability", "score")


def answers(pipeline: Pipeline, targets: Sequence[str]) -> list[dict[str, Any]]:
    """Return for each target its name, and the indices of its outputs as `Predictor.predict` names them.

    `shares` are labels with their probabilities or scores, and `quantiles` levels with their numbers.
    """
    names = [*pipeline.outputs]
    suffixes = [f"_{target}" for target in targets] if len(targets) > 1 else [""]
    found = []
    for target, suffix in zip(targets or [""], suffixes, strict=True):
        if f"prediction{suffix}" not in names:
            continue
        answer = {"target": target or "prediction", **_parts(names, suffix), **_labels(pipeline, names, suffix)}
        found.append(answer | {"quantiles": _quantiles(names, suffix)})
    return found


def _parts(names: Sequence[str], suffix: str) -> dict[str, int | None]:
    parts = ("prediction", "rate", "lower", "upper", "set")
    return {part: names.index(part + suffix) if part + suffix in names else None for part in parts}


def _labels(pipeline: Pipeline, names: Sequence[str], suffix: str) -> dict[str, Any]:
    value = pipeline.outputs[f"prediction{suffix}"]
    if value.operation != "label_of":
        return {"labels": None, "shares": [], "kind": None}
    labels = [text_of(label) for label in value.settings["labels"]]
    for kind in KINDS:
        if suffix and f"{kind}{suffix}" in names:  # of several targets, each has the second of two labels
            return {"labels": labels, "shares": [[labels[1], names.index(f"{kind}{suffix}")]], "kind": kind}
        shares = [[label, names.index(f"{kind}_{label}")] for label in labels if f"{kind}_{label}" in names]
        if shares:
            return {"labels": labels, "shares": shares, "kind": kind}
    return {"labels": labels, "shares": [], "kind": None}


def _quantiles(names: Sequence[str], suffix: str) -> list[list[Any]]:
    found = []
    for i, name in enumerate(names):
        level = name.removeprefix("quantile_").removesuffix(suffix) if name.startswith("quantile_") else ""
        if level and name.endswith(suffix) and level.replace(".", "").isdigit():
            found.append([level, i])
    return found
