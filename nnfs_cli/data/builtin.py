"""The small real data sets that come with scikit-learn. They need no file and no network."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.data.source import NO_KINDS, DataSource, Facts, with_kinds
from nnfs_cli.data.table import Kind, Label, Table, from_arrays


class _Builtin(DataSource):
    """A data set of one of scikit-learn's `load_...` functions.

    Importing scikit-learn takes longer than training on such a data set. Its file is therefore read directly;
    scikit-learn loads it only if the file is missing or needs more than reading.
    """

    known: ClassVar[Facts]
    target_name: ClassVar[str]
    file: ClassVar[str] = ""  # columns of numbers, the class last; a line of sizes and labels first if labels are texts
    features: ClassVar[tuple[str, ...]] = ()
    labels: ClassVar[tuple[Label, ...]] = ()

    def facts(self) -> Facts:
        """Return the published numbers of inputs and classes."""
        return self.known

    def target_columns(self) -> tuple[str, ...]:
        """Return the one target."""
        return (self.target_name,)

    def read(self, kinds: Mapping[str, Kind] = NO_KINDS) -> Table:
        """Read the arrays. Labels have the names and the order of the data set."""
        path = _shipped(self.file)
        X, y, features, labels = self._parsed(path) if path else self._loaded()
        if labels:
            y = np.array(labels, dtype=object if isinstance(labels[0], str) else None)[y]
        return with_kinds(from_arrays(self.name, X, features, y, [self.target_name], labels), kinds)

    def _parsed(self, path: Path) -> tuple[Array, Array, list[str], tuple[Label, ...] | None]:
        rows = np.loadtxt(path, delimiter=",", skiprows=1 if isinstance(self.labels[0], str) else 0)
        return np.ascontiguousarray(rows[:, :-1]), rows[:, -1].astype(np.int64), list(self.features), self.labels

    def _loaded(self) -> tuple[Array, Array, list[str], tuple[Label, ...] | None]:
        from sklearn import datasets

        bunch = getattr(datasets, f"load_{self.name}")()
        labels = tuple(label.item() for label in bunch.target_names) if self.known.n_classes else None
        return bunch.data, bunch.target, list(map(str, bunch.feature_names)), labels


def _shipped(file: str) -> Path | None:
    """Return the path of a file of scikit-learn without importing it, or None if it is missing."""
    spec = importlib.util.find_spec("sklearn") if file else None
    places = spec.submodule_search_locations if spec else None
    return next((path for place in places or () if (path := Path(place, "datasets", "data", file)).is_file()), None)


class BreastCancer(_Builtin, name="breast_cancer"):
    """569 tumours: 30 measurements of cell nuclei, and whether it is malignant. Wolberg, Street, Mangasarian (1995)."""

    examples = ("breast_cancer",)
    known = Facts(30, 2)
    target_name = "diagnosis"
    file, labels = "breast_cancer.csv", ("malignant", "benign")
    features = tuple(
        form.format(of)
        for form in ("mean {}", "{} error", "worst {}")
        for of in (
            "radius", "texture", "perimeter", "area", "smoothness",
            "compactness", "concavity", "concave points", "symmetry", "fractal dimension",
        )
    )  # fmt: skip


class Iris(_Builtin, name="iris"):
    """150 irises: 4 measurements of their flowers, and one of 3 species. Fisher (1936)."""

    examples = ("iris",)
    known = Facts(4, 3)
    target_name = "species"
    file, labels = "iris.csv", ("setosa", "versicolor", "virginica")
    features = ("sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)")


class Wine(_Builtin, name="wine"):
    """178 Italian wines: 13 chemical measurements, and one of 3 cultivars. Aeberhard and Forina (1992)."""

    examples = ("wine",)
    known = Facts(13, 3)
    target_name = "cultivar"
    file, labels = "wine_data.csv", ("class_0", "class_1", "class_2")
    features = (
        "alcohol", "malic_acid", "ash", "alcalinity_of_ash", "magnesium", "total_phenols", "flavanoids",
        "nonflavanoid_phenols", "proanthocyanins", "color_intensity", "hue", "od280/od315_of_diluted_wines", "proline",
    )  # fmt: skip


class Digits(_Builtin, name="digits"):
    """1,797 handwritten digits: 8 x 8 pixels, and one of 10 classes. Alpaydin and Kaynak (1998)."""

    examples = ("digits",)
    known = Facts(64, 10)
    target_name = "digit"
    file, labels = "digits.csv.gz", tuple(range(10))
    features = tuple(f"pixel_{row}_{column}" for row in range(8) for column in range(8))


class Diabetes(_Builtin, name="diabetes"):
    """442 patients: 10 measurements, and the progression of their diabetes after a year. Efron et al. (2004)."""

    examples = ("diabetes",)
    known = Facts(10, None)
    target_name = "progression"
