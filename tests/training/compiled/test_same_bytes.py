"""The compiled engine makes the same bytes with any number of threads, chunks of any length, and rows on disk."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from nnfs_cli import BatchNorm, Dropout, Linear, ReLU
from nnfs_cli.errors import DivergedError
from nnfs_cli.training.compiled import chunk, loop, recorder
from tests.conftest import EXAMPLES
from tests.training.compiled.test_engines_agree import ANY, DAILY
from tests.training.compiled.trainings import Training, left_behind

PATIENT = {"loop.SECONDS": 1e9}  # a chunk is as long as may be
ENSEMBLE = Training((Linear(6), ReLU(), Linear(2)), members=3)
DEEP = Training((Linear(40), BatchNorm(), ReLU(), Dropout(0.2), Linear(40), ReLU(), Linear(3)), rows=90)


def bytes_of(training: Training, *, threads: int = 1, staged: bool = False, **changes: Any) -> dict[str, bytes] | str:
    """What a training leaves behind, with other constants of the engine; or why it diverged."""
    modules = {"chunk": chunk, "loop": loop, "recorder": recorder}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "allowed_threads", lambda: threads)
        for name, value in {**PATIENT, **changes}.items():
            module, _, constant = name.partition(".")
            patch.setattr(modules[module], constant, value)
        try:
            trainer = training.train("compiled", "float32", staged=staged)
        except DivergedError as error:
            return str(error)
    return {name: array.tobytes() for name, array in left_behind(trainer).items()}


def compare(training: Training) -> None:
    """Raise unless a training has the same bytes however it is made."""
    want = bytes_of(training)
    for threads in (2, 3, 4):
        assert bytes_of(training, threads=threads, **{"loop.WORTH_THREADS": 0.0}) == want
    assert bytes_of(training, **{"loop.SECONDS": 1e-9}) == want
    assert bytes_of(training, **{"chunk.MOST_ROWS": 3}) == want
    assert bytes_of(training, threads=3, **{"loop.SECONDS": 2e-5}) == want
    if training.weights != "members":
        assert bytes_of(training, staged=True) == want
        assert bytes_of(training, staged=True, **{"chunk.MOST_STAGED": 17}) == want


def compare_shared(training: Training) -> None:
    """Raise unless helpers of a single net change no byte, even if they share the smallest pieces of work."""
    pieces = {"recorder.WORTH_PIECE": 32, "recorder.WORTH_PRODUCT": 256}
    want = bytes_of(training, **pieces)
    for threads in (2, 3, 4):
        assert bytes_of(training, threads=threads, **pieces) == want


def test_an_ensemble_has_the_same_bytes_however_it_is_made() -> None:
    compare(ENSEMBLE)


@settings(max_examples=min(EXAMPLES, 3))
@given(DAILY)
def test_daily_trainings_have_the_same_bytes_however_they_are_made(training: Training) -> None:
    compare(training)


@pytest.mark.slow
def test_helpers_of_a_deep_net_change_no_byte() -> None:
    for _ in range(20):
        compare_shared(DEEP)


@pytest.mark.slow
@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
@given(ANY)
def test_any_training_has_the_same_bytes_however_it_is_made(training: Training) -> None:
    compare(training)
    if training.members == 1:
        compare_shared(training)
