"""The doctor finds planted faults, and says nothing wrong of healthy trainings."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.doctor.__main__ import missing
from tests.doctor.case import Case, see
from tests.doctor.healthy import healthy
from tests.doctor.planted import PLANTED

# Those that are quick, and that look at what only a run has.
QUICK = ("dead relus by a bad bias", "weights frozen by decay", "zero initialisation", "lr 100 times too high")
SOUND = ("iris", "moons")


def named(case: Case) -> str:
    return case.name


@pytest.mark.parametrize("case", [case for case in PLANTED if case.name in QUICK], ids=named)
def test_the_run_of_a_planted_fault_shows_it(case: Case, tmp_path: Path) -> None:
    seen = see(case, tmp_path, before=False)
    assert {one.code for one in seen.after} & case.must
    assert seen.codes <= case.must | {*case.may}


@pytest.mark.parametrize("case", [case for case in healthy() if case.name in SOUND], ids=named)
def test_nothing_wrong_is_said_of_a_healthy_run(case: Case, tmp_path: Path) -> None:
    assert see(case, tmp_path, before=False).codes <= {*case.may}


@pytest.mark.slow
@pytest.mark.parametrize("case", PLANTED, ids=named)
def test_each_planted_fault_is_found(case: Case, tmp_path: Path) -> None:
    seen = see(case, tmp_path)
    assert not missing(case, seen)
    assert seen.codes <= case.must | {*case.may}


@pytest.mark.slow
@pytest.mark.parametrize("case", [*healthy()], ids=named)
def test_nothing_wrong_is_said_of_a_healthy_training(case: Case, tmp_path: Path) -> None:
    assert see(case, tmp_path).codes <= {*case.may}
