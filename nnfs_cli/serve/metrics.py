"""What the server counts, in Prometheus' text format (version 0.0.4)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
VERDICTS = {"stable": 0, "moderate": 1, "large": 2}

Labels = tuple[tuple[str, str], ...]
Samples = Iterable[tuple[str, Labels, float]]  # the suffix of the name, the labels and the value


class Counter:
    """Numbers that only grow, by labels."""

    def __init__(self) -> None:
        self.values: dict[Labels, float] = {}

    def add(self, labels: Labels, amount: float = 1) -> None:
        """Add to a number."""
        self.values[labels] = self.values.get(labels, 0) + amount

    def samples(self) -> Samples:
        """Yield the numbers."""
        return [("", labels, value) for labels, value in self.values.items()]


class Histogram:
    """Durations in seconds, by labels, counted in `BUCKETS`."""

    def __init__(self) -> None:
        self.counts: dict[Labels, list[int]] = {}
        self.sums: dict[Labels, float] = {}

    def add(self, labels: Labels, seconds: float) -> None:
        """Count a duration."""
        counts = self.counts.get(labels)
        if counts is None:
            counts = self.counts[labels] = [0] * (len(BUCKETS) + 1)
            self.sums[labels] = 0.0
        counts[bisect_left(BUCKETS, seconds)] += 1
        self.sums[labels] += seconds

    def samples(self) -> Samples:
        """Yield the number of durations up to the end of each bucket, their sum and their number."""
        for labels, counts in self.counts.items():
            up_to = [*accumulate(counts)]
            for end, n in zip((*map(repr, BUCKETS), "+Inf"), up_to, strict=True):
                yield "_bucket", (*labels, ("le", end)), n
            yield "_sum", labels, self.sums[labels]
            yield "_count", labels, up_to[-1]


class Metrics:
    """The counts of a server since it was started."""

    def __init__(self) -> None:
        self.requests, self.rows, self.refused_rows = Counter(), Counter(), Counter()
        self.refusals, self.batches, self.reloads = Counter(), Counter(), Counter()
        self.seconds = Histogram()

    def answered(self, model: str, status: int, seconds: float) -> None:
        """Count a request for predictions."""
        self.requests.add((("model", model), ("status", str(status))))
        self.seconds.add((("model", model),), seconds)

    def text(self, gauges: Mapping[tuple[str, str], Samples]) -> str:
        """Return everything; `gauges` are further values by their name and their description."""
        lines: list[str] = []
        for name, kind, about, samples in self._families():
            lines += _family(name, kind, about, samples)
        for (name, about), samples in gauges.items():
            lines += _family(name, "gauge", about, samples)
        return "".join(f"{line}\n" for line in lines)

    def _families(self) -> Iterator[tuple[str, str, str, Samples]]:
        yield "nnfs_requests_total", "counter", "Requests for predictions.", self.requests.samples()
        yield "nnfs_request_seconds", "histogram", "Time from the first byte to the answer.", self.seconds.samples()
        yield "nnfs_rows_total", "counter", "Rows that were predicted.", self.rows.samples()
        yield "nnfs_refused_rows_total", "counter", "Rows of requests that were refused.", self.refused_rows.samples()
        yield "nnfs_refusals_total", "counter", "Requests that were refused, by the reason.", self.refusals.samples()
        yield "nnfs_batches_total", "counter", "Tables that were predicted; see requests.", self.batches.samples()
        yield "nnfs_reloads_total", "counter", "Times that a run was replaced.", self.reloads.samples()


def _family(name: str, kind: str, about: str, samples: Samples) -> list[str]:
    lines = [f"# HELP {name} {about}", f"# TYPE {name} {kind}"]
    for suffix, labels, value in samples:
        pairs = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels)
        lines.append(f"{name}{suffix}{{{pairs}}} {value!r}" if pairs else f"{name}{suffix} {value!r}")
    return lines


def _escaped(text: str) -> str:
    escaped = text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
    return escaped.encode("utf-8", "backslashreplace").decode()
