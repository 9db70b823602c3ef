"""Whom a run of a batch would not ask about: people and companies that are suppressed, by all that is known of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from enrichment_assets.domain.pipeline import Blueprint
from enrichment_assets.domain.suppression import Hasher, identities_of
from enrichment_assets.services.batches.loaded_items import load
from enrichment_assets.store.batches.holds import HeldBatch
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.runs.contexts import LoadedItem
from enrichment_assets.store.suppressions import suppressions

_CHUNK, _LAST = 5_000, 1_000_000


@dataclass(frozen=True, slots=True)
class KeptOut:
    """Items that may not be asked about: for their person, for their company."""

    persons: frozenset[int] = frozenset()
    companies: frozenset[int] = frozenset()


def kept_out_of(hq: Hq, batch: HeldBatch, ids: Sequence[int], hasher: Hasher | None) -> KeptOut:
    """Whom a run would not ask about. What it cannot compare it does not ask at all, and says so by itself."""
    with hq.transaction() as connection:
        kinds = suppressions.state(connection).kinds
    if hasher is None or not kinds:
        return KeptOut()
    persons, companies = set[int](), set[int]()
    for items in _loaded(hq, ids, batch.blueprint):
        for person, found in ((True, persons), (False, companies)):
            whos = [_who(item, hasher, kinds, person=person) for item in items]
            with hq.transaction() as connection:
                reasons = suppressions.reasons(connection, batch.client_id, whos)
            found |= {item.item_id for item, why in zip(items, reasons, strict=True) if why is not None}
    return KeptOut(frozenset(persons), frozenset(companies))


def _who(item: LoadedItem, hasher: Hasher, kinds: Collection[str], *, person: bool) -> bytes:
    given = [given.fields for given in item.given_before(_LAST)] if person else []
    found = identities_of([item.identity, *given], item.fields_at(_LAST), person=person)
    return hasher.together(one for one in found if one.kind in kinds)


def _loaded(hq: Hq, ids: Sequence[int], blueprint: Blueprint) -> Iterator[list[LoadedItem]]:
    for start in range(0, len(ids), _CHUNK):
        yield load(hq, ids[start : start + _CHUNK], blueprint)
