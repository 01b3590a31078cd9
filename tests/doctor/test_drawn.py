"""The figures in the guide hold: how much is found of faults that were drawn, and how much is said wrongly."""

from __future__ import annotations

import pytest

from tests.doctor.measure import measure


@pytest.mark.slow
def test_most_drawn_faults_are_found_and_little_is_said_wrongly() -> None:
    score = measure()
    assert (score.faulty, score.healthy) == (30, 30)
    assert score.named["either"] >= 25  # 27 when it was measured; other machines round otherwise
    assert score.wrong.total() <= 8
    assert set(score.wrong) <= {"overfit"} or score.wrong.total() - score.wrong["overfit"] <= 2
