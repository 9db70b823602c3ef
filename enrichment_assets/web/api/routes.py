"""The table of routes: what there is, who may, and by what the client of a request is known. The router is made of it.

`tests/access/test_every_route.py` asks each of them as everybody.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from enrichment_assets.domain.access import Permission
from enrichment_assets.web.api import handlers, pull_handlers
from enrichment_assets.web.api.calls import Call

PREFIX = "/api/v1"
ALIASES = "/api"
"""Where routes stand whose path and shapes other tools know already."""


class Whoever(Enum):
    """Who may, where it takes no permission."""

    ANYBODY = "anybody"
    """Also who is not known: what lets people in."""
    KNOWN = "known"
    """Whoever is known."""


class ClientBy(Enum):
    """By what the client whom a request concerns is known."""

    NOTHING = "nothing"
    """It concerns no client: the permission has to be for all of them."""
    QUERY = "query"
    """The parameter `client`; without it all, or the one for whom alone the caller has the permission."""
    BATCH = "batch"
    """The batch of the path: what belongs to a client whom the caller does not see is not there."""
    UPLOAD = "upload"
    """The upload of the path, in the same way."""
    PATH = "path"
    """The client of the path, in the same way."""


@dataclass(frozen=True, slots=True)
class Route:
    """One row: nothing is served that has none."""

    method: str
    path: str
    needs: Permission | Whoever
    client: ClientBy
    handler: Callable[[Call], Any]
    prefix: str = PREFIX

    @property
    def address(self) -> str:
        """Its whole path."""
        return self.prefix + self.path


ROUTES: tuple[Route, ...] = (
    Route("POST", "/session", Whoever.ANYBODY, ClientBy.NOTHING, handlers.log_in),
    Route("POST", "/session/end", Whoever.ANYBODY, ClientBy.NOTHING, handlers.log_out),
    Route("POST", "/password", Whoever.ANYBODY, ClientBy.NOTHING, handlers.set_password),
    Route("GET", "/me", Whoever.KNOWN, ClientBy.NOTHING, handlers.me),
    Route("GET", "/batches", Permission.BATCHES_READ, ClientBy.QUERY, handlers.list_batches),
    Route("GET", "/batches/{batch}", Permission.BATCHES_READ, ClientBy.BATCH, handlers.get_batch),
    Route("POST", "/batches/{batch}/pause", Permission.BATCHES_CONTROL, ClientBy.BATCH, handlers.pause_batch),
    Route("POST", "/batches/{batch}/resume", Permission.BATCHES_CONTROL, ClientBy.BATCH, handlers.resume_batch),
    Route("POST", "/batches/{batch}/cancel", Permission.BATCHES_CONTROL, ClientBy.BATCH, handlers.cancel_batch),
    Route("GET", "/batches/{batch}/leads", Permission.LEADS_READ, ClientBy.BATCH, handlers.list_leads),
    Route("POST", "/batches/{batch}/leads/{item}/edit", Permission.LEADS_EDIT, ClientBy.BATCH, handlers.edit),
    Route("POST", "/instantly/sync", Permission.PULLS_SYNC, ClientBy.QUERY, pull_handlers.sync_instantly, ALIASES),
    Route("GET", "/instantly/campaigns", Permission.PULLS_READ, ClientBy.QUERY, pull_handlers.campaigns, ALIASES),
    Route("GET", "/audit", Permission.AUDIT_READ, ClientBy.QUERY, handlers.audit),
    Route("GET", "/users", Permission.ACCESS_READ, ClientBy.NOTHING, handlers.list_users),
    Route("GET", "/api-keys", Permission.ACCESS_READ, ClientBy.NOTHING, handlers.list_keys),
)
