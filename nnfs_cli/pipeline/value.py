"""A value of a pipeline: what one operation returns for every row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.pipeline.parts import current_part

DType: TypeAlias = Literal["float64", "float32", "int64", "bool", "text"]
RANK: dict[str, int] = {"bool": 0, "int64": 1, "float32": 2, "float64": 3}  # of two types, the higher is the result's


@dataclass(frozen=True, eq=False)
class Value:
    """What an operation returns: an array (members?, rows, *features) of one type.

    `features` is the shape of one row's part. `members` is the number of nets that each have their own part, or 0 if
    there is no such axis. A constant has no axis of rows: its `settings` hold the array (members?, *features), and the
    name of the array, or "". `part` is the part of the model that the value belongs to, for people who read it.
    """

    operation: str
    inputs: tuple[Value, ...]
    dtype: DType
    features: tuple[int, ...]
    members: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)
    part: str = field(default_factory=lambda: current_part().name)

    @property
    def is_constant(self) -> bool:
        """Whether the value is the same for all rows."""
        return self.operation == "constant"

    @property
    def array(self) -> Array:
        """The numbers of a constant, (members?, *features)."""
        array: Array = self.settings["array"]
        return array

    @property
    def width(self) -> int:
        """The length of the last axis."""
        return self.features[-1]


Operand: TypeAlias = "Value | float | int | bool | Array"


def constant(array: Any, dtype: DType | None = None, members: bool = False, name: str = "") -> Value:
    """Return a constant from an array: (members, *features) with `members`, else (*features,).

    Without a `name`, it takes the one that the current part has for the array.
    """
    found = np.asarray(array)
    name = name or current_part().name_of(array)
    dtype = dtype or _dtype_of(found)
    found = found.astype(dtype)
    found.flags.writeable = False
    n = found.shape[0] if members else 0
    return Value("constant", (), dtype, found.shape[1:] if members else found.shape, n, {"array": found, "name": name})


def _dtype_of(array: Array) -> DType:
    if array.dtype == bool:
        return "bool"
    if array.dtype.kind in "iu":
        return "int64"
    return "float32" if array.dtype == np.float32 else "float64"


def number_type(values: Sequence[Operand]) -> DType:
    """Return the type of the result of values, where plain numbers and arrays take the type of the others."""
    types = [value.dtype for value in values if isinstance(value, Value)]
    return max(types, key=RANK.__getitem__)


def aligned(values: Sequence[Operand], dtype: DType | None = None) -> tuple[Value, ...]:
    """Return operands as values whose features have the same number of axes, as NumPy aligns shapes.

    A plain number or array becomes a constant of the type `dtype`, or else of the type of the other values.
    """
    dtype = dtype or number_type(values)
    found = [value if isinstance(value, Value) else constant(value, dtype) for value in values]
    rank = max(len(value.features) for value in found)
    return tuple(_with_rank(value, rank) for value in found)


def _with_rank(value: Value, rank: int) -> Value:
    missing = rank - len(value.features)
    if not missing:
        return value
    if not value.is_constant:
        raise ValueError(f"a value with features {value.features} does not fit one with {rank} axes")
    array = value.array
    axes = array.shape[: bool(value.members)], array.shape[bool(value.members) :]
    array = array.reshape(*axes[0], *[1] * missing, *axes[1])
    return constant(array, value.dtype, bool(value.members), value.settings["name"])


def common(values: Sequence[Value]) -> tuple[tuple[int, ...], int]:
    """Return the features and the members of the result of an operation entry by entry."""
    features = np.broadcast_shapes(*(value.features for value in values))
    members = {value.members for value in values} - {0}
    if len(members) > 1:
        raise ValueError(f"values of {sorted(members)} members do not fit each other")
    return features, members.pop() if members else 0
