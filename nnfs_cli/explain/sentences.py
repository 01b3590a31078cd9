"""An explanation in words."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from nnfs_cli.explain.against_linear import AgainstLinear
from nnfs_cli.explain.dependence import Dependence
from nnfs_cli.explain.explanation import Explanation
from nnfs_cli.explain.importance import ColumnImportance, Importance
from nnfs_cli.explain.pairs import Pair
from nnfs_cli.system.wording import counted, listing, named, rounded

MEMBERS = 4  # columns of a group that are named
NAMED = 6  # columns without a clear effect that are named
GROUPS = PAIRS = 3  # that are told
STEADY = 0.9  # share of the ups and downs of a curve from which on it only rises or falls
OTHERWISE = 0.2  # share of the rows from which on it is told that their curves go the other way
UNLIKE = 0.8  # ratio of growths below which they are called different
DISAGREE = 0.5  # of the range of a curve, for the band of the members around it
ALIKE, PARTLY = 0.8, 0.4  # rank correlations
EFFECTS = {"matters": "matters", "hurts": "does harm", "unclear": "unclear"}


def rows_text(found: Explanation) -> str:
    """Return which rows were looked at, as in "4,000 of 20,000 validation rows, out of fold"."""
    n, split = found.importance.rows, "given" if found.split == "input" else found.split
    some = f"{n:,} of " if n < found.total else ""
    return f"{some}{counted(found.total, f'{split} row')}{', out of fold' if found.out_of_fold else ''}"


def sentences(found: Explanation) -> list[str]:
    """Return what an explanation says besides its curves."""
    return [*of_importance(found.importance), *beside_importance(found)]


def beside_importance(found: Explanation) -> list[str]:
    """Return what an explanation says about pairs, and about a linear model beside the net."""
    return [*of_pairs(found.pairs), *([] if found.linear is None else of_linear(found.linear))]


def grows(found: Importance, one: ColumnImportance) -> str:
    """Return how much the loss grows for a column, as in "grows by 52 % (44 to 60 %)"."""
    falls = one.growth < 0
    sign = -1 if falls else 1
    middle, unit = growth_text(found, sign * one.growth)
    bounds = ""
    if one.low is not None and one.high is not None:
        low, high = (growth_text(found, sign * bound)[0] for bound in (one.low, one.high)[::sign])
        bounds = f" ({low} to {high}{unit})"
    return f"{'falls' if falls else 'grows'} by {middle}{unit}{bounds}"


def growth_text(found: Importance, growth: float) -> tuple[str, str]:
    """Return a growth as a share of the loss in percent, or in the loss's own units, and the unit."""
    relative = found.relative(growth)
    if relative is None:
        return rounded(growth), ""
    return f"{100 * relative:,.{0 if abs(relative) >= 0.095 else 1}f}".replace("-0.0", "0.0"), " %"


def interval_text(found: Importance, one: ColumnImportance) -> str:
    """Return the interval of a growth, as in "44 to 60 %"; a dash without one."""
    if one.low is None or one.high is None:
        return "-"
    return f"{growth_text(found, one.low)[0]} to {''.join(growth_text(found, one.high))}"


def of_importance(found: Importance) -> list[str]:
    """Return which columns matter, which do harm, which have no clear effect, and which tell the same."""
    return [*_of_importance(found)]


def _of_importance(found: Importance) -> Iterator[str]:
    matter = [one for one in found.columns if one.effect == "matters"]
    if matter:
        first, *others = matter
        yield f"{named(first.name)} matters most: with its cells shuffled, the loss {grows(found, first)}."
        if others:
            then = [f"{named(one.name)} ({''.join(growth_text(found, one.growth))})" for one in others[:3]]
            yield f"Then {'comes' if len(then) == 1 else 'come'} {listing(then)}."
    elif found.columns and found.columns[0].p_value is None:
        yield "There are too few rows to tell which columns matter."
    elif found.columns and ((first := found.columns[0]).low or 0.0) > 0:
        told = f"{named(first.name)} may matter: with its cells shuffled, the loss {grows(found, first)}"
        yield f"{told}. Among {counted(len(found.columns), 'column')}, one can seem to matter as much by chance."
    else:
        yield "No column has a clear effect: the rows are too few, or the net found little in them."
    for one in found.columns:
        if one.effect == "hurts":
            sentence = f"{named(one.name)} does harm: with its cells shuffled, the loss {grows(found, one)}."
            yield f"{sentence} Leave it out and train again."
    unclear = [named(one.name) for one in found.columns if one.effect == "unclear" and one.p_value is not None]
    if unclear and matter:
        more = [f"{len(unclear) - NAMED:,} more"] if len(unclear) > NAMED + 1 else []
        shown = unclear[:NAMED] if more else unclear
        have = "has" if len(unclear) == 1 else "have"
        yield f"{listing([*shown, *more])} {have} no clear effect."
    groups = [one for one in found.together if one.effect == "matters"]
    yield from (_of_group(found, one) for one in groups[:GROUPS])


