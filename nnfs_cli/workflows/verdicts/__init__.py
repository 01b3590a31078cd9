"""Verdicts: what is said about a net after its training, in at most three lines, each with what to do.

`judge` puts them together. Read `verdict`, then `losses` (the losses of each row, with those of a constant and of a
`linear` model), `interval`, and the situations: `copied`, `against_simple_models`, `decisions`, `disagreement`,
`coverage`, `curves`, and `against_baselines` where baselines are asked for.
"""

from nnfs_cli.workflows.verdicts.judge import judge
from nnfs_cli.workflows.verdicts.verdict import Verdict, recorded_verdict

__all__ = ["Verdict", "judge", "recorded_verdict"]
