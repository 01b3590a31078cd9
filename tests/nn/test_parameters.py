"""Parameters: how named views cover the flat vector."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnfs_cli.nn.initializers import Initializer
from nnfs_cli.nn.layers.linear import Linear
from nnfs_cli.nn.parameters import Parameters, ParameterSpec, ParameterTree, Views


def test_a_view_cannot_be_rebound() -> None:
    _, tree = Linear(units=2).build((3,))
    parameters = Parameters(tree, "float32")
    with pytest.raises(AttributeError, match="view into the flat vector"):
        parameters.views.weight = np.ones((3, 2))
    parameters.views.weight[...] = 1
    assert parameters.vector.sum() == 6


specs = st.builds(
    lambda shape, decays, learned: ParameterSpec(shape, Initializer.resolve("zeros"), 1, 1, decays, learned),
    st.lists(st.integers(1, 3), max_size=3).map(tuple),
    st.booleans(),
    st.booleans(),
)
names = st.sampled_from(["0", "1", "weight", "bias", "inner"])
branches = st.recursive(specs, lambda inner: st.dictionaries(names, inner, max_size=4))


def leaves(tree: ParameterTree, views: Views, prefix: str = "") -> list[tuple[str, ParameterSpec, Any]]:
    """Every parameter of a tree as a layer comes to it, by attributes; None for what the views do not have."""
    found = []
    for name, item in tree.items():
        view = getattr(views, name, None)
        found += [(prefix + name, item, view)] if isinstance(item, ParameterSpec) else leaves(item, view, f"{name}.")
    return found


@given(st.dictionaries(names, branches, max_size=4))
def test_views_cover_the_vector_once_decayed_first_then_learned_then_the_rest(tree: ParameterTree) -> None:
    parameters, gradients = Parameters(tree, "float64"), Parameters(tree, "float64", gradients=True)
    layout, vector = parameters.layout, parameters.vector
    found = leaves(tree, parameters.views)
    assert vector.size == layout.size == sum(math.prod(spec.shape) for _, spec, _ in found)
    for _, spec, view in found:
        assert view.shape == spec.shape
        assert np.shares_memory(view, vector)
        view += 1
    assert (vector == 1).all()
    assert [part.size for part in (parameters.decayed, parameters.learned)] == [layout.decayed, layout.learned]
    for _, spec, view in found:
        view[...] = 0 if not spec.learned else 1 if not spec.decays else 2
    assert vector.tolist() == sorted(vector, reverse=True)
    assert (parameters.decayed == 2).all()
    assert set(parameters.learned) <= {1, 2}
    assert not vector[layout.learned :].any()
    assert gradients.vector.size == layout.learned
    for (name, spec, view), (same, _, gradient) in zip(found, leaves(tree, gradients.views), strict=True):
        assert name == same
        assert (gradient is not None) == spec.learned
        if spec.learned:
            gradient[...] = view
    np.testing.assert_array_equal(gradients.vector, parameters.learned)
    members = np.arange(3 * layout.size).reshape(3, layout.size)  # three nets at once
    for name, array in layout.arrays(members).items():
        np.testing.assert_array_equal(array.reshape(3, -1), members[:, layout.slices[name]])
