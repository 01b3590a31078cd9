"""Fixtures for the tests of compiled code."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _kernels_can_be_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Numba compile, which it does not do in other tests."""
    monkeypatch.delenv("NUMBA_DISABLE_JIT")
