"""What waits for a person, and what a client spends: what somebody looks at first in the morning."""

from __future__ import annotations

from dataclasses import dataclass

from enrichment_assets.services.alerts.ruling import list_incidents
from enrichment_assets.services.catalog.known_clients import check_client
from enrichment_assets.settings import Settings
from enrichment_assets.store.alerts.incidents import Incident
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.insight import attention as store
from enrichment_assets.store.insight.attention import Waiting

_INCIDENTS = 50


@dataclass(frozen=True, slots=True)
class Attention:
    """What waits for a person, and what rules have raised."""

    waiting: tuple[Waiting, ...]
    incidents: tuple[Incident, ...]


def attention(hq: Hq, settings: Settings, client: str | None = None) -> Attention:
    """What waits, of a client or of all. Raises `NotFoundError` for a client that does not exist."""
    check_client(hq, settings, client)
    with hq.transaction() as connection:
        waiting = store.waiting(connection, client)
    incidents = list_incidents(hq, client=client, limit=_INCIDENTS, only_open=True)
    return Attention(tuple(waiting), tuple(incidents))
