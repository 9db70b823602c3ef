"""Which batches ran a pipeline as it was: a batch keeps the steps that it was launched with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from enrichment_assets.domain.pipeline import PipelineDefinition
from enrichment_assets.store.batches.ran_pipelines import RanPipeline, batches_of_pipeline
from enrichment_assets.store.hq import Hq

MOST_BATCHES = 200
"""Batches that are looked at, the newest first."""


@dataclass(frozen=True, slots=True)
class RanLayout:
    """Steps that batches ran in one order.

    Attributes:
        lines: A step each, as `layout_of` writes them.
        batches: Their keys, the newest first.
        first_at: When the oldest of them was launched; `last_at`: the newest.
    """

    lines: tuple[str, ...]
    batches: tuple[str, ...]
    first_at: datetime
    last_at: datetime


def layouts_run(hq: Hq, client: str, pipeline: str) -> list[RanLayout]:
    """The orders of steps that a client's newest batches of a pipeline ran, the latest first."""
    with hq.transaction() as connection:
        ran = batches_of_pipeline(connection, client, pipeline, MOST_BATCHES)
    found: dict[tuple[str, ...], list[RanPipeline]] = {}
    for one in ran:
        found.setdefault(_lines(one.steps, one.deliver), []).append(one)
    return [
        RanLayout(lines, tuple(one.batch for one in ran), ran[-1].launched_at, ran[0].launched_at)
        for lines, ran in found.items()
    ]


def layout_of(definition: PipelineDefinition) -> tuple[str, ...]:
    """A pipeline's steps, a line each: `find-email-via-hunter, where match-person-via-apollo missed`."""
    steps: list[tuple[str, Sequence[str]]] = []
    for members in definition.groups:
        steps += [(slug, members[:place]) for place, slug in enumerate(members)]
    return _lines(steps, definition.deliver)


def _lines(steps: Sequence[tuple[str, Sequence[str]]], deliver: Sequence[str]) -> tuple[str, ...]:
    asked = [f"{slug}, where {', '.join(missed)} missed" if missed else slug for slug, missed in steps]
    return (*asked, *(f"to {slug}" for slug in deliver))
