"""What people said about the names of organisations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from enrichment_assets.services.shapes.shape import Shape

if TYPE_CHECKING:
    from enrichment_assets.store.insight.organisation_decisions import Decision


@dataclass(frozen=True, slots=True)
class OrganisationDecision(Shape):
    """What a person said about an alias.

    Attributes:
        id: Its number.
        client: In whose data.
        kind: `join`: two aliases name one organisation; `apart`: the alias names one of its own.
        alias_key: The alias, as `name:acme`.
        other_key: The alias with which it is one; null: it stands alone.
        reason: Why.
        actor: Who said so.
        created_at: When.
    """

    id: int
    client: str
    kind: str
    alias_key: str
    other_key: str | None
    reason: str
    actor: str
    created_at: datetime

    @classmethod
    def of(cls, one: Decision) -> OrganisationDecision:
        """From what the services return."""
        return cls(one.id, one.client, one.kind, one.alias_key, one.other_key, one.reason, one.actor, one.created_at)
