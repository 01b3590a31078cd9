"""The work of each command, as plain functions. What Python users import from `nnfs_cli` is built on them.

A whole session is

    experiment = workflows.prepare(workflows.load("configs/iris.yaml"))
    run = workflows.begin(experiment, "runs")
    workflows.train(experiment, run)
    workflows.evaluate(run)["validation"]["accuracy"]

and an interrupted run is resumed by

    run = RunDirectory.open("runs/iris-1")
    workflows.resume(workflows.reopen(run), run)

Read `train`, `load_run`, `evaluate` and `predict` first, then `decide` (the threshold between two classes), `resume`
and `verify`, then `compare` with `baselines`, `compare_runs` and `cross_validate`. `evaluate` returns an `evaluation`,
with figures `by_column` if asked, `bootstrap` finds confidence intervals, and `verdicts` says how good a net is.
"""

# The functions are re-exported so that users need one import, and read `workflows.train(...)` as a sentence. They hide
# the modules of the same names: `from nnfs_cli.workflows import train` is the function. Imports of the form
# `from nnfs_cli.workflows.train import begin` still work; tests that patch a module find it in `sys.modules`.

from nnfs_cli.experiment.experiment import prepare
from nnfs_cli.inspection.load_config import load
from nnfs_cli.workflows.compare import Comparison, baselines, compare
from nnfs_cli.workflows.compare_runs import RunComparison, compare_runs
from nnfs_cli.workflows.cross_validate import CrossValidation, FoldEstimate, cross_validate
from nnfs_cli.workflows.decide import Threshold, decide
from nnfs_cli.workflows.evaluate import evaluate
from nnfs_cli.workflows.evaluation import Evaluation
from nnfs_cli.workflows.figures import Figures
from nnfs_cli.workflows.load_run import restore
from nnfs_cli.workflows.predict import batch_predictor, predict
from nnfs_cli.workflows.resume import reopen, resume
from nnfs_cli.workflows.train import begin, train
from nnfs_cli.workflows.verdicts import Verdict
from nnfs_cli.workflows.verify import Reproduction, verify

__all__ = [
    "Comparison", "CrossValidation", "Evaluation", "Figures", "FoldEstimate", "Reproduction", "RunComparison",
    "Threshold", "Verdict", "baselines", "batch_predictor", "begin", "compare", "compare_runs", "cross_validate",
    "decide", "evaluate", "load", "predict", "prepare", "reopen", "restore", "resume", "train", "verify",
]  # fmt: skip
