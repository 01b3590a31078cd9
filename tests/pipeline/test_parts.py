"""Values know the part of the model that they belong to."""

from __future__ import annotations

import numpy as np

from nnfs_cli.pipeline.cells import column
from nnfs_cli.pipeline.elementwise import divide, subtract
from nnfs_cli.pipeline.parts import part
from nnfs_cli.pipeline.value import constant


def test_values_belong_to_the_part_in_which_they_are_made() -> None:
    x = column("x", "number")
    with part("layer 1: residual"):
        y = subtract(x, 1.0)
        with part("layer 2: tanh"):
            z = divide(x, 2.0)
        again = subtract(z, y)
    assert [value.part for value in (x, y, z, again)] == [
        "",
        "layer 1: residual",
        "layer 1: residual, layer 2: tanh",
        "layer 1: residual",
    ]


def test_constants_take_the_names_of_the_arrays_of_their_part() -> None:
    mean, scale = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    with part("standardize: x", {"mean": mean, "scale": scale}):
        values = [constant(mean), constant(scale), constant(mean + 1), constant(scale, name="deviation")]
    assert [value.settings["name"] for value in values] == ["mean", "scale", "", "deviation"]
