"""Nobody who said no is bought: a run knows who is suppressed before it asks, and the ledger refuses what it overlooks.

Hashing is work for every item, so it is done only where somebody is suppressed at all, of a kind that names persons or
domains. Where hashes exist that this process cannot compare, nothing is sent: every step that calls somebody stops.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from enrichment_assets.domain.sealing import sealed
from enrichment_assets.domain.statuses import StopCause
from enrichment_assets.domain.suppression import PERSONAL, Hasher, Identity, Kind, identities_of
from enrichment_assets.domain.workflow import Entity
from enrichment_assets.engine.run.prepared_step import Step
from enrichment_assets.engine.run.stops import Stop
from enrichment_assets.store.database import AsyncConnection
from enrichment_assets.store.runs.contexts import LoadedItem
from enrichment_assets.store.suppressions.suppressions import (
    NewSuppression,
    State,
    state_async,
    suppress_person,
    suppressed,
)

NO_PEPPER = (
    "people are suppressed, and this process has not the pepper of their hashes: set ENRICH_SUPPRESSION_PEPPER as it "
    "was when they were suppressed, or restore the home's file `suppression-pepper`"
)
"""Why nothing is sent where hashes cannot be compared."""

_LAST = 1_000_000
"""Past every position of a blueprint: all that is known of an item."""


@dataclass
class Suppressing:
    """What a run knows of suppressions.

    Attributes:
        hasher: Of this process's pepper; None: it has none.
        version: Of the suppressions that were looked at last; -1: they cannot be compared.
        kinds: Kinds of which there are any.
    """

    connection: AsyncConnection
    client_id: int
    hasher: Hasher | None
    version: int = 0
    kinds: frozenset[str] = field(default_factory=frozenset)

    async def look(self, steps: Sequence[Step]) -> None:
        """See what there is now. What cannot be compared stops every step that calls somebody."""
        found = await state_async(self.connection)
        self.kinds = found.kinds
        self.version = found.version if comparable(found, self.hasher) else -1
        if self.version < 0:
            for step in steps:
                if step.provider is not None:
                    step.stop = step.stop or Stop(StopCause.CONFIGURATION, NO_PEPPER)

    def who(self, item: LoadedItem, step: Step) -> bytes:
        """Hashes of all by whom this step's subject could be suppressed; empty where nobody is."""
        position, planned = step.blueprint.position, item.planned.get(step.slug)
        if step.delivering is None or planned is None:
            return self._hashes(item, position, person=step.workflow.entity is Entity.PERSON)
        if self.hasher is None or not (self.kinds or step.delivering.contacts):
            return b""
        # Where people are written to, whoever has answered is looked for, whether or not anybody is suppressed.
        return self.hasher.together(self._identities(item, position, person=True, also=[planned.lead]))

    def _hashes(self, item: LoadedItem, position: int, *, person: bool) -> bytes:
        if self.hasher is None or not self.kinds or not (person or Kind.DOMAIN in self.kinds):
            return b""
        found = self._identities(item, position, person=person)
        return self.hasher.together(one for one in found if one.kind in self.kinds)

    @staticmethod
    def _identities(
        item: LoadedItem, position: int, *, person: bool, also: Sequence[Mapping[str, Any]] = ()
    ) -> set[Identity]:
        seen = item.fields_at(position)
        given = [given.fields for given in item.given_before(position)] if person else []
        return identities_of([item.identity, *given, *also], seen, person=person)

    # crash point: suppressed-items-are-marked
    async def mark(self, items: Sequence[LoadedItem]) -> None:
        """Note which of the items that were claimed may not be asked about, by all that is known of them."""
        if self.hasher is None or not self.kinds or not items:
            return
        persons = [self._hashes(item, _LAST, person=True) for item in items]
        firms = [self._hashes(item, _LAST, person=False) for item in items]
        reasons = await suppressed(self.connection, self.client_id, [*persons, *firms])
        for item, of_person, of_firm in zip(items, reasons[: len(items)], reasons[len(items) :], strict=True):
            item.suppressed_person, item.suppressed_company = of_person, of_firm

    async def refused_by(self, provider: str, item: LoadedItem, reason: str) -> None:
        """Suppress the person of whom a provider said that they may not be processed: for this client, for good."""
        if self.hasher is None:
            return
        given = [given.fields for given in item.given_before(_LAST)]
        found = identities_of([item.identity, *given], item.fields_at(_LAST), person=True)
        rows = [
            NewSuppression(one.kind.value, self.hasher.hashed(one), sealed(one, self.hasher))
            for one in found
            if one.kind in PERSONAL
        ]
        if rows:
            actor = f"provider:{provider}"
            await suppress_person(self.connection, self.client_id, rows, reason, actor, self.hasher.mark)


def comparable(found: State, hasher: Hasher | None) -> bool:
    """Whether a process with this pepper can compare the stored hashes; without any, there is nothing to compare."""
    if found.plain:
        return False
    return found.mark is None or (hasher is not None and hasher.mark == found.mark)