def _of_group(found: Importance, one: ColumnImportance) -> str:
    """Return how closely related columns matter together, beside each of them alone."""
    alone = [found.of(name).growth for name in one.columns]
    if len(alone) > MEMBERS:
        columns = listing([*map(named, one.columns[: MEMBERS - 1]), f"{len(alone) - MEMBERS + 1} more"])
        each = f"at most {''.join(growth_text(found, max(alone)))}"
    else:
        columns = listing(map(named, one.columns))
        each = listing("".join(growth_text(found, growth)) for growth in alone)
    together = f"with their cells shuffled together, the loss {grows(found, one)}"
    sentence = f"{columns} are closely related: {together}; one at a time, by {each}"
    if one.growth < UNLIKE * max(alone):
        return f"{sentence}. That seems more, since shuffling one of them makes rows that never occur."
    if one.growth > sum(alone) / UNLIKE:
        return f"{sentence}. That seems less, since each stands in for the others."
    return f"{sentence}."


def answer_text(answer: str, number: float) -> str:
    """Return an answer: a probability in percent, another number with three digits."""
    return f"{100 * number:.{0 if number >= 0.095 else 1}f} %" if answer.startswith("probability") else rounded(number)


def of_dependence(found: Dependence) -> str:
    """Return how the main answer depends on a column."""
    answer, mean = found.answers[found.main], found.mean[found.main]
    called = answer if answer.startswith(("probability", "score")) else f"predicted {answer}"
    texts = [answer_text(answer, one) for one in mean]
    n = len(mean) - found.empty
    whole = f"the {called} "
    if found.places is not None and n > 1:
        steps = [after - before for before, after in itertools.pairwise(mean[:n])]
        change, ups_and_downs = mean[n - 1] - mean[0], sum(map(abs, steps))
        ends = [cell_text(found, 0), cell_text(found, n - 1)]
        if ups_and_downs and abs(change) >= STEADY * ups_and_downs:
            rises = "rises" if change > 0 else "falls"
            whole += f"{rises} from {texts[0]} at {ends[0]} to {texts[n - 1]} at {ends[1]}"
            whole += _otherwise(found, n, change)
        else:
            whole += _extremes(found, mean[:n], texts, "at")
    else:
        whole += _extremes(found, mean[:n], texts, "for")
    if found.empty:
        whole += f"; it is {texts[-1]} where the cell is empty"
    return whole + _doubt(found) + "."


def cell_text(found: Dependence, i: int) -> str:
    """Return a cell for a sentence."""
    return found.cells[i] or "an empty cell"


def _extremes(found: Dependence, mean: Sequence[float], texts: Sequence[str], at: str) -> str:
    high, low = max(range(len(mean)), key=mean.__getitem__), min(range(len(mean)), key=mean.__getitem__)
    highest = f"{texts[high]} {at} {cell_text(found, high)}"
    return f"is highest with {highest}, and lowest with {texts[low]} {at} {cell_text(found, low)}"


def _otherwise(found: Dependence, n: int, change: float) -> str:
    """Return for how many rows the curve goes the other way, if they are many."""
    against = sum((curve[n - 1] - curve[0]) * change < 0 for curve in found.curves)
    if against <= OTHERWISE * len(found.curves):
        return ""
    return f", but the other way for {against} of {counted(len(found.curves), 'row')} looked at"


def _doubt(found: Dependence) -> str:
    if found.low is None or found.high is None:
        return ""
    widths = [high - low for low, high in zip(found.low[found.main], found.high[found.main], strict=True)]
    low, high = found.range
    wide = sum(widths) / len(widths) > DISAGREE * (high - low)
    return "; the members of the net disagree about this" if wide else ""


def of_pairs(found: Sequence[Pair]) -> Iterator[str]:
    """Yield which columns act together."""
    notable = [pair for pair in found if pair.notable]
    for pair in notable[:PAIRS]:
        together = f"{listing(map(named, pair.columns))} act together"
        yield f"{together}: {100 * pair.share:.0f} % of what both do is not the sum of what each does."
    if found and not notable:
        yield "No two of the main columns act together notably: what they do nearly adds up."


def of_linear(found: AgainstLinear) -> Iterator[str]:
    """Yield whether a linear model relies on the same columns."""
    if found.agreement is not None:
        how = (
            "nearly the same columns"
            if found.agreement >= ALIKE
            else "partly the same columns"
            if found.agreement >= PARTLY
            else "other columns"
        )
        yield f"A linear model on the same inputs relies on {how} (rank correlation {found.agreement:.2f})."
    if found.nonlinear:
        columns, one = listing(map(named, found.nonlinear)), len(found.nonlinear) == 1
        why = "its effect is" if one else "their effects are"
        why += f" not a straight line, or {'depends' if one else 'depend'} on other columns"
        yield f"{columns} {'matters' if one else 'matter'} much more to the net than to the linear model: {why}."
    if found.unused:
        matter = "matters" if len(found.unused) == 1 else "matter"
        yield f"{listing(map(named, found.unused))} {matter} much more to the linear model than to the net."
