"""The base class of data sets whose columns have names, so that a config can name the target among them."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema, model_validator

from nnfs_cli.components.field_types import NotEmpty, Text
from nnfs_cli.components.section import invalid
from nnfs_cli.data.source import DataSource
from nnfs_cli.system.wording import named, shown


def _different(names: tuple[str, ...]) -> tuple[str, ...]:
    for i, name in enumerate(names):
        if name in names[:i]:
            raise invalid(f"{named(name)} is listed twice; list it once")
    return names


def _as_names(value: object) -> object:
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, tuple | list):
        raise invalid(f"expected the name of a column, or a list of names, found {shown(value)}")
    return value


_NAME = {"type": "string", "minLength": 1}
Names = Annotated[
    tuple[Text, ...],
    BeforeValidator(_as_names),
    AfterValidator(_different),
    WithJsonSchema({"type": ["string", "array"], "minLength": 1, "items": _NAME, "uniqueItems": True}),
]


class NamedColumns(DataSource):
    """A data set whose columns have names."""

    target: Annotated[Names, NotEmpty]
    """Column to predict, or several columns of numbers."""
    drop: Names = ()
    """Columns to leave out. All other columns are inputs."""
    weight: Text | None = None
    """Column with the weight of each row, 0 or more. Without it every row has the weight 1."""
    exposure: Text | None = None
    """For counts: column with the time, area or number of people that each count covers, above 0. The net learns the
    rate, the count per exposure, and a prediction is the rate times the exposure of the row."""

    @model_validator(mode="after")
    def _keeps_its_target(self) -> Self:
        uses = {"is the target": self.target, "is in drop": self.drop, "is the weight": (self.weight,)}
        uses["is the exposure"] = (self.exposure,)
        for name in filter(None, (*self.target, *self.drop, self.weight)):
            used = [use for use, names in uses.items() if name in names]
            if len(used) > 1:
                raise invalid(f"{named(name)} {used[0]} and {used[1]}; it can't be both")
        return self

    def target_columns(self) -> tuple[str, ...]:
        """Return the target columns of the config."""
        return self.target

    def dropped_columns(self) -> tuple[str, ...]:
        """Return the dropped columns of the config."""
        return self.drop

    def weight_column(self) -> str | None:
        """Return the weight column of the config, if there is one."""
        return self.weight

    def exposure_column(self) -> str | None:
        """Return the exposure column of the config, if there is one."""
        return self.exposure
