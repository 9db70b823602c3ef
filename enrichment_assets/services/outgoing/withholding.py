"""Whom a message may not name: people who said no after a lead was published are not told of any more."""

from __future__ import annotations

from collections.abc import Sequence

from enrichment_assets.domain.errors import EnrichError
from enrichment_assets.domain.suppression import Hasher, hasher_of, identities_of
from enrichment_assets.engine.run.suppressing import NO_PEPPER, comparable
from enrichment_assets.services.people.pepper import pepper_of
from enrichment_assets.settings import Settings
from enrichment_assets.store.batches.items import identities
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.outgoing.messages import ClaimedEvent
from enrichment_assets.store.suppressions import suppressions


class WithheldForNow(EnrichError):
    """Nobody can be compared: nothing about people is sent."""

    default_code = "webhook.pepper_missing"


class Withholding:
    """The suppressions, asked before every message about leads."""

    def __init__(self, hq: Hq, settings: Settings) -> None:
        self._hq = hq
        self._settings = settings
        self._hasher: Hasher | None = None

    def suppressed(self, client_id: int, events: Sequence[ClaimedEvent]) -> set[int]:
        """Ids of the events whose person is suppressed, by what the lead shows and by what its row held.

        Raises:
            WithheldForNow: People are suppressed, and this process has not the pepper of their hashes.
        """
        with self._hq.transaction() as connection:
            state = suppressions.state(connection)
        if not state.kinds:
            return set()
        if self._hasher is None:
            self._hasher = hasher_of(pepper_of(self._hq, self._settings))
        hasher = self._hasher
        if hasher is None or not comparable(state, hasher):
            raise WithheldForNow(NO_PEPPER)
        told = [event for event in events if event.data is not None]
        with self._hq.transaction() as connection:
            cells = identities(connection, [event.item_id for event in told if event.item_id is not None])
            whos = []
            for event in told:
                lead = event.data or {}
                others = lead.get("other_fields")
                given = [lead, others if isinstance(others, dict) else {}, cells.get(event.item_id or 0, {})]
                found = identities_of(given, {**given[2], **lead}, person=True)
                whos.append(hasher.together(one for one in found if one.kind in state.kinds))
            reasons = suppressions.reasons(connection, client_id, whos)
        return {event.id for event, reason in zip(told, reasons, strict=True) if reason is not None}
