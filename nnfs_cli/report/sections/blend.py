"""The blend: how much the net and each model beside it count, and how good each of them is alone."""

from __future__ import annotations

from nnfs_cli.display.text import number
from nnfs_cli.report.blocks import Figures, Rows, Section, Text
from nnfs_cli.report.run_facts import RunFacts

FITTED = (
    "Each model is fitted without each fold of the rows in turn, as the members of the net are, so these losses are "
    "for rows that a model has not seen. The weights give the least loss on these rows. The rows of a fold are "
    "predicted with weights that were chosen without them."
)
POOLED = (
    "The blend multiplies the probabilities of the models, each raised to the power of its weight. Weights that add up "
    "to more than 1 make it surer than the models are, and those that add up to less make it less sure."
)
AVERAGED = "The blend predicts the mean of the models by these weights, which add up to 1."
LEFT_OUT = "A weight of 0 leaves a model out."


def blend(facts: RunFacts) -> Section | None:
    """Return the weights and the losses of the parts, beside the loss of the blend."""
    parts, whole = facts.metrics.get("blend"), facts.figures.get("validation")
    if not parts or whole is None or facts.config is None:
        return None
    numbers = [("loss of the blend", whole.get("loss")), ("loss of the net alone", parts[0]["loss"])]
    rows = [[part["model"], f"{part['weight']:.3f}", number(part["loss"])] for part in parts]
    rows.append(["the blend", "", number(whole.get("loss"))])
    how = AVERAGED if facts.config.loss.task == "regression" else POOLED
    some = any(not part["weight"] for part in parts)
    return Section(
        "blend",
        "Blend",
        [
            Figures([(number(value), label) for label, value in numbers]),
            Rows(
                "Weights for new rows, and losses out of fold",
                ["model", "weight", "loss alone"],
                rows,
                strong=frozenset({len(parts)}),
            ),
            Text(f"{how} {LEFT_OUT}" if some else how),
            Text(FITTED, soft=True),
        ],
    )
