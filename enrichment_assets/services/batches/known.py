"""Bringing the index of a client's leads up to date, and laying out a batch whose known leads are skipped.

Called only for batches that ask (`known:` in their blueprint). The hashes are those of suppressions, by their pepper.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.known import KnownBy, found_fields, hashed, known_by
from enrichment_assets.domain.known_policy import Known
from enrichment_assets.domain.pipeline import Blueprint
from enrichment_assets.domain.suppression import Hasher, hasher_of
from enrichment_assets.domain.workflow import Entity
from enrichment_assets.services.people.pepper import pepper_of
from enrichment_assets.settings import Settings
from enrichment_assets.store.batches import known as store
from enrichment_assets.store.batches.launching import get_batch
from enrichment_assets.store.database import Connection
from enrichment_assets.store.hq import Hq

EDITED = found_fields(("email", "linkedin_url", "company_domain", "company_website", "company_linkedin_url"))
"""Fields whose corrections may hold an identity."""


def hasher_for(hq: Hq, settings: Settings, blueprint: Blueprint) -> Hasher | None:
    """What leads of a batch are hashed with; None: the batch does not ask whom the client knows.

    Raises:
        ConfigurationError: It asks, and the pepper is missing: nobody could be recognised.
    """
    return None if blueprint.known is None else must_recognise(hq, settings)


def must_recognise(hq: Hq, settings: Settings) -> Hasher:
    """What leads are hashed with. Raises `ConfigurationError` without the pepper: nobody could be recognised."""
    hasher = hasher_of(pepper_of(hq, settings))
    if hasher is None:
        raise ConfigurationError(
            "leads that the client has already cannot be recognised without the pepper: set ENRICH_SUPPRESSION_PEPPER "
            "as it was, or restore the home's suppression-pepper",
            code="known.pepper_missing",
        )
    return hasher


def skips_known(batch: Mapping[str, Any]) -> bool:
    """Whether a batch, as its row says, skips leads that the client has already."""
    return bool(batch["blueprint"].get("known") == Known.SKIP)


def ready(hq: Hq, settings: Settings, batch_key: str) -> Hasher | None:
    """Have all earlier leads in the index, for a batch that skips them; what its own are hashed with.

    None: it does not skip any.

    Raises:
        ConfigurationError: As `hasher_for`.
    """
    with hq.transaction() as connection:
        batch = get_batch(connection, batch_key)
    if batch is None or not skips_known(batch):
        return None
    hasher = hasher_for(hq, settings, Blueprint.model_validate(batch["blueprint"]))
    if hasher is not None:
        bring_up_to_date(hq, batch["client_id"], hasher, but=batch["id"])
    return hasher


def bring_up_to_date(hq: Hq, client_id: int, hasher: Hasher, *, but: int | None = None) -> None:
    """Read what is new of a client's batches into the index, a transaction for each; `but`: a batch to leave out."""
    with hq.transaction() as connection:
        waiting = store.batches_to_read(connection, client_id, hasher.mark)
    for batch in waiting:
        if batch.batch_id == but:
            continue
        with hq.transaction() as connection:
            store.take_turn(connection, client_id)
            _read(connection, batch, hasher)


def read_new_items(
    connection: Connection, batch_id: int, client_id: int, blueprint: Blueprint, hasher: Hasher, after_item: int
) -> None:
    """Put the items of a batch that is being laid out into the index, in the same transaction."""
    last = _read_items(connection, store.ToRead(batch_id, client_id, False, blueprint, after_item, None, False), hasher)
    store.note_reading(
        connection, batch_id, client_id, simulated=bool(blueprint.simulated), mark=hasher.mark, last=last
    )


def _read(connection: Connection, batch: store.ToRead, hasher: Hasher) -> None:
    if batch.anew:
        store.forget_batch(connection, batch.batch_id)
    last = _read_items(connection, batch, hasher)
    for rows in _found(connection, batch):
        known = [(row["id"], hashed(_with_found(row), hasher)[1]) for row in rows if row["fields"]]
        store.write(connection, batch.client_id, batch.batch_id, known, compared=False)
    store.note_reading(
        connection, batch.batch_id, batch.client_id, simulated=batch.simulated, mark=hasher.mark, last=last
    )


def _read_items(connection: Connection, batch: store.ToRead, hasher: Hasher) -> int:
    """Write the identities of a batch's items; the last item's id."""
    last = batch.after_item
    for rows in store.items_after(connection, batch.batch_id, batch.after_item):
        known = [(row["id"], *hashed(known_by(row), hasher)) for row in rows]
        for place, compared in ((1, True), (2, False)):
            given = [(one[0], one[place]) for one in known if one[place]]
            if given:
                store.write(connection, batch.client_id, batch.batch_id, given, compared=compared)
        last = rows[-1]["id"]
    return last


def _found(connection: Connection, batch: store.ToRead) -> Iterator[list[dict[str, Any]]]:
    steps = {step.slug: found_fields(step.workflow.provided_fields) for step in batch.blueprint.steps}
    slugs = [slug for slug, names in steps.items() if names]
    firms = [step.slug for step in batch.blueprint.steps if step.workflow.entity is Entity.COMPANY]
    names = sorted({*EDITED, *(name for named in steps.values() for name in named)})
    yield from store.found_since(connection, batch.batch_id, slugs, firms, names, batch.since)


def _with_found(row: dict[str, Any]) -> KnownBy:
    found = [row["fields"]]
    return known_by(row, () if row["of_company"] else found, found if row["of_company"] else ())
