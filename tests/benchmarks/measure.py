"""Measuring two things in turn, and printing what came out."""

import contextlib
import io
import statistics
import time
from collections.abc import Callable

COMPARED = ("ratio", "range")


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call, whose progress bars are not shown."""
    with contextlib.redirect_stderr(io.StringIO()):
        begun = time.perf_counter()
        work()
        return time.perf_counter() - begun


def in_turn(ours: Callable[[], float], reference: Callable[[], float], repeats: int) -> list[str]:
    """Take both figures in turn, after one turn that does not count: both medians, the median ratio and its range."""
    turns = [(ours(), reference()) for _ in range(repeats + 1)][1:]
    ratios = [a / b for a, b in turns]
    medians = [figure(statistics.median(column)) for column in zip(*turns, strict=True)]
    return [*medians, f"{statistics.median(ratios):.2f}", f"{min(ratios):.2f} to {max(ratios):.2f}"]


def alone(measure: Callable[[], float], repeats: int) -> str:
    """The median of one figure, after one that does not count."""
    return figure(statistics.median([measure() for _ in range(repeats + 1)][1:]))


def figure(value: float) -> str:
    """A number with about three digits or more."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def print_table(title: str, header: tuple[str, ...], rows: list[list[str]]) -> None:
    """Print a title and a table whose first column is aligned to the left and the others to the right."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    print(f"\n{title}")
    for first, *others in (header, *rows):
        cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        print("  ".join(["", first.ljust(widths[0]), *cells]), flush=True)
