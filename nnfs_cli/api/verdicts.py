"""The verdict on a trained net, as sentences."""

from __future__ import annotations

from nnfs_cli.api.estimators.findings import folded
from nnfs_cli.display.html import table_html
from nnfs_cli.workflows.verdicts import Verdict


class Verdicts(tuple[Verdict, ...]):
    """How good a net is, the most important first; `str` gives a line for each verdict, with what to do.

    `verdict.code`, `verdict.severity` ("warning" or "note"), `verdict.sentence` and `verdict.remedy` are texts for
    programs.

    >>> import nnfs_cli
    >>> table = {"x": list(range(60)), "y": [i * 7919 % 13 for i in range(60)]}
    >>> settings = {"layers": ["linear: 1"], "loss": "mse", "dataset": {"table": "y"}, "preprocessing": "standardize"}
    >>> nnfs_cli.train(settings, table, epochs=3).verdict[0].severity
    'warning'
    """

    __slots__ = ()

    def __str__(self) -> str:
        """Return the sentences, each with what to do, in lines of at most 80 columns."""
        return "\n".join(folded("- ", str(one)) for one in self) or "no verdict"

    __repr__ = __str__  # an interactive session shows the sentences

    def _repr_html_(self) -> str:
        return table_html(["verdict", "what to do"], [[one.sentence, one.remedy] for one in self], labels=2)
