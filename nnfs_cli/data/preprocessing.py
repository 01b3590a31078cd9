"""The `preprocessing` block of a config: the steps for each kind of column, for single columns, and for the target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, ValidationInfo, field_validator

from nnfs_cli.components.section import Section, invalid
from nnfs_cli.data.steps import PreprocessingStep
from nnfs_cli.data.steps.chain import Steps
from nnfs_cli.data.steps.impute import Impute
from nnfs_cli.data.steps.none import Unchanged
from nnfs_cli.data.steps.standardize import Standardize
from nnfs_cli.data.table import Kind
from nnfs_cli.system.wording import listing, plural


class Preprocessing(Section):
    """The steps for inputs by kind, for single inputs by name, and for a target of numbers."""

    main = "numbers"

    numbers: Steps = Field(default=(Standardize(),), kw_only=False)
    """Step, or list of steps, for inputs that are numbers."""
    categories: PreprocessingStep | None = None
    """Step for inputs that are categories; without it they are refused."""
    dates: PreprocessingStep | None = None
    """Step for inputs that are dates; without it they are refused."""
    columns: Mapping[str, Steps] = {}
    """Steps for single inputs, by column name; the kind of the step also decides the kind of the column."""
    target: Steps | None = None
    """Step, or list of steps, for a target of numbers; standardize by default. A target of classes takes none."""

    @field_validator("numbers", "categories", "dates", "target")
    @classmethod
    def _steps_match_the_kind(cls, value: Any, info: ValidationInfo) -> Any:
        kind = _KINDS.get(str(info.field_name), "number")
        for step in value if isinstance(value, tuple) else filter(None, [value]):
            if step.kind != kind:
                fit = sorted(
                    name for name, member in PreprocessingStep.registered.items() if getattr(member, "kind", "") == kind
                )
                others = f"{'there is' if len(fit) == 1 else 'there are'} {listing(fit)}"
                raise invalid(f"{step.name} is for columns of {plural(step.kind)}; for {plural(kind)} {others}")
            if info.field_name == "target" and not step.invertible:
                raise invalid(f"{step.name} has no inverse, so predictions would not be in the target's units")
        return value

    def steps(self, name: str, kind: Kind) -> tuple[PreprocessingStep, ...]:
        """Return the steps for an input of this name and kind; none if the config sets no step for it."""
        if name in self.columns:
            return self.columns[name]
        step = {"category": self.categories, "date": self.dates}
        return self.numbers if kind == "number" else tuple(filter(None, [step[kind]]))

    def takes_gaps(self, name: str) -> bool:
        """Return whether an input of numbers may have empty cells."""
        return isinstance(self.steps(name, "number")[0], Impute)

    @property
    def kinds(self) -> dict[str, Kind]:
        """The kinds of single columns that their steps decide."""
        return {name: steps[0].kind for name, steps in self.columns.items()}

    @property
    def leaves_target(self) -> bool:
        """Whether the target stays as it is, or the config sets no step for it."""
        return all(isinstance(step, Unchanged) for step in self.target or ())


_KINDS: dict[str, Kind] = {"categories": "category", "dates": "date"}
