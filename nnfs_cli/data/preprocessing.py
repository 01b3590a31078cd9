"""The `preprocessing` block of a config: what is done to columns of each kind, to single columns, and to the target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationInfo, field_validator

from nnfs_cli.components.section import Section, invalid
from nnfs_cli.data.steps import PreprocessingStep
from nnfs_cli.data.steps.chain import Steps
from nnfs_cli.data.steps.impute import Impute
from nnfs_cli.data.steps.none import Unchanged
from nnfs_cli.data.steps.standardize import Standardize
from nnfs_cli.data.table import Kind
from nnfs_cli.system.wording import listing


class Preprocessing(Section):
    """What is done to the inputs by their kind, to single ones, and to the target where it is numbers."""

    main = "numbers"

    numbers: Steps = (Standardize(),)
    """Of inputs that are numbers; a step, or several in a list."""
    categories: PreprocessingStep | None = None
    """Of inputs that are words; without it they are refused."""
    dates: PreprocessingStep | None = None
    """Of inputs that are dates; without it they are refused."""
    columns: Mapping[str, Steps] = {}
    """Of single inputs, by name: a column is taken for what its step is for."""
    target: Steps | None = None
    """Of the target; standardize where that is numbers and none for classes, unless set."""

    @field_validator("numbers", "categories", "dates", "target")
    @classmethod
    def _is_for_its_kind(cls, value: Any, info: ValidationInfo) -> Any:
        kind = _KINDS.get(str(info.field_name), "number")
        for step in value if isinstance(value, tuple) else filter(None, [value]):
            if step.kind != kind:
                fit = sorted(
                    name for name, member in PreprocessingStep.registered.items() if getattr(member, "kind", "") == kind
                )
                others = f"{'there is' if len(fit) == 1 else 'there are'} {listing(fit)}"
                raise invalid(f"{step.name} is for columns of {_PLURALS[step.kind]}; for {_PLURALS[kind]} {others}")
            if info.field_name == "target" and not step.invertible:
                raise invalid(
                    f"{step.name} cannot be taken back, so predictions would not be in the target's own units"
                )
        return value

    def steps(self, name: str, kind: Kind) -> tuple[PreprocessingStep, ...]:
        """What is done to an input of this name and kind; nothing where no step is named for it."""
        if name in self.columns:
            return self.columns[name]
        step = {"category": self.categories, "date": self.dates}
        return self.numbers if kind == "number" else tuple(filter(None, [step[kind]]))

    def takes_gaps(self, name: str) -> bool:
        """Whether an input of numbers may have empty cells."""
        return isinstance(self.steps(name, "number")[0], Impute)

    @property
    def kinds(self) -> dict[str, Kind]:
        """What single columns are to be taken for."""
        return {name: steps[0].kind for name, steps in self.columns.items()}

    @property
    def leaves_target(self) -> bool:
        """Whether the target stays as it is, or nothing was said about it."""
        return all(isinstance(step, Unchanged) for step in self.target or ())


_KINDS: dict[str, Kind] = {"categories": "category", "dates": "date"}
_PLURALS: dict[Kind, str] = {"number": "numbers", "category": "words", "date": "dates"}
