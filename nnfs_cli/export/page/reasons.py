"""What a page needs to divide a prediction among the columns, as `nnfs predict --explain` does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nnfs_cli.blend.weights import LEAST
from nnfs_cli.explain.attributions import Attributor
from nnfs_cli.explain.explained_values import unit_of
from nnfs_cli.export.page.answers import answers
from nnfs_cli.export.page.serialized import packed
from nnfs_cli.pipeline.pipeline import Pipeline


def reasons(pipeline: Pipeline, attributor: Attributor) -> dict[str, Any]:
    """Return the samples of an attributor, and where the script finds what they explain.

    `columns` are those of the table, with the fields of each by index; `explained` are the outputs (n,), by index.
    """
    predictor = attributor.predictor
    parsers, names = predictor.config.dataset.parsers, [*pipeline.columns]
    fields = []
    for column in attributor.columns:
        parts = parsers[column].outputs(column) if column in parsers else [column]
        fields.append([names.index(part) for part in parts if part in names])
    return {
        "columns": attributor.columns,
        "fields": fields,
        "inputs": [inputs.tolist() for inputs in attributor.inputs],
        "orders": attributor.orders.tolist(),
        "typical": packed(attributor.typical),
        "shift": packed(np.asarray(attributor.shift, np.float64)),
        "base": packed(np.asarray(attributor.base, np.float64)),
        "explained": _explained(pipeline, predictor.encoder.targets),
        "unit": unit_of(predictor),
        "least": LEAST,
    }


def _explained(pipeline: Pipeline, targets: Sequence[str]) -> list[int]:
    """Return the outputs whose numbers are explained, by index; see `explained_values`."""
    found: list[int] = []
    for answer in answers(pipeline, targets):
        shares = [index for _, index in answer["shares"]]
        number = answer["prediction"] if answer["rate"] is None else answer["rate"]
        found += (shares[1:] if len(shares) == 2 else shares) or [number]
    return found
