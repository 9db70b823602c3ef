"""`make quality`, or `python -m tests.quality [--raise] [NORMALISER ...]`: accuracy by group, and the misses.

Exits 1 where a figure is below its floor, a group has none, or a floor was lowered. `--raise` writes the floors anew,
never a lower one.
"""

from __future__ import annotations

import argparse
import json
import sys

from rich.console import Console
from rich.table import Table

from tests.quality.scores import Score, lowered_floors, measure, measured_names, raise_floors, read_floors


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.quality", description=__doc__)
    parser.add_argument("normalisers", nargs="*", metavar="NORMALISER", help="which ones (default: all)")
    parser.add_argument("--raise", dest="raising", action="store_true", help="raise the floors to what is reached")
    arguments = parser.parse_args()
    scores = [score for name in arguments.normalisers or measured_names() for score in measure(name)]
    if arguments.raising:
        raise_floors(scores)
    console = Console(width=None if sys.stdout.isatty() else 140, highlight=False)
    console.print(table(scores))
    for line in misses(scores):
        console.print(line, markup=False, soft_wrap=True)
    floors = read_floors()
    faults = [fault for score in scores for fault in score.below(floors)] + lowered_floors()
    for fault in faults:
        console.print(f"FAULT: {fault}", markup=False)
    return 1 if faults else 0


def table(scores: list[Score]) -> Table:
    """One line per group: cases, right, wrong, empty, and the two figures with their floors."""
    floors = read_floors()
    lines = Table(title="Quality: right answers by normaliser and group")
    for column in ("normaliser", "group"):
        lines.add_column(column)
    for column in ("cases", "right", "wrong", "empty", "accuracy or recall", "floor", "precision", "floor"):
        lines.add_column(column, justify="right")
    for score in scores:
        floor = floors.get(score.name, {})
        counts = (score.cases, score.right, score.wrong, score.cases - score.right - score.wrong)
        figures = [f"{value:.1%}" for f, v in score.figures.items() for value in (v, floor.get(f, 0.0))]
        lines.add_row(score.normaliser, score.group, *map(str, counts), *figures)
    return lines


def misses(scores: list[Score]) -> list[str]:
    """A line per miss: where it stands, what went in, what came out, what should have, and who says so."""

    def shown(values: object) -> str:
        return json.dumps(values, ensure_ascii=False)

    return [
        f"{'WRONG' if miss.wrong else 'empty'} {miss.case.place} {shown(miss.case.given)} -> {shown(miss.answer)}, "
        f"expected {shown(miss.case.expected)} ({miss.case.source})"
        for score in scores
        for miss in score.misses
    ]


if __name__ == "__main__":
    sys.exit(main())
