"""The new names of modules that have moved, for a user's file that imports them by their old names."""

from __future__ import annotations

NEW_NAMES = {
    "averaging": ("training.averaging",),
    "baselines": ("workflows.baselines",),
    "calibration": ("prediction.calibration",),
    "callbacks": ("training.callbacks",),
    "clipping": ("training.clipping",),
    "component": ("components.component",),
    "document": ("config.document",),
    "extension": ("components.user_code",),
    "files": ("system.files",),
    "gradient_check": ("nn.gradient_check",),
    "initializers": ("nn.initializers",),
    "layers": ("nn.layers",),
    "losses": ("nn.losses",),
    "model": ("nn.model",),
    "optimizers": ("training.optimizers",),
    "parameters": ("nn.parameters",),
    "penalty": ("training.penalty",),
    "plain_yaml": ("config.yaml",),
    "predictor": ("prediction.predictor",),
    "schedules": ("training.schedules",),
    "schema": ("config.json_schema",),
    "settings": ("components.field_types", "components.section"),
    "spec": ("config.config",),
    "streams": ("system.random",),
    "tasks": ("workflows",),
    "threads": ("system.threads",),
    "trainer": ("training.trainer",),
    "watching": ("training.callbacks.early_stopping", "training.callbacks.checkpoint"),
}


def new_name(module: str) -> str:
    """Return the end of a message that gives the new name of a module, or the empty string."""
    package, _, name = module.partition(".")
    if package != "nnfs_cli" or name not in NEW_NAMES:
        return ""
    return f"; {module} is now {' and '.join(f'nnfs_cli.{new}' for new in NEW_NAMES[name])}"
