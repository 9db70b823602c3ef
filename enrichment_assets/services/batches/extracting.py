"""Extraction on demand: the rows of a batch that are done are had before its last answer has come.

A run extracts a batch when nothing of it is open any more. Who wants what is there by now has its files written from
HQ as it stands; the marts in the workspace database and Dagster's assets stay what the last whole extraction made them.
"""

from __future__ import annotations

from dataclasses import dataclass

from enrichment_assets.domain.errors import EnrichError
from enrichment_assets.domain.hints import Action, Hint
from enrichment_assets.services.batches.freshness import is_behind
from enrichment_assets.services.batches.status import batch_row
from enrichment_assets.services.review.standings import note_standings
from enrichment_assets.services.uploads.raw_uploads import raw_rows, write_raw_upload
from enrichment_assets.settings import Settings
from enrichment_assets.store.batches.launching import get_batch
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.results.freshness import Unextracted, unextracted
from enrichment_assets.warehouse import build_models, publish_batch_sources
from enrichment_assets.warehouse.copies import brought


class NotStartedError(EnrichError):
    """The batch has no items yet: there is nothing to extract."""

    default_code = "batch.not_started"


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a batch is whose files are up to date: `done` of `items` have nothing open."""

    client: str
    items: int
    done: int
    open_items: int


def bring_up_to_date(hq: Hq, settings: Settings, batch_key: str) -> Standing:
    """See that the warehouse holds what HQ knows of the batch, finished or not. Makes no call to a provider.

    Raises:
        NotFoundError: There is no such batch.
        NotStartedError: Nothing of it was laid out yet.
    """
    row = batch_row(hq, batch_key)
    if row.items == 0:
        raise NotStartedError(
            f"batch {batch_key} is launched, and nothing of it has been done yet: there is nothing to extract",
            Hint(Action.START_BATCH, {"batch": batch_key}),
        )
    if is_behind(hq, settings, row):
        note_standings(hq, batch_key)
        publish_batch_sources(hq, settings, batch_key)
        build_models(settings, batch_key)
    return Standing(row.client, row.items, row.done, row.items - row.done)


def ensure_raw_upload(hq: Hq, settings: Settings, batch_key: str) -> None:
    """See that the warehouse has the uploaded rows of the batch; there may be more of a batch that grows."""
    row = batch_row(hq, batch_key)
    written = raw_rows(brought(settings, batch_key=batch_key), row.client, batch_key)
    if written is None or (row.grows and written != row.rows - row.rejected):
        write_raw_upload(hq, settings, batch_key)


def add_raw_rows(hq: Hq, settings: Settings, batch_key: str) -> None:
    """Before a batch that grows is extracted: see that the uploaded rows are all there that came meanwhile."""
    with hq.transaction() as connection:
        found = get_batch(connection, batch_key)
    if found is not None and found["gathers"] is not None:
        ensure_raw_upload(hq, settings, batch_key)


def not_extracted(hq: Hq, client: str | None = None) -> list[Unextracted]:
    """Batches that have rows which the warehouse does not show, or not as they are by now; the newest first."""
    with hq.transaction() as connection:
        return unextracted(connection, client)
