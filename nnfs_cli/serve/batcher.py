"""Gather the questions that arrive together, and predict them as one table."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor

from nnfs_cli.serve.metrics import Metrics
from nnfs_cli.serve.model import Model, Predictions, Question
from nnfs_cli.serve.refusal import Refusal

TOGETHER = 1_024  # rows that are predicted as one table, at most
AT_ONCE = 256  # rows that the event loop predicts by itself; more would keep other connections waiting

Answer = asyncio.Future[Predictions]


class Batcher:
    """Answer the questions of one model. It belongs to the event loop that it is used in.

    A few rows are predicted by the event loop, once it has read what has arrived on all connections: a change of
    threads would take longer. Many rows, and reasons, are predicted by `workers`. Meanwhile further small questions
    are gathered.
    """

    def __init__(self, name: str, model: Model, workers: Executor, metrics: Metrics) -> None:
        self.name, self.model, self._workers, self._metrics = name, model, workers, metrics
        self._waiting: list[tuple[Question, Answer]] = []

    async def ask(self, question: Question) -> Predictions:
        """Return the predictions of a question. Raises `Refusal`."""
        loop = asyncio.get_running_loop()
        if question.reasons is not None or question.rows.n > AT_ONCE:
            self._count()
            return _given(await loop.run_in_executor(self._workers, self.model.answer, question))
        answer: Answer = loop.create_future()
        self._waiting.append((question, answer))
        if len(self._waiting) == 1:
            loop.call_soon(self._answer_all)
        return await answer

    def _count(self) -> None:
        self._metrics.batches.add((("model", self.name),))

    def _answer_all(self) -> None:
        """Answer all that wait, those that can be one table together."""
        waiting, self._waiting = self._waiting, []
        groups: dict[object, list[tuple[Question, Answer]]] = {}
        for question, answer in waiting:
            groups.setdefault((question.interval, question.rows.columns), []).append((question, answer))
        for group in groups.values():
            for batch in _batches(group):
                self._answer(batch)

    def _answer(self, batch: Sequence[tuple[Question, Answer]]) -> None:
        self._count()
        try:
            found = self.model.answer_together([question for question, _ in batch])
        except Exception as error:  # a bug must not leave a client waiting
            for _, answer in batch:
                if not answer.done():
                    answer.set_exception(error)
            return
        for (_, answer), one in zip(batch, found, strict=True):
            if answer.done():  # the client has left
                continue
            if isinstance(one, Refusal):
                answer.set_exception(one)
            else:
                answer.set_result(one)


def _batches(group: Sequence[tuple[Question, Answer]]) -> list[list[tuple[Question, Answer]]]:
    """Return the questions of a group in batches of so many rows that they are predicted as one table."""
    batches: list[list[tuple[Question, Answer]]] = [[]]
    rows = 0
    for one in group:
        n = one[0].rows.n
        if rows + n > TOGETHER and batches[-1]:
            batches.append([])
            rows = 0
        batches[-1].append(one)
        rows += n
    return batches


def _given(found: Predictions | Refusal) -> Predictions:
    if isinstance(found, Refusal):
        raise found
    return found
