"""The two engines that make training steps: NumPy, and machine code for nets whose every part has a compiled twin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from nnfs_cli.nn.model import Model
from nnfs_cli.system.machine_code.loader import why_not_compile
from nnfs_cli.training.optimizers import Stepper
from nnfs_cli.training.plan import Plan
from nnfs_cli.training.shared_loop import SharedLoop, may_share
from nnfs_cli.training.step_loop import StepLoop

Engine = Literal["numpy", "compiled"]


def engine_for(model: Model, plan: Plan) -> Engine:
    """Return the engine that trains a model: the one that the plan names, or the fastest one that can.

    Raises `ValueError` with the reason if the plan names the compiled engine and it cannot train this model.
    """
    if plan.engine == "numpy" or (plan.engine == "auto" and not isinstance(plan.optimizer, Stepper)):
        return "numpy"
    reason = why_not_compiled(model, plan)
    if reason and plan.engine == "compiled":
        raise ValueError(f"the compiled engine cannot train this net: {reason}")
    return "numpy" if reason else "compiled"


def why_not_compiled(model: Model, plan: Plan) -> str:
    """Return why the compiled engine cannot train a model as planned, or the empty string."""
    if reason := why_not_compile():
        return reason
    from nnfs_cli.training.compiled.support import part_without_twin

    part = part_without_twin(model, plan)
    return f"it has no compiled form of {part}; leave `engine` out to train with NumPy" if part else ""


def loop_for(
    model: Model, optimizer: Stepper, plan: Plan, *arguments: Any, compiling: Callable[[int], None]
) -> StepLoop:
    """Return the loop that makes the steps. It calls `compiling` with the number of kernels before it compiles any."""
    if engine_for(model, plan) == "numpy":
        loop = SharedLoop if may_share(model, plan) else StepLoop
        return loop(model, optimizer, plan, *arguments)
    from nnfs_cli.training.compiled.loop import CompiledLoop

    return CompiledLoop(model, optimizer, plan, *arguments, compiling=compiling)
