"""Jobs that several threads share."""

from __future__ import annotations

import os
import signal
import threading
import time
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnfs_cli.system.helpers import do_together


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 9))
def test_each_job_is_done_once(n: int) -> None:
    done: list[int] = []
    do_together([partial(done.append, i) for i in range(n)])
    assert sorted(done) == [*range(n)]


def test_jobs_run_at_the_same_time() -> None:
    place = threading.Barrier(3, timeout=60)
    do_together([place.wait] * 3)  # each waits for the others


def test_the_error_of_a_job_is_raised_after_all_have_ended() -> None:
    done: list[int] = []

    def fail() -> None:
        raise MemoryError("no room")

    for jobs in ([fail, partial(done.append, 1)], [partial(done.append, 1), fail]):
        with pytest.raises(MemoryError, match="no room"):
            do_together(jobs)
    assert done == [1, 1]


def test_jobs_are_done_where_every_helper_is_busy() -> None:
    release, begun = threading.Event(), threading.Barrier(5, timeout=60)

    def block() -> None:
        begun.wait()
        release.wait()

    other = threading.Thread(target=do_together, args=([block] * 4,))
    other.start()
    begun.wait()
    done: list[int] = []
    do_together([partial(done.append, i) for i in range(3)])
    assert sorted(done) == [0, 1, 2]
    release.set()
    other.join()


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="this system signals no threads")
def test_an_interruption_waits_for_the_jobs_of_other_threads() -> None:
    begun, release, ended = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        release.wait(60)
        ended.set()

    def interrupt() -> None:
        begun.wait(60)
        time.sleep(0.02)  # the main thread waits by now
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        time.sleep(0.02)
        release.set()

    other = threading.Thread(target=interrupt)
    other.start()
    with pytest.raises(KeyboardInterrupt):
        do_together([begun.wait, work])
    assert ended.is_set()
    other.join()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_has_helpers_of_its_own() -> None:
    do_together([threading.Barrier(2, timeout=60).wait] * 2)
    child = os.fork()
    if not child:
        do_together([threading.Barrier(2, timeout=60).wait] * 2)
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
