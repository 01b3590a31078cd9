"""The figures of a net and of baselines on the same rows, laid out as tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nnfs_cli.display.text import number

Models = Mapping[str, Mapping[str, float]]  # figures by the name of the model, then by their own


def comparison_tables(
    comparison: Mapping[str, Models], out_of_fold: bool = False
) -> Iterator[tuple[list[str], list[list[str]]]]:
    """Yield the header and the rows of a table for each split, with a row for each model.

    The header says if the figures called validation are `out_of_fold`.
    """
    for split, models in comparison.items():
        names = list(next(iter(models.values()), {}))
        title = f"{split} (out of fold)" if out_of_fold and split == "validation" else split
        yield [title, *names], [[model, *map(number, figures.values())] for model, figures in models.items()]
