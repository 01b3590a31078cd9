"""The models of a server by name, each of which can be replaced while requests are answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import Executor

from nnfs_cli.errors import NnfsError, UserError
from nnfs_cli.serve.batcher import Batcher
from nnfs_cli.serve.metrics import Metrics
from nnfs_cli.serve.model import Model
from nnfs_cli.serve.sources import RunSource
from nnfs_cli.system.wording import named

Tell = Callable[[str], None]


class Models:
    """The models of some sources. Requests that have begun keep the model that they began with.

    `tell` is given a line for the operator about every run that is loaded later. Raises `UserError` if two sources have
    the same name, and `RunError` if a run cannot be loaded.
    """

    def __init__(self, sources: Iterable[RunSource], workers: Executor, metrics: Metrics, tell: Tell) -> None:
        self.sources: dict[str, RunSource] = {}
        for source in sources:
            if source.name in self.sources:
                raise UserError(f"two models are named {named(source.name)}; write NAME=RUN for one of them")
            self.sources[source.name] = source
        self._workers, self._metrics, self._tell = workers, metrics, tell
        self.batchers = {name: self._batcher(name, Model(source.resolve())) for name, source in self.sources.items()}
        self._failed: dict[str, object] = {}  # what could not be loaded, so that it is told once
        self._reloading = asyncio.Lock()

    @property
    def first(self) -> str:
        """The name of the model that was given first."""
        return next(iter(self.batchers))

    async def reload(self, only_changed: bool) -> None:
        """Load the runs anew, all or only those that have changed; a run that cannot be loaded replaces none."""
        async with self._reloading:
            for name, source in self.sources.items():
                loop = asyncio.get_running_loop()
                model = await loop.run_in_executor(None, self._newer, name, source, only_changed)
                if model is not None:
                    self.batchers[name] = self._batcher(name, model)
                    self._metrics.reloads.add((("model", name),))
                    self._tell(f"{named(name)} is now {model.run.path.as_posix()}")

    def _newer(self, name: str, source: RunSource, only_changed: bool) -> Model | None:
        """Return the model of a source, if it is another one or `only_changed` is false, and can be loaded."""
        now = self.batchers[name].model
        found: object = None
        try:
            run = source.resolve()
            found = run.path, run.status_file.stamp()
            if only_changed and (found == (now.run.path, now.stamp) or found == self._failed.get(name)):
                return None
            model = Model(run)
        except (NnfsError, OSError) as error:
            if self._failed.get(name, "") != found or not only_changed:
                self._tell(f"{named(name)} stays {now.run.path.as_posix()}: {error}")
            self._failed[name] = found
            return None
        self._failed.pop(name, None)
        return model

    def _batcher(self, name: str, model: Model) -> Batcher:
        return Batcher(name, model, self._workers, self._metrics)
