"""The table: rows in groups, and the few statistics in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

WIDTHS = (64, 46, 24)


@dataclass(frozen=True)
class Row:
    """One line: what was measured, how much, beside its peer, and what is aimed at."""

    what: str
    figure: str
    ratio: str = ""
    aim: str = ""

    def __str__(self) -> str:
        cells = zip((self.what, self.figure, self.ratio), WIDTHS, strict=True)
        return "  ".join([*(cell.ljust(width) for cell, width in cells), self.aim]).rstrip()


HEADING = Row("what", "figure", "ratio", "aim")


@dataclass(frozen=True)
class Scale:
    """How large the loads are."""

    share: float
    """Of the full counts."""
    rounds: int
    """Turns of each of two peers, one after the other; a ratio is one turn's against the other's beside it."""
    seconds: float
    """One measurement, without its warm-up."""

    def count(self, full: int) -> int:
        return max(1, round(full * self.share))


FULL = Scale(1.0, 3, 3.0)
QUICK = Scale(0.1, 1, 0.5)


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """The median of the rounds' ratios, and each of them where there are several."""
    found = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    rounds = " ".join(f"{ratio:.2f}" for ratio in found)
    return f"{median(found):.2f}" + (f" ({rounds})" if len(found) > 1 else "")


def quantile(values: Sequence[float], share: float) -> float:
    """The value that this share of the others does not exceed; not a number without values."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else float("nan")


def milliseconds(seconds: Sequence[float]) -> str:
    """The middle and the tail of some latencies."""
    return f"p50 {quantile(seconds, 0.5) * 1000:.2f} p99 {quantile(seconds, 0.99) * 1000:.2f} ms"


def megabytes(count: float) -> str:
    return f"{count / 1e6:,.{int(count < 1e7)}f} MB"
