"""The plain functions behind the commands, and the public Python API.

A whole session is

    experiment = workflows.prepare(workflows.load("configs/iris.yaml"))
    run = workflows.begin(experiment, "runs")
    workflows.train(experiment, run)
    workflows.evaluate(run)["validation"]["accuracy"]

and a run that was interrupted is taken up by

    run = Run.open("runs/iris-1")
    workflows.resume(workflows.reopen(run), run)
"""

from nnfs_cli.experiment.experiment import prepare
from nnfs_cli.inspection.load_config import load
from nnfs_cli.workflows.compare import Comparison, baselines, compare
from nnfs_cli.workflows.cross_validate import CrossValidation, Estimate, cross_validate
from nnfs_cli.workflows.evaluate import Threshold, evaluate, predict, predictions
from nnfs_cli.workflows.figures import Figures
from nnfs_cli.workflows.load_run import restore
from nnfs_cli.workflows.resume import reopen, resume
from nnfs_cli.workflows.train import begin, train
from nnfs_cli.workflows.verify import Verdict, verify

__all__ = [
    "Comparison", "CrossValidation", "Estimate", "Figures", "Threshold", "Verdict", "baselines", "begin", "compare",
    "cross_validate", "evaluate", "load", "predict", "predictions", "prepare", "reopen", "restore", "resume", "train",
    "verify",
]  # fmt: skip
