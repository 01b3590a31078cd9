"""Initializers: the spread of the values they draw."""

from __future__ import annotations

import numpy as np
import pytest

from nnfs_cli.nn.initializers import Initializer


@pytest.mark.parametrize(
    ("name", "std"),
    [
        ("uniform_fan_in", 1 / np.sqrt(3 * 300)),
        ("lecun_normal", 1 / np.sqrt(300)),
        ("lecun_uniform", 1 / np.sqrt(300)),
        ("he_normal", np.sqrt(2 / 300)),
        ("he_uniform", np.sqrt(2 / 300)),
        ("xavier_normal", np.sqrt(2 / 500)),
        ("xavier_uniform", np.sqrt(2 / 500)),
        ("normal", 0.01),
        ("uniform", 0.05 / np.sqrt(3)),
        ("zeros", 0),
    ],
)
def test_initializers_have_their_published_spread(name: str, std: float) -> None:
    values = Initializer.resolve(name).draw(np.random.default_rng(0), (300, 200), 300, 200)
    assert values.std() == pytest.approx(std, rel=0.02)
    assert values.mean() == pytest.approx(0, abs=0.02 * std + 1e-12)


def test_constant_initializer() -> None:
    assert (Initializer.resolve({"constant": 0.3}).draw(None, (2, 2), 2, 2) == 0.3).all()
