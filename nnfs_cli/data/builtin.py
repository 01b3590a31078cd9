"""The small real data sets that scikit-learn ships, by name. They need no file and no network."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from nnfs_cli.data.source import DataSource, Facts
from nnfs_cli.data.table import Table, from_arrays


class _Builtin(DataSource):
    """One of scikit-learn's `load_...` functions, and what is known of its result."""

    known: ClassVar[Facts]
    target_name: ClassVar[str]

    def facts(self) -> Facts:
        """Numbers of inputs and classes, as published."""
        return self.known

    def target_columns(self) -> tuple[str, ...]:
        """The one target."""
        return (self.target_name,)

    def read(self) -> Table:
        """Load the arrays; labels in their own words, in the set's own order."""
        from sklearn import datasets

        bunch = getattr(datasets, f"load_{self.name}")()
        y, classes = bunch.target, None
        if self.known.n_classes:
            classes = tuple(label.item() for label in bunch.target_names)
            y = np.array(classes, dtype=object if isinstance(classes[0], str) else None)[y]
        return from_arrays(self.name, bunch.data, list(bunch.feature_names), y, [self.target_name], classes)


class BreastCancer(_Builtin, name="breast_cancer"):
    """569 tumours, 30 measurements of their cell nuclei, malignant or benign. Wolberg, Street, Mangasarian (1995)."""

    examples = ("breast_cancer",)
    known = Facts(30, 2)
    target_name = "diagnosis"


class Iris(_Builtin, name="iris"):
    """150 irises, 4 measurements of their flowers, 3 species. Fisher (1936)."""

    examples = ("iris",)
    known = Facts(4, 3)
    target_name = "species"


class Wine(_Builtin, name="wine"):
    """178 Italian wines, 13 chemical measurements, 3 cultivars. Aeberhard and Forina (1992)."""

    examples = ("wine",)
    known = Facts(13, 3)
    target_name = "cultivar"


class Digits(_Builtin, name="digits"):
    """1,797 handwritten digits as 8 x 8 pixels, 10 classes. Alpaydin and Kaynak (1998)."""

    examples = ("digits",)
    known = Facts(64, 10)
    target_name = "digit"


class Diabetes(_Builtin, name="diabetes"):
    """442 patients, 10 measurements, and a score of how the disease went on in a year. Efron et al. (2004)."""

    examples = ("diabetes",)
    known = Facts(10, None)
    target_name = "progression"
