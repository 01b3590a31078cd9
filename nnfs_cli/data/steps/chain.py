"""A setting that holds one step, or a list of steps for numbers that follow one another."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, PlainSerializer, ValidationInfo, ValidatorFunctionWrapHandler, WithJsonSchema
from pydantic.functional_validators import WrapValidator

from nnfs_cli.components.field_types import NotEmpty
from nnfs_cli.components.section import invalid
from nnfs_cli.data.steps.base import NumberStep, PreprocessingStep
from nnfs_cli.data.steps.impute import Impute


def _as_steps(value: object, several: ValidatorFunctionWrapHandler, info: ValidationInfo) -> object:
    return several(tuple(value)) if isinstance(value, list | tuple) else (PreprocessingStep.resolve(value, info),)


def _follow_one_another(steps: tuple[PreprocessingStep, ...]) -> tuple[PreprocessingStep, ...]:
    if len(steps) == 1:
        return steps
    for i, step in enumerate(steps):
        if not isinstance(step, NumberStep):
            raise invalid(f"{step.name} cannot stand in a list; only steps for numbers can follow one another")
        if isinstance(step, Impute) and i:
            raise invalid("impute must come first: no other step takes empty cells")
        if step.widens and step is not steps[-1]:
            raise invalid(f"{step.name} must come last: it turns one column into several")
    return steps


def _plain(steps: tuple[PreprocessingStep, ...], info: Any) -> object:
    plain = [step.brief() if info.exclude_defaults else step.plain(info.context) for step in steps]
    return plain[0] if len(plain) == 1 else plain


_ONE_STEP: dict[str, Any] = {"family": "preprocessing step"}
Steps = Annotated[
    tuple[PreprocessingStep, ...],
    NotEmpty,
    AfterValidator(_follow_one_another),
    WrapValidator(_as_steps),
    PlainSerializer(_plain),
    WithJsonSchema({"anyOf": [_ONE_STEP, {"type": "array", "items": _ONE_STEP, "minItems": 1}]}),
]
