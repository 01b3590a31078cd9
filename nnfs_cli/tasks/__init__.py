"""The plain functions behind the commands, and the public Python API.

A whole session is

    experiment = tasks.prepare(tasks.load("configs/iris.yaml"))
    run = tasks.begin(experiment, "runs")
    tasks.train(experiment, run)
    tasks.evaluate(run)["validation"]["accuracy"]

and a run that was interrupted is taken up by

    run = Run.open("runs/iris-1")
    tasks.resume(tasks.reopen(run), run)
"""

from nnfs_cli.experiment import prepare
from nnfs_cli.look.completing import load
from nnfs_cli.tasks.comparing import Comparison, baselines, compare
from nnfs_cli.tasks.cross_validating import CrossValidation, Estimate, cross_validate
from nnfs_cli.tasks.judging import Figures
from nnfs_cli.tasks.restoring import restore
from nnfs_cli.tasks.resuming import reopen, resume
from nnfs_cli.tasks.serving import Threshold, evaluate, predict, predictions
from nnfs_cli.tasks.training import begin, train
from nnfs_cli.tasks.verifying import Verdict, verify

__all__ = [
    "Comparison", "CrossValidation", "Estimate", "Figures", "Threshold", "Verdict", "baselines", "begin", "compare",
    "cross_validate", "evaluate", "load", "predict", "predictions", "prepare", "reopen", "restore", "resume", "train",
    "verify",
]  # fmt: skip
