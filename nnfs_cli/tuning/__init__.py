"""Search for good settings: many trainings with varied settings, each an ordinary run, that survive whatever happens.

Read `plan` (what is asked for), `recipe` (a config whose settings can be replaced), `trial` (the training of one set of
values, the task of a worker), `study` (Optuna, which proposes values and keeps the journal), `crew` (the workers) and
`tune` (the whole search). `found` is what came of it.
"""

from nnfs_cli.tuning.found import Found, TrialRow
from nnfs_cli.tuning.plan import PRUNERS, SAMPLERS, Plan
from nnfs_cli.tuning.tune import Search, begin, reopen, tune

__all__ = ["PRUNERS", "SAMPLERS", "Found", "Plan", "Search", "TrialRow", "begin", "reopen", "tune"]
