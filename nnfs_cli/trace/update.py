"""The steps of the update: what the optimizer does to each parameter."""

from __future__ import annotations

import numpy as np

from nnfs_cli.arrays import Array
from nnfs_cli.nn.entry_formulas import Numbers, apply, constants, first_entry, four_digits, put_in
from nnfs_cli.nn.formulas import formulas
from nnfs_cli.nn.parameters import ParameterLayout
from nnfs_cli.trace.batch import TracedBatch
from nnfs_cli.trace.values import Step, TracedArray
from nnfs_cli.training.optimizers import Optimizer, Stepper


def update_steps(batch: TracedBatch) -> list[Step]:
    """Return a step for each parameter array; the model holds the gradients of the pass, and is changed.

    The step is the first one: the optimizer's memory is as before training.
    """
    plan, model = batch.plan, batch.model
    optimizer, title = plan.optimizer, plan.optimizer.name
    if not isinstance(optimizer, Stepper):
        note = f"{optimizer.name} minimizes the loss of all rows and chooses its own steps; it makes none for a batch."
        return [Step("update", "optimizer", title, formula=_formula(optimizer), notes=(note,))]
    parameters, lr = model.parameters, batch.lr or 0.0
    gradient = model.gradients.vector
    before, pure = parameters.learned.copy(), gradient.copy()
    notes = []
    if factors := plan.penalty.begin(parameters):
        plan.penalty.add_gradient(parameters.learned, gradient, factors)
        notes.append("The penalty adds l1 sign(w) + l2 w to the gradient of the weights.")
    if plan.clip:
        length = four_digits(float(np.linalg.norm(gradient)))
        plan.clip.apply(gradient)
        clipped = four_digits(float(np.linalg.norm(gradient)))
        notes.append(f"Clipping: the norm of the gradient of all parameters was {length} and is {clipped}.")
    if plan.accumulate > 1:
        notes.append(f"In training, {plan.accumulate} batches make one step; here it is this batch alone.")
    g = gradient.copy()
    memory = optimizer.begin(parameters.learned)
    old = {name: array.copy() for name, array in memory.items()}
    optimizer.decay(parameters.decayed, lr)
    decayed = parameters.learned.copy()
    optimizer.step(parameters.learned, gradient, memory, lr)
    vectors = {"w": decayed, "g": g, "w'": parameters.learned}
    vectors |= {**old, **{f"{name}'": array for name, array in memory.items()}}
    settings = {**constants(optimizer), "lr": lr}
    decays = {"before": before, "w": decayed} if optimizer.weight_decay else {}
    steps = []
    for name in model.gradients.arrays:
        numbers = Numbers({}, {**settings, **_parts(model.parameters.layout, name, vectors)})
        own = _parts(model.parameters.layout, name, {"pure": pure, "before": before})
        where = first_entry(np.asarray(numbers.fixed["g"]))
        applied = apply(optimizer, numbers, where=where)
        if decays and model.parameters.layout.specs[name].decays:
            decay = Numbers({}, {**settings, **_parts(model.parameters.layout, name, decays)})
            shrunk = put_in("w = before (1 - lr weight_decay)", decay, where)
            applied = (shrunk, *applied) if shrunk else applied
        arrays = [TracedArray("w", "before", own["before"]), TracedArray("dL/dw", "gradient of the loss", own["pure"])]
        if notes and not np.array_equal(pure, g):
            arrays.append(TracedArray("g", "gradient that the step uses", np.asarray(numbers.fixed["g"])))
        arrays.append(TracedArray("w'", "after", np.asarray(numbers.fixed["w'"])))
        steps.append(Step("update", name, name, 0, _formula(optimizer), tuple(arrays), applied))
    first = f"lr is {four_digits(lr)}"
    memory_note = f"{first}; the memory of {optimizer.name} is as before training." if memory else f"{first}."
    head = Step("update", "optimizer", title, 0, _formula(optimizer), notes=(memory_note, *notes))
    return [head, *steps]


def _formula(optimizer: Optimizer) -> str:
    """Return the formula of an optimizer; of one "or with" a setting, such as momentum, only what is used."""
    plain, _, other = formulas(optimizer).forward.partition(", or with ")
    setting, _, used = other.partition(" ")
    applies = bool(used and getattr(optimizer, setting, False))
    return used if applies else plain


def _parts(layout: ParameterLayout, name: str, vectors: dict[str, Array]) -> dict[str, Array]:
    """Return the part of each vector (learned,) that belongs to a parameter, in its shape; other arrays as they are."""
    learned = layout.learned
    return {
        key: layout.arrays(vector)[name].copy() if vector.shape == (learned,) else vector.copy()
        for key, vector in vectors.items()
    }
