"""Draws the pictures of the README anew: `python -m tests.pictures` (needs matplotlib besides the test extra)."""

from __future__ import annotations

import tempfile

import matplotlib as mpl
import numpy as np
import yaml

from nnfs_cli import workflows
from nnfs_cli.config.config import Config
from nnfs_cli.data.table import from_arrays
from nnfs_cli.training.schedules import Schedule
from tests.readme import ROOT

RED, BLUE, GREY = "#a3271b", "#1d4e89", "#9a9a9a"
EDGE, POINTS = 1.25, 300
EPOCHS, STEPS = 100, 10
SCHEDULES = (
    "constant: {warmup: 10}", "linear", "cosine", "cosine: 2",
    "step: 25", "exponential", "one_cycle", "coslog4",
)  # fmt: skip


def spirals() -> None:
    """What the net of configs/spirals.yaml believes about every point of the plane, and how it came to."""
    from matplotlib import pyplot as plt

    with tempfile.TemporaryDirectory() as folder:
        experiment = workflows.prepare(Config.load(ROOT / "configs" / "spirals.yaml"))
        run = workflows.begin(experiment, folder)
        workflows.train(experiment, run)
        epochs, predictor = run.epochs(), workflows.restore(run)
    side = np.linspace(-EDGE, EDGE, POINTS)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    belief = predictor.predict(from_arrays("grid", grid, ["x0", "x1"]))["probability_b"].reshape(POINTS, POINTS)
    table = experiment.config.dataset.read()

    figure, (plane, curve) = plt.subplots(1, 2, figsize=(8, 3.4), width_ratios=[1, 1.3], layout="constrained")
    plane.imshow(belief, extent=(-EDGE, EDGE) * 2, origin="lower", cmap="RdBu", vmin=-0.6, vmax=1.6)
    for group, colour in (("a", RED), ("b", BLUE)):
        rows = table.columns["group"] == group
        plane.scatter(table.columns["x0"][rows], table.columns["x1"][rows], s=4, color=colour, linewidths=0)
    plane.set(xticks=[], yticks=[])
    for name, colour in (("train_loss", GREY), ("val_loss", BLUE)):
        curve.plot([row["epoch"] for row in epochs], [row[name] for row in epochs], color=colour, label=name)
    curve.set(xlabel="epoch", yscale="log")
    curve.legend(frameon=False)
    curve.spines[["top", "right"]].set_visible(False)
    figure.savefig(ROOT / ".readme" / "spirals.png", dpi=110, metadata={"Software": None})


def schedules() -> None:
    """The learning rate over 100 epochs, as a share of lr."""
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(2, 4, figsize=(8, 2.7), sharex=True, sharey=True, layout="constrained")
    epochs = np.arange(EPOCHS * STEPS) / STEPS
    for axis, text in zip(axes.flat, SCHEDULES, strict=True):
        schedule = Schedule.resolve(yaml.safe_load(text))
        factors = [schedule.at(step, STEPS, EPOCHS, schedule.begin()) for step in range(EPOCHS * STEPS)]
        axis.plot(epochs, factors, color=BLUE, linewidth=1.4)
        axis.set_title(text, fontsize=7, family="monospace")
        axis.set(ylim=(-0.05, 1.1), xticks=[0, 50, 100], yticks=[0, 1])
        axis.tick_params(labelsize=7)
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(ROOT / ".readme" / "schedules.png", dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    mpl.use("agg")
    spirals()
    schedules()
