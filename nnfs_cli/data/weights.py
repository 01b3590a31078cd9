"""The weights of classes: how much the rows of each class count."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, PlainValidator, ValidationError

from nnfs_cli.arrays import Array
from nnfs_cli.components.field_types import NonNegativeFloat
from nnfs_cli.components.section import invalid
from nnfs_cli.data.table import Label, text_of
from nnfs_cli.system.wording import did_you_mean, listing, shown


def _validate(value: object) -> dict[str, float] | str:
    if value == "balanced":
        return "balanced"
    if not isinstance(value, dict) or not value:
        hint = did_you_mean(value, ["balanced"]) if isinstance(value, str) else ""
        raise invalid(
            f"expected balanced, or a number for each class, as in {{malignant: 3}}, found {shown(value)}{hint}"
        )
    for label, weight in value.items():
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight < math.inf:
            fault = invalid(f"expected a number of 0 or more for each class, found {shown(weight)}")
            raise ValidationError.from_exception_data("weight", [{"type": fault, "loc": (label,), "input": weight}])
    return {text_of(label): float(weight) for label, weight in value.items()}


_INPUT: Any = Literal["balanced"] | Annotated[dict[str, NonNegativeFloat], Field(min_length=1)]
ClassWeights = Annotated[
    dict[str, float] | Literal["balanced"], PlainValidator(_validate, json_schema_input_type=_INPUT)
]


class UnknownLabelError(ValueError):
    """A weight was given for a label that is not among the classes."""

    def __init__(self, label: str, message: str) -> None:
        super().__init__(message)
        self.label = label


def resolve_class_weights(
    setting: ClassWeights, classes: tuple[Label, ...], indices: Array, weights: Array | None = None
) -> tuple[float, ...]:
    """Return the weight of each class, in the order of `classes`; a class that the setting does not name has weight 1.

    `balanced` gives class c the weight n / (k n_c), for k classes and n_c of n rows in class c. `indices` (rows,) are
    the classes of the training rows, and `weights` (rows,) their own weights, which n and n_c then sum up.
    Raises `UnknownLabelError` for a label that is not among the classes.
    Source: King and Zeng, "Logistic Regression in Rare Events Data" (2001); scikit-learn uses the same formula.
    """
    if setting == "balanced":
        counts = np.bincount(indices, weights, len(classes))
        return tuple((counts.sum() / (len(classes) * np.where(counts, counts, 1))).tolist())
    labels = [text_of(label) for label in classes]
    unknown = [label for label in setting if label not in labels]
    if unknown:
        hint = did_you_mean(unknown[0], labels) or f"; there are {listing(labels[:12])}"
        raise UnknownLabelError(unknown[0], f"there is no class '{unknown[0]}'{hint}")
    return tuple(setting.get(label, 1.0) for label in labels)
