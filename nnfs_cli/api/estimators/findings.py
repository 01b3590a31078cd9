"""Findings about a table, as sentences with remedies in Python."""

from __future__ import annotations

import textwrap

from nnfs_cli.config.arguments import as_arguments
from nnfs_cli.display.html import table_html
from nnfs_cli.inspection.finding import Finding
from nnfs_cli.system.wording import in_a_line


class Findings(tuple[Finding, ...]):
    """Findings in the order of reading; `str` gives a line for each, with its remedy below it.

    `finding.what`, `finding.column` and `finding.message` are texts for programs, and `str(finding)` is a sentence.
    `finding.suggestion` is a change of the config, or None: its `path`, `value` and `kind` are for programs, and `str`
    gives a line of YAML; `remedy(finding)` is the same for Python.

    >>> import nnfs_cli
    >>> rows = [{"id": i, "size": i * i % 97, "price": i * i % 97 + 9 * (i % 5)} for i in range(40)]
    >>> nnfs_cli.fit(rows, "price", epochs=10).findings
    - 'price' calls for regression: it holds 38 different numbers, from 0 to 127
    - 'id' is left out, since it numbers the rows
    """

    __slots__ = ()

    def __str__(self) -> str:
        """Return the sentences, each with its remedy, in lines of at most 80 columns."""
        lines = []
        for one in self:
            lines.append(folded("- ", str(one)))
            if remedy(one):
                lines.append(f"    {in_a_line(remedy(one))}")
        return "\n".join(lines) or "no findings"

    __repr__ = __str__  # an interactive session shows the sentences

    def _repr_html_(self) -> str:
        rows = [[str(one), remedy(one)] for one in self]
        if not any(suggestion for _, suggestion in rows):
            return table_html(["finding"], [[finding] for finding, _ in rows])
        return table_html(["finding", "remedy"], rows, labels=2)


def remedy(finding: Finding) -> str:
    """Return the suggestion of a finding as arguments of `fit`, such as ``drop=['id']``, or an empty string.

    >>> remedy(Finding("group", "who", "names the owner", Suggestion("split", ("split", "group"), "who")))
    "split={'group': 'who'}"
    """
    if finding.suggestion is None:
        return ""
    if finding.suggestion.kind == "drop":
        return as_arguments({"drop": [finding.column]})
    return as_arguments(finding.suggestion.nested)


def folded(label: str, text: str) -> str:
    """Return a label and a text beside it, in lines of at most 80 columns."""
    indent = " " * len(label)
    fold = textwrap.TextWrapper(80, label, indent, break_long_words=False, break_on_hyphens=False)
    return fold.fill(in_a_line(text))
