"""The summary of a finished training."""

from __future__ import annotations

from nnfs_cli.config.config import Config
from nnfs_cli.display.summary import summary_lines
from tests.conftest import CONFIGS

FIGURES = {"rows": 1234, "loss": 0.12345, "accuracy": None}


def test_a_summary_has_the_figures_of_the_held_out_rows() -> None:
    config = Config.load(CONFIGS / "iris.yaml")
    metrics = {"best_epoch": 1200, "stopped": "enough", "train": FIGURES, "validation": FIGURES, "test": FIGURES}
    assert summary_lines(metrics, config) == [
        ("stopped", "enough"),
        ("best", "epoch 1,200, by val_loss"),
        ("validation", "loss 0.1235, accuracy - (1,234 rows)"),
        ("test", "loss 0.1235, accuracy - (1,234 rows)"),
    ]


def test_without_held_out_rows_it_has_those_of_the_training_rows_and_no_best_epoch() -> None:
    config = Config.load(CONFIGS / "iris.yaml", ["split={}"])
    assert summary_lines({"best_epoch": 3, "train": FIGURES}, config) == [
        ("train", "loss 0.1235, accuracy - (1,234 rows)")
    ]
