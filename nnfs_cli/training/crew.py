"""The processes that train the members of an ensemble together."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict, replace
from itertools import groupby, pairwise

import numpy as np

from nnfs_cli.arrays import Array, total_weight
from nnfs_cli.data.training_rows import TrainingRows
from nnfs_cli.system.forked import Forked
from nnfs_cli.training.progress import Progress
from nnfs_cli.training.share import Order, Share, SharedState
from nnfs_cli.training.step_loop import StepLoop

PATIENCE = 30.0  # seconds to wait for a process that has nothing else to do


class Crew:
    """Processes that train some members each, beside this one. They work on copies of the weights and all memory.

    So a training is as it was when anything goes wrong: a process that was killed, a gradient that is not finite.
    Raises `OSError` if the system refuses memory or processes, and `NotShareableError`.
    """

    def __init__(self, whole: StepLoop, rows: TrainingRows, processes: int) -> None:
        self._whole, self._others = whole, list[Forked]()
        self._state = SharedState(whole)
        members = whole.model.members
        parts = [range(*ends) for ends in pairwise(members * i // processes for i in range(processes + 1))]
        self._own, *others = (Share(whole, rows, part, self._state) for part in parts)
        try:
            for share in others:
                self._others.append(Forked(_answers(share)))
        except OSError:
            self.end()
            raise

    @property
    def most_steps(self) -> int:
        """The most steps from one meeting to the next."""
        return self._state.steps

    def begin(self, steps: int) -> Order | None:
        """Let the other processes make the next steps of the training, all in one epoch; None if one is lost."""
        whole, progress = self._whole, self._whole.progress
        self._before = replace(progress)
        self._state.copy_from(whole)
        average = whole.average.state() or {"begun": np.array(False), "epoch": np.array(0)}
        order = Order(
            steps, progress.finished, progress.step, progress.lr, dict(whole.schedule_state),
            bool(average["begun"]), int(average["epoch"]),
        )  # fmt: skip
        message = json.dumps(asdict(order)).encode()
        try:
            for other in self._others:
                other.send(message)
        except OSError:
            return None
        return order

    def finish(self, order: Order) -> Progress | None:
        """Make this process's share of the steps, wait for the others, and return how far the training is then.

        None stands for anything that went wrong here or there: it comes again if the training makes the steps alone.
        """
        try:
            self._own.make(order)
            for other in self._others:
                other.receive(PATIENCE)
        except Exception:  # a gradient that is not finite, a process that was killed, an error in a user's layer
            return None
        progress = self._progress()
        return progress if math.isfinite(progress.loss) else None

    def hand_over(self) -> None:
        """Copy the state after the steps into the training."""
        whole, own = self._whole, self._own
        np.copyto(whole.model.parameters.vector, self._state.weights)
        for name, array in whole.optimizer_state.items():
            np.copyto(array, self._memory(name))
        if self._state.average is not None:
            whole.average.restore({**own.average.state(), "vector": self._state.average})

    def agrees(self) -> bool:
        """Return whether the training, which has made the same steps by itself, is in the same state to the byte."""
        whole, own = self._whole, self._own
        pairs = [(whole.model.parameters.vector, self._state.weights)]
        pairs += [(array, self._memory(name)) for name, array in whole.optimizer_state.items()]
        if self._state.average is not None:
            pairs.append((whole.average.state()["vector"], self._state.average))
        begun = whole.average.pending == own.average.pending
        return begun and all(np.array_equal(_bits(ours), _bits(theirs)) for ours, theirs in pairs)

    def end(self) -> None:
        """End the other processes."""
        for other in self._others:
            other.end()
        self._others.clear()

    def _memory(self, name: str) -> Array:
        """Return what the optimizer remembers after the steps."""
        shared = self._state.memory[name]
        return shared if shared.size > 1 else self._own.optimizer_state[name]

    def _progress(self) -> Progress:
        """Return the progress after the steps, with the losses of all members added up as one process does."""
        own, model = self._own, self._whole.model
        progress = replace(self._before, epoch=own.progress.epoch, step=own.progress.step)
        progress.batch, progress.lr = own.progress.batch, own.progress.lr
        lines = iter(self._state.losses)
        for _, batches in groupby(own.batches_seen, lambda batch: batch[0]):
            loss = weights = 0.0
            for _, n, weight in batches:
                losses = next(lines)[: model.members * n].reshape(model.members, n)
                loss += model.total_loss(losses, weight)
                weights += n if weight is None else total_weight(weight)
            progress.loss += loss
            progress.weight += weights
        return progress


def _bits(array: Array) -> Array:
    return np.frombuffer(np.ascontiguousarray(array).tobytes(), np.uint8)


def _answers(share: Share) -> Callable[[bytes], bytes]:
    def answer(message: bytes) -> bytes:
        share.make(Order(**json.loads(message)))
        return b"done"

    return answer
