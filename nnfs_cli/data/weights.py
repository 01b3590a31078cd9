"""How much each row counts: by its class, by a column of the table, or by both, multiplied."""

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


def _by_word(value: object) -> dict[str, float] | str:
    if value == "balanced":
        return "balanced"
    if not isinstance(value, dict) or not value:
        hint = did_you_mean(value, ["balanced"]) if isinstance(value, str) else ""
        raise invalid(f"expected balanced, or numbers by class, as in {{malignant: 3}}, found {shown(value)}{hint}")
    for label, weight in value.items():
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight < math.inf:
            fault = invalid(f"expected a number of 0 or more for each class, found {shown(weight)}")
            raise ValidationError.from_exception_data("weight", [{"type": fault, "loc": (label,), "input": weight}])
    return {text_of(label): float(weight) for label, weight in value.items()}


_INPUT: Any = Literal["balanced"] | Annotated[dict[str, NonNegativeFloat], Field(min_length=1)]
ClassWeights = Annotated[
    dict[str, float] | Literal["balanced"], PlainValidator(_by_word, json_schema_input_type=_INPUT)
]


class UnknownLabelError(ValueError):
    """A weight for a label that is none of the classes, and a sentence about it."""

    def __init__(self, label: str, message: str) -> None:
        super().__init__(message)
        self.label = label


def weights_of_classes(
    setting: ClassWeights, classes: tuple[Label, ...], indices: Array, weights: Array | None = None
) -> tuple[float, ...]:
    """The weight of each class, in their order; those not named count 1.

    ``balanced`` is n / (k n_c) for n rows and n_c of them in a class, out of k classes (King and Zeng, "Logistic
    Regression in Rare Events Data", 2001; scikit-learn's rule). `indices` (rows,) are the classes of the training rows
    and `weights` (rows,) what they count by themselves.
    Raises `UnknownLabelError` for a label that is none of the classes.
    """
    if setting == "balanced":
        counts = np.bincount(indices, weights, len(classes))
        return tuple((counts.sum() / (len(classes) * np.where(counts, counts, 1))).tolist())
    words = [text_of(label) for label in classes]
    unknown = [name for name in setting if name not in words]
    if unknown:
        hint = did_you_mean(unknown[0], words) or f"; there are {listing(words[:12])}"
        raise UnknownLabelError(unknown[0], f"there is no class '{unknown[0]}'{hint}")
    return tuple(setting.get(name, 1.0) for name in words)
