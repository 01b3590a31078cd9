"""Inspect a config with its data before training, and apply what the findings suggest to the text of the config."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from nnfs_cli.config.config import Config
from nnfs_cli.experiment.experiment import Experiment, prepare
from nnfs_cli.experiment.read_data import load_data
from nnfs_cli.inspection.finding import Finding
from nnfs_cli.inspection.findings import find
from nnfs_cli.inspection.fix import Fix, fix
from nnfs_cli.inspection.inspected_rows import InspectedRows
from nnfs_cli.inspection.suggestion import joined


@dataclass(frozen=True)
class Inspection:
    """A config that is ready for training, and what was found; `sampled` is None if all rows were inspected."""

    experiment: Experiment
    findings: tuple[Finding, ...]
    sampled: int | None


@dataclass(frozen=True)
class FixedFindings:
    """What became of the suggestions: the text of the config, the findings that it fixes, and those left for later.

    One is left if its suggestion changes the same key as another one, or if the config would not load with it.
    """

    fix: Fix
    fixed: tuple[Finding, ...]
    left: tuple[Finding, ...]


def inspect(config: Config) -> Inspection:
    """Return what is found in a config, its data and its net. Raises the same errors as training."""
    loaded = load_data(config)
    experiment = prepare(config, loaded)
    data = InspectedRows.of(loaded)
    return Inspection(experiment, tuple(find(config, loaded, experiment, data)), data.sampled)


def fix_findings(text: str, folder: Path, findings: Sequence[Finding], kinds: Collection[str]) -> FixedFindings:
    """Apply the suggestions of these kinds to the text of a config in `folder`."""
    chosen = [one for one in findings if one.suggestion and one.suggestion.kind in kinds]
    suggestions = {str(one): one for one in joined(one.suggestion for one in chosen if one.suggestion)}
    done = fix(text, folder, [(name, one.edits) for name, one in suggestions.items()])
    edits = [suggestions[name] for name in done.applied]
    fixed = tuple(one for one in chosen if any(one.suggestion and one.suggestion.is_in(edit) for edit in edits))
    return FixedFindings(done, fixed, tuple(one for one in chosen if one not in fixed))
