"""Minutes of good and bad requests: no answer of 500 or more, nothing lost, and no memory lost.

NNFS_SOAK_MINUTES says for how long, by default 10.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serve.house import JSON, rows_of
from tests.serve.live import Client, Live, request, together
from tests.serve.test_answers import FILE, STREAM, as_arrow, as_csv
from tests.serve.test_refusals import BAD

MINUTES = float(os.environ.get("NNFS_SOAK_MINUTES", "10"))
GROWTH = 1.05  # of the memory, at most, after the first quarter
GET = "GET {} HTTP/1.1\r\nhost: x\r\n\r\n"


def good(seed: int) -> Iterator[tuple[bytes, int]]:
    """Requests of all kinds that are answered."""
    rng, rows = random.Random(seed), rows_of(2_000, seed)  # noqa: S311 - not for secrets
    few = [rows[i : i + n] for i, n in zip(range(0, 1_900, 19), itertools.cycle([1, 1, 1, 1, 3, 19]), strict=False)]
    queries = ("", "", "", "?interval=0.8", "?reasons=2")
    requests = [request(f"/models/dear/predict{query}", json.dumps(one).encode()) for one in few for query in queries]
    requests += [request(f"/predict?interval={rng.random():.3f}", as_csv(one), "text/csv") for one in few[:20]]
    requests = [one for one in requests if b"interval=0.9" not in one and b"interval=1" not in one]
    requests += [request("/predict", as_arrow(rows, kind), kind) for kind in (STREAM, FILE)] * 5
    requests += [GET.format(path).encode() for path in ("/metrics", "/health", "/ready", "/", "/openapi.json")]
    while True:
        rng.shuffle(requests)
        yield from ((one, 200) for one in requests)


def bad(seed: int) -> Iterator[tuple[bytes, int]]:
    """Requests of all kinds that are refused."""
    requests = [(request("/predict", body, kind), status) for body, kind, status, _, _ in BAD.values()]
    requests += [(request("/predict?x=1", b"[]"), 422), (request("/predict", b"[]", "text/plain"), 415)]
    requests += [(request("/nowhere", b"[]"), 404), (GET.format("/predict").encode(), 405)]
    rng, words = random.Random(seed), rows_of(1)  # noqa: S311 - not for secrets
    while True:
        rng.shuffle(requests)
        yield from requests
        new = json.dumps([{**words[0], "city": rng.randbytes(50_000).hex()}]).encode()  # a new text every time
        yield request("/predict", new), 422


async def leave(live: Live, until: float) -> None:
    """Connect and leave in the middle of a request, again and again."""
    content = request("/predict", json.dumps(rows_of(20)).encode(), JSON)
    for end in itertools.cycle([1, 50, len(content) - 1, len(content)]):
        if time.monotonic() > until:
            return
        _, writer = await asyncio.open_connection("127.0.0.1", live.port)
        writer.write(content[:end])
        await asyncio.sleep(0.01)
        writer.transport.abort()


async def watch(live: Live, until: float, found: list[int]) -> None:
    """Note the memory once a second."""
    while time.monotonic() < until:
        await asyncio.sleep(min(1.0, MINUTES))
        found.append(live.memory)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the memory is read as Linux tells it")
def test_minutes_of_good_and_bad_requests_cost_no_memory_and_no_answer(runs: Path, tmp_path: Path) -> None:
    with Live(f"{runs}/flats", f"{runs}/dear", folder=tmp_path) as live:
        end, memory = time.monotonic() + 60 * MINUTES, list[int]()
        clients = [Client(live.port, (good if seed % 3 else bad)(seed)) for seed in range(9)]
        others = (leave(live, end), watch(live, end, memory))
        asyncio.run(together(clients, lambda: time.monotonic() > end, *others))
        answers = sum((client.answers for client in clients), Counter[int]())
        print(answers, [f"{n / 2**20:.0f} MB" for n in memory[:: max(len(memory) // 20, 1)]])
        assert [client.wrong[0] for client in clients if client.wrong] == []
        assert [client.lost[0] for client in clients if client.lost] == []
        assert max(answers) < 500
        assert min(client.answers.total() for client in clients) > 0
        quarter = len(memory) // 4
        assert max(memory[-quarter:]) <= GROWTH * max(memory[quarter : 2 * quarter])
        assert live.stop() == 0
        assert "Traceback" not in live.log
