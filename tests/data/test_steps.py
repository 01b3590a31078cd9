"""Properties that all preprocessing steps share."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from nnfs_cli.data.steps import PreprocessingStep
from tests.data.step_helpers import CATEGORIES, INVERTIBLE, NUMBERS, OTHERS, WIDENING, step


def test_every_step_is_tested() -> None:
    tried = {text.partition(":")[0] for text in [*NUMBERS, *INVERTIBLE, *WIDENING, *CATEGORIES, *OTHERS]}
    assert tried == set(PreprocessingStep.registered)


@pytest.mark.parametrize("name", sorted(PreprocessingStep.registered))
def test_every_setting_has_a_description(name: str) -> None:
    member = PreprocessingStep.registered[name]
    assert member.descriptions().keys() >= member.model_fields.keys()
    assert len(member.headline()) <= 120


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("clip: {low: 0.9, high: 0.5}", "low must be below high, found 0.9 and 0.5"),
        ("clip: {low: 1.5}", "must be less than 1, found 1.5"),
        ("quantile: 1", "must be at least 2, found 1"),
        ("hashing: 1", "must be at least 2, found 1"),
        ("target_mean: -1.0", "must be at least 0, found -1.0"),
        ("target_mean: {folds: 1}", "must be at least 2, found 1"),
        ("ordinal: []", "expected at least one entry, found an empty list"),
        ("ordinal: [a, b, a]", "'a' is listed twice"),
        ("ordinal: {order: [a, b], min_frequency: 2}", "order lists all categories"),
        ("calendar: [trend, trend]", "'trend' is listed twice"),
        ("calendar: [year]", "expected trend, year_cycle, .* found 'year'"),
        ("embedding: 0", "must be greater than 0, found 0"),
        ("one_hot: {unseen: ignore}", "expected error or other, found 'ignore'"),
        ("robust: 3", "robust takes no bare value"),
        ("views: []", "expected at least one entry"),
        ("views: [[impute, robust]]", "impute must come before views, as in"),
        ("views: [one_hot]", "one_hot cannot be one of the views"),
        ("views: [views: [robust]]", "views cannot be one of the views"),
        ("views: [[piecewise_linear, robust]]", "piecewise_linear must come last: it turns one column into several"),
        ("piecewise_linear: 1", "must be at least 2"),
    ],
)
def test_wrong_settings_are_refused(text: str, sentence: str) -> None:
    with pytest.raises((ValidationError, PydanticCustomError), match=sentence):
        step(text)


def test_importing_the_steps_does_not_import_scipy() -> None:
    code = "import sys, nnfs_cli.data.steps; print('scipy' in sys.modules, 'sklearn' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"
