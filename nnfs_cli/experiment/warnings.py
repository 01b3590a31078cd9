"""The warnings about a training that is possible but may give poor results, one sentence each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nnfs_cli.data.left_out import sentence
from nnfs_cli.nn.layers import Layer
from nnfs_cli.nn.layers.dense import Dense
from nnfs_cli.nn.layers.identity import Identity
from nnfs_cli.nn.layers.sequential import Sequential
from nnfs_cli.nn.layers.sigmoid import Sigmoid
from nnfs_cli.nn.layers.softmax import Softmax
from nnfs_cli.nn.losses import Loss
from nnfs_cli.system.wording import counted, listing, named
from nnfs_cli.training.averaging import EMA, Averaging

MAX_NAMED = 3  # columns or classes that a warning names
DEFAULT_BATCH = 32  # rows; the default, which the user need not have chosen
_WORDS = (("holds", "is", "it", "it is"), ("hold", "are", "them", "they are"))  # about one column, about several


def data_warnings(data: Mapping[str, Any], batch_size: int) -> Iterator[str]:
    """Yield warnings about the data, in the form of data.json, and about batches of this size."""
    constant = [column["name"] for column in data["inputs"] if _is_constant(column)]
    if constant:
        verb, pronoun = ("is", "it") if len(constant) == 1 else ("are", "them")
        yield f"{_some(constant)} {verb} constant in the training rows, so the net learns nothing from {pronoun}"
    for target in data["targets"]:
        if target["kind"] == "class":
            yield from _class_warnings(target["counts"])
        elif target["min"] == target["max"]:
            same = f"is {target['min']:g} in all training rows"
            yield f"the target {named(target['name'])} {same}; the net can learn nothing else"
    if (left_out := data.get("left_out")) and left_out["rows"]:
        yield sentence(left_out)
    n_rows = data["rows"]["train"]
    if batch_size > max(n_rows, DEFAULT_BATCH):
        yield f"there are {counted(n_rows, 'training row')}, so a batch of {batch_size} holds all of them"


def large_net(n_parameters: int, n_rows: int, members: int) -> str:
    """Return a warning if a net has more parameters than there are training rows, else the empty string."""
    if n_parameters <= n_rows:
        return ""
    net = "the net" if members == 1 else "each net"
    return f"{net} has {n_parameters:,} parameters for {n_rows:,} training rows; it may overfit"


def net_warnings(layers: Sequence[Layer], loss: Loss) -> Iterator[str]:
    """Yield warnings about last layers that are possible, but make poor probabilities."""
    *_, before, last = (Identity(), Identity(), *_flat(layers))
    if not isinstance(last, Sigmoid | Softmax):
        return
    if isinstance(before, Sigmoid | Softmax):
        logits = f"{last.name} takes the probabilities of {before.name} as logits, so all its outputs are similar"
        yield f"{logits}; leave {before.name} out"
    if loss.activation is Softmax and isinstance(last, Sigmoid):
        sums = f"the outputs of {last.name} do not add up to 1, as the probabilities for {loss.name} should"
        yield f"{sums}; end with softmax instead"


def unweighted_layer(layer: Layer, weighted: bool) -> str:
    """Return a warning if rows have weights and a layer has statistics of a batch, else the empty string."""
    if not weighted or layer.min_batch == 1:
        return ""
    return f"{layer.name} counts each row of a batch once, whatever its weight; layer_norm depends on no other row"


def _flat(layers: Sequence[Layer]) -> Iterator[Layer]:
    """Yield the layers that are applied one after the other."""
    for layer in layers:
        if isinstance(layer, Sequential):
            yield from _flat(layer.layers)
        elif isinstance(layer, Dense):
            yield from (layer, layer.activation)
        elif not isinstance(layer, Identity):
            yield layer


def long_average(averaging: Averaging | None, steps: int) -> str:
    """Return a warning if weights are averaged over more steps than training makes, else the empty string."""
    if not isinstance(averaging, EMA) or steps >= (span := 1 / (1 - averaging.decay)):
        return ""
    made = f"training makes only {counted(steps, 'step')}"
    return f"ema averages over {span:,.0f} steps, but {made}; a smaller decay gives the first steps less influence"


def no_average() -> str:
    """Return the warning that training ended before its average of the weights began."""
    return "training has ended before there was an average of the weights"


def no_weight_column(table: str, column: str) -> str:
    """Return the warning that a table lacks the column of weights."""
    return f"{table} has no column {named(column)}: all its rows count alike"


def texts_as_categories(numbers: Sequence[str], dates: Sequence[str], library: str = "") -> Iterator[str]:
    """Yield warnings about columns of texts that look like `numbers` or `dates`, in a table of this library."""
    if numbers:
        holds, be, it, it_is = _WORDS[len(numbers) > 1]
        read = f"{_columns(numbers)} {holds} texts that look like numbers and {be} read as categories"
        yield f"{read}; convert {it} to numbers if {it_is} quantities"
    if dates:
        holds, be, it, _ = _WORDS[len(dates) > 1]
        how = "with pandas.to_datetime" if library == "pandas" else "to dates"
        yield f"{_columns(dates)} {holds} dates as texts and {be} read as categories; convert {it} {how}"


def empty_columns(names: Sequence[str]) -> str:
    """Return the warning that columns are left out because they are empty in every training row."""
    be = "is" if len(names) == 1 else "are"
    return f"{_columns(names)} {be} empty in every training row and {be} left out"


def sampled_rows(samples: Sequence[str]) -> str:
    """Return the warning that figures are computed on samples, such as "1,000 of 20,000 train rows"."""
    return f"the rows do not fit into memory_limit, so figures are computed on {listing(samples)}, evenly spaced"


def _is_constant(column: Mapping[str, Any]) -> bool:
    """Return whether a column holds a single value and no gap, or nothing but gaps."""
    if column["missing"]:
        return bool(column["missing"] == 1)
    if column["kind"] == "category":
        return len(column["counts"]) == 1 and not column["others"]
    return bool(column["min"] == column["max"])


def _class_warnings(counts: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    """Yield a warning for each split that lacks classes; `counts` are numbers of rows by split and class."""
    for split, by_class in counts.items():
        if lacking := [label for label, n in by_class.items() if not n]:
            them = "it" if len(lacking) == 1 else "them"
            if split == "train":
                yield f"no training row is {_some(lacking, 'or')}, so the net does not learn {them}"
            else:
                yield f"no {split} row is {_some(lacking, 'or')}, so the {split} figures do not cover {them}"


def _columns(names: Sequence[str]) -> str:
    return f"{'column' if len(names) == 1 else 'columns'} {_some(names)}"


def _some(names: Sequence[str], conjunction: str = "and") -> str:
    more = [f"{len(names) - MAX_NAMED:,} more"] if len(names) > MAX_NAMED else []
    return listing([*map(named, names[:MAX_NAMED]), *more], conjunction)


def no_order() -> str:
    """Return the warning about a query whose rows may come in another order each time."""
    return (
        "the query has no `order by`: if its rows come in another order next time, the run can neither be resumed nor"
        " verified"
    )
