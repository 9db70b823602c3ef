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
from enrichment_assets.services.uploads.raw_uploads import write_raw_upload
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.results.freshness import Unextracted, unextracted
from enrichment_assets.warehouse import build_models, publish_batch_sources
from enrichment_assets.warehouse.copies import brought
from enrichment_assets.warehouse.files import RAW_UPLOADS


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
        publish_batch_sources(hq, settings, batch_key)
        build_models(settings, batch_key)
    return Standing(row.client, row.items, row.done, row.items - row.done)


def ensure_raw_upload(hq: Hq, settings: Settings, batch_key: str) -> None:
    """See that the warehouse has the uploaded rows of the batch; they never change."""
    if (
        not brought(settings, batch_key=batch_key)
        .source(RAW_UPLOADS, batch_row(hq, batch_key).client, batch_key)
        .exists()
    ):
        write_raw_upload(hq, settings, batch_key)


def not_extracted(hq: Hq, client: str | None = None) -> list[Unextracted]:
    """Batches that have rows which the warehouse does not show, or not as they are by now; the newest first."""
    with hq.transaction() as connection:
        return unextracted(connection, client)
