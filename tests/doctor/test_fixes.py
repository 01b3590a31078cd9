"""`nnfs doctor --fix` on the planted faults: the changed config loads, and its training gets further."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnfs_cli import workflows
from nnfs_cli.doctor.examine_config import examine_config
from nnfs_cli.inspection.fix import fix
from tests.doctor.case import Case, own_code, quiet, trained
from tests.doctor.planted import PLANTED

# The validation figure that must be better afterwards, and by which factor, by the name of the case.
GAINS = {
    "lr 100 times too high": ("loss", 0.0),  # without the remedy, training diverges
    "lr 100 times too low": ("loss", 0.5),
    "dead relus by a bad bias": ("loss", 0.5),
    "unscaled inputs": ("loss", 0.5),
    "saturated sigmoids": ("loss", 0.9),
    "shifted data without a bias": ("loss", 0.5),
    "batch norm on batches of 2": ("loss", 0.9),
    "softmax missing": ("accuracy", 1.05),
    "twenty sigmoid layers": ("loss", 0.5),
    "weights frozen by decay": ("loss", 0.5),
    "zero initialisation": ("loss", 0.5),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", [case for case in PLANTED if case.name in GAINS], ids=lambda case: case.name)
def test_the_remedies_help(case: Case, tmp_path: Path) -> None:
    figure, factor = GAINS[case.name]
    path = case.write(tmp_path)
    with own_code(tmp_path / "own.py" if case.code else None), quiet():
        diagnoses = examine_config(workflows.load(path)).diagnoses
        fixed = fix(path.read_text(), tmp_path, [(one.code, one.edits) for one in diagnoses])
        assert set(fixed.applied) & case.must
        path.with_name("fixed.yaml").write_text(fixed.after)
        before, after = (_figure(tmp_path, tmp_path / name, figure) for name in (path.name, "fixed.yaml"))
    assert after is not None
    if before is None:
        assert factor == 0
    elif figure == "loss":
        assert after < factor * before
    else:
        assert after > factor * before


def _figure(folder: Path, path: Path, name: str) -> float | None:
    """Return a validation figure after training; None if it diverged."""
    run = trained(workflows.prepare(workflows.load(path)), folder)
    return float(run.metrics()["validation"][name]) if run.status()["state"] == "finished" else None
