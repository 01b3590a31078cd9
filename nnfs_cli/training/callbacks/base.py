"""The contract of a callback: an object whose hooks are called while a net is trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

from nnfs_cli.arrays import Array
from nnfs_cli.components.component import Component
from nnfs_cli.nn.model import Model
from nnfs_cli.training.averaging import Average
from nnfs_cli.training.plan import Plan
from nnfs_cli.training.progress import LogRow, Progress, State


class Training(Protocol):
    """A training in progress, as callbacks see it."""

    @property
    def model(self) -> Model:
        """The net that is trained."""

    @property
    def plan(self) -> Plan:
        """The plan that the net is trained by."""

    @property
    def progress(self) -> Progress:
        """The progress of training: `epoch`, `step`, `lr` and others. Callbacks must not change it."""

    @property
    def average(self) -> Average:
        """The average of the weights; `average.pending` is true if there will be one but there is none yet."""

    @property
    def stopped(self) -> str:
        """The reason why training ends before its last epoch; empty if it does not."""

    @property
    def aborting(self) -> bool:
        """Whether training ends at once, so that there is no time to write anything."""

    @property
    def resumable(self) -> bool:
        """Whether training could continue from `state()`."""

    def stop(self, reason: str = "a callback stopped it") -> None:
        """End training after the current step. Only the first reason counts."""

    def interrupt(self, interruption: BaseException) -> None:
        """End training after the current step, then raise `interruption`. A second call raises at once."""

    def state(self) -> State:
        """Return everything needed to continue from here, by name. Large arrays are not copied."""


_HOOKS_OF_KERAS = {
    "on_batch_end": "on_step(training)",
    "on_epoch_end": "on_log(training, row)",
    "on_train_batch_end": "on_step(training)",
    "on_train_begin": "on_begin(training)",
    "on_train_end": "on_end(training)",
}


class Callback:
    """An object that watches training. Override the hooks that you need; each is called with the training.

    When an epoch is over, the model holds the weights that count: their average, if the config asks for one.

    To keep its memory when a run is interrupted and resumed, a callback needs a `key`, and must override `reset`,
    `state` and `restore`. A callback that a config can name derives from `NamedCallback` instead.

    >>> from nnfs_cli import Callback, train
    >>> class Losses(Callback):
    ...     def on_log(self, training, row):
    ...         print(training.progress.epoch, round(row["train_loss"], 1))
    >>> run = train("configs/iris.yaml", epochs=2, callbacks=[Losses()])
    1 1.0
    2 0.8
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for name in vars(cls):
            if name in _HOOKS_OF_KERAS:
                raise TypeError(f"{cls.__name__}.{name} would never be called; the hook is {_HOOKS_OF_KERAS[name]}")

    key: ClassVar[str] = ""  # prefix of its arrays in a saved state; empty if it remembers nothing

    def reset(self, training: Training) -> None:
        """Forget everything. Called when training starts, and before `restore` when it is resumed."""

    def state(self) -> State:
        """Return what must be remembered: arrays by name, whose names, shapes and types never change."""
        return {}

    def restore(self, state: Mapping[str, Array]) -> None:
        """Restore what `state` returned. The arrays may be overwritten afterwards, so copy large ones."""

    def on_begin(self, training: Training) -> None:
        """Act before the first step, or before the next step of a resumed training."""

    def on_step(self, training: Training) -> None:
        """Act after a step. This is called often, so it should be fast."""

    def next_stop(self, training: Training) -> float:
        """Return the next step, counted over all epochs, after which `on_step` must be called.

        By default it is the next one. `on_step` may be called after earlier steps, too; a callback that only looks at
        the clock returns infinity, and is called some times a second.
        """
        return training.progress.step + 1

    def on_log(self, training: Training, row: LogRow) -> None:
        """Act after an epoch was evaluated; `row` holds its figures, such as `train_loss` and `val_loss`."""

    def on_epoch(self, training: Training) -> None:
        """Act after an epoch, before it is evaluated."""

    def on_compile(self, training: Training, kernels: int) -> None:
        """Act before parts of the net are compiled, which takes some seconds, once on every machine."""

    def on_end(self, training: Training) -> None:
        """Act after the last step, also when training is interrupted or diverges."""


class NamedCallback(Component, Callback, family="callback"):
    """A callback that a config can name under `callbacks`, and that a --code file can add.

    Its settings are its fields, as for any component. It keeps what it remembers in private attributes, which have
    defaults and names that begin with `_`. Each training works with a copy of its own. An example:

        class Milestones(NamedCallback, name="milestones", main="every"):
            every: PositiveInt = 10
            _seen: int = 0

            def reset(self, training):
                self._seen = 0

            def state(self):
                return {"seen": np.array(self._seen)}

            def restore(self, state):
                self._seen = int(state["seen"])

            def on_log(self, training, row):
                self._seen += 1
                if self._seen % self.every == 0:
                    print(f"epoch {training.progress.epoch}: {row['train_loss']:.4f}", file=sys.stderr)
    """

    def __init_subclass__(cls, *, name: str = "", **options: Any) -> None:
        super().__init_subclass__(name=name, **options)
        cls.key = f"callback.{name}" if name else ""
