"""Campaigns of services that send for us."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from enrichment_assets.services.shapes.shape import Shape

if TYPE_CHECKING:
    from enrichment_assets.store.campaigns import campaigns as store


@dataclass(frozen=True, slots=True)
class Campaign(Shape):
    """A campaign that a file was made into.

    Attributes:
        client: Whose.
        service: Who sends, as `instantly`.
        name: Its name.
        key: Ours: it stands in its name there.
        state: `made`, `intended` or `unknown`: whether it is there.
        external_id: Its id there; null: it is not known.
        status_code: As the service said last.
        error: Why it was not made or changed; null: it was.
        created_by: Who had it made.
        created_at: When.
        seen_at: When the service said how it stands.
        activated_by: Who said that it sends; null: nobody did here.
        activated_at: When.
        definition: What its file says.
    """

    client: str
    service: str
    name: str
    key: str
    state: str
    external_id: str | None
    status_code: int | None
    error: str | None
    created_by: str
    created_at: datetime
    seen_at: datetime | None
    activated_by: str | None
    activated_at: datetime | None
    definition: Mapping[str, Any]

    @classmethod
    def of(cls, one: store.Campaign) -> Campaign:
        """From what the services return."""
        return cls(
            one.client,
            one.service,
            one.name,
            one.key,
            one.state.value,
            one.external_id,
            one.status_code,
            one.error,
            one.created_by,
            one.created_at,
            one.seen_at,
            one.activated_by,
            one.activated_at,
            one.definition,
        )
