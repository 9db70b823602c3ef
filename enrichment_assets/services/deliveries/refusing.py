"""Who may not go to a destination, whatever the lead says: who is suppressed, and to whom nothing more is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from enrichment_assets.domain.delivery_courses import Left
from enrichment_assets.domain.suppression import Hasher, hasher_of, identities_of
from enrichment_assets.engine.run.context import Batch
from enrichment_assets.services.deliveries.lead_rows import LeadRow
from enrichment_assets.services.deliveries.planning import Refusing
from enrichment_assets.services.people.pepper import pepper_of
from enrichment_assets.settings import Settings
from enrichment_assets.store.deliveries import stops
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.suppressions import suppressions


def refusals(hq: Hq, settings: Settings, batch: Batch, *, contacts: bool) -> list[Refusing]:
    """What refuses leads of a delivery; whoever is suppressed or stopped later is refused by the intent.

    Args:
        hq: The databases.
        settings: The installation.
        batch: Whose leads they are.
        contacts: People are written to by it: whoever has answered is not.
    """
    hasher = hasher_of(pepper_of(hq, settings))
    if hasher is None:
        return []
    found: list[Refusing] = [_Suppressed(hq, batch, hasher)]
    return [*found, _Stopped(hq, batch, hasher)] if contacts else found


class _Suppressed:
    """Who is suppressed for the client."""

    def __init__(self, hq: Hq, batch: Batch, hasher: Hasher) -> None:
        self._hq, self._batch, self._hasher = hq, batch, hasher
        with hq.transaction() as connection:
            self._kinds = suppressions.state(connection).kinds

    def __call__(self, leads: Sequence[LeadRow]) -> Mapping[int, str]:
        if not self._kinds:
            return {}
        whos = [
            self._hasher.together(one for one in identities_of([lead.values], lead.values, person=True)
                                  if one.kind in self._kinds)
            for lead in leads
        ]  # fmt: skip
        with self._hq.transaction() as connection:
            reasons = suppressions.reasons(connection, self._batch.client_id, whos)
        named = zip(leads, reasons, strict=True)
        return {lead.item_id: f"{Left.SUPPRESSED.value}: {why}" for lead, why in named if why is not None}


class _Stopped:
    """To whom nothing more is sent, for good; a pause is waited for by the engine."""

    def __init__(self, hq: Hq, batch: Batch, hasher: Hasher) -> None:
        self._hq, self._batch, self._hasher = hq, batch, hasher

    def __call__(self, leads: Sequence[LeadRow]) -> Mapping[int, str]:
        whos = [self._hasher.together(identities_of([lead.values], lead.values, person=True)) for lead in leads]
        with self._hq.transaction() as connection:
            found = stops.stopped(connection, self._batch.client_id, whos, [None] * len(whos))
        named = zip(leads, found, strict=True)
        return {
            lead.item_id: f"{Left.STOPPED.value}: {stop[0]}"
            for lead, stop in named
            if stop is not None and stop[1] is None
        }
