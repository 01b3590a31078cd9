"""What the compiled engine can train: nets of which every part has a twin."""

from __future__ import annotations

from nnfs_cli.nn.model import Model
from nnfs_cli.system.machine_code.blas import gemm_address
from nnfs_cli.training.compiled.losses import has_loss_twin
from nnfs_cli.training.compiled.optimizers import has_optimizer_twin
from nnfs_cli.training.compiled.recorder import has_twin
from nnfs_cli.training.optimizers import Stepper
from nnfs_cli.training.plan import Plan


def part_without_twin(model: Model, plan: Plan) -> str:
    """Return the first part of a training that has no twin, in words, or the empty string."""
    for layer in model.body.walk():
        if not has_twin(layer):
            return f"the layer {layer.label()}"
    if not has_loss_twin(model.loss, model.fused):
        return f"the loss {model.loss.label()}"
    if not (isinstance(plan.optimizer, Stepper) and has_optimizer_twin(plan.optimizer)):
        return f"the optimizer {plan.optimizer.label()}"
    return "" if gemm_address(model.dtype) else "the BLAS library of this NumPy"
