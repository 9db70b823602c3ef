"""Prints how the families of a batch went: a course with its contacts, a company with its people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from enrichment_assets.store.results.families import FamilyFigures


def print_families(figures: FamilyFigures | None) -> None:
    """Print how many of a batch's families ended how, what one cost and how long it took; nothing where it has none."""
    if figures is None:
        return
    from enrichment_assets.cli.tables import print_table

    typer.echo()
    print_table(
        (
            "families",
            "enriched",
            "failed",
            "stopped",
            "not written",
            "children",
            "cost p50",
            "cost p95",
            "s p50",
            "s p95",
        ),
        [
            (
                figures.families,
                figures.enriched or None,
                figures.failed or None,
                figures.stopped or None,
                figures.unwritten or None,
                figures.children,
                *(None if cost is None else round(cost, 6) for cost in (figures.cost_p50, figures.cost_p95)),
                *(
                    None if seconds is None else round(seconds)
                    for seconds in (figures.seconds_p50, figures.seconds_p95)
                ),
            )
        ],
        title="rows with their children that have ended",
    )
