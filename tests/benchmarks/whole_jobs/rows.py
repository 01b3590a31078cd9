"""The arguments of a job and its rows, as all scripts need them."""

from __future__ import annotations

import argparse

import numpy as np


def arguments() -> argparse.Namespace:
    """What the script was asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("table")
    parser.add_argument("weights")
    parser.add_argument("--hidden", type=int, nargs="+")
    parser.add_argument("--batch", type=int)
    parser.add_argument("--epochs", type=int)
    return parser.parse_args()


def load(path: str) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """X (rows, inputs), standardised, and y (rows,) in float32: of the training rows and of the validation rows."""
    table = np.loadtxt(path, np.float32, delimiter=",", skiprows=1)
    np.random.default_rng(0).shuffle(table)
    X, y = table[:, :-1], table[:, -1]
    cut = len(table) * 4 // 5
    X = (X - X[:cut].mean(axis=0)) / X[:cut].std(axis=0)
    return (X[:cut], y[:cut]), (X[cut:], y[cut:])
