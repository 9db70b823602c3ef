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

    said = {
        "families": figures.families,
        "enriched": figures.enriched,
        "failed": figures.failed or None,
        "stopped": figures.stopped or None,
        "not written": figures.unwritten or None,
        "children": figures.children,
        "cost p50": None if figures.cost_p50 is None else round(figures.cost_p50, 4),
        "p95": None if figures.cost_p95 is None else round(figures.cost_p95, 4),
        "seconds p50": None if figures.seconds_p50 is None else round(figures.seconds_p50),
        "p95 s": None if figures.seconds_p95 is None else round(figures.seconds_p95),
    }
    shown = {name: value for name, value in said.items() if value is not None}
    typer.echo()
    print_table(tuple(shown), [tuple(shown.values())], title="rows with their children that have ended")
