"""Apply a function to the items of a series in several threads, with the results in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice
from typing import TypeVar

from nnfs_cli.system.threads import available_cores

WORKERS = min(4, available_cores())

Item = TypeVar("Item")
Result = TypeVar("Result")


def parallel_map(
    work: Callable[[Item], Result], items: Iterable[Item], workers: int = WORKERS
) -> Iterator[tuple[Item, Result]]:
    """Yield each item with the result of the work on it, in order; the next few items are worked on meanwhile.

    A single worker is the thread that asks, which does the work when a result is asked for. An error of the work is
    raised when its item would have been yielded, and an error of the series itself after all items before it.
    """
    series = iter(items)
    if workers == 1:
        yield from ((item, work(item)) for item in series)
        return
    head = [*islice(series, 1)]
    if not head:
        return
    try:
        head.append(next(series))
    except StopIteration:  # a single item needs no threads
        yield head[0], work(head[0])
        return
    except Exception:
        yield head[0], work(head[0])
        raise
    series = chain(head, series)
    waiting: deque[tuple[Item, Future[Result]]] = deque()
    problem, more = None, True
    with ThreadPoolExecutor(workers) as pool:
        try:
            while more or waiting:
                try:
                    if more:
                        item = next(series)
                        waiting.append((item, pool.submit(work, item)))
                except StopIteration:
                    more = False
                except Exception as error:
                    problem, more = error, False
                if waiting and (not more or len(waiting) > workers):
                    item, result = waiting.popleft()
                    yield item, result.result()
        finally:
            for _, result in waiting:
                result.cancel()
    if problem is not None:
        raise problem
