"""Instantly's API v2: campaigns, leads, the block list, webhooks, sending accounts and their figures.

developer.instantly.ai (OpenAPI), the vendor's starter kit and reports from the field. A list gives a cursor with its
last page too: what follows is a page without items. A `Python-urllib` User-Agent is refused by the network in front
(403, a web page). A key that is written `name+campaigns:read+accounts:read` has these scopes only, and one that has run
out of its quota is of a workspace without a paid plan (402).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar

from enrichment_assets.sandbox.exchange import Call, Question, Refusal, Reply, json_reply
from enrichment_assets.sandbox.outreach import today, workspace_of
from enrichment_assets.sandbox.outreach_state import Outreach
from enrichment_assets.sandbox.population import Population
from enrichment_assets.sandbox.providers import instantly_campaigns as campaigns
from enrichment_assets.sandbox.providers import instantly_figures as figures
from enrichment_assets.sandbox.providers import instantly_leads as leads
from enrichment_assets.sandbox.providers import instantly_webhooks as webhooks
from enrichment_assets.sandbox.providers.base import SimulatedProvider, bearer, whole_seconds
from enrichment_assets.sandbox.providers.instantly_events import happened
from enrichment_assets.sandbox.providers.instantly_wire import error, may, refused

_EDGE = b"<!doctype html><html><title>Access denied</title><body>error code: 1010</body></html>"

_FIGURES: Mapping[str, tuple[str, Callable[..., Any]]] = {
    "/api/v2/accounts": ("accounts:read", figures.list_accounts),
    "/api/v2/campaigns/analytics": ("campaigns:read", figures.analytics),
    "/api/v2/campaigns/analytics/overview": ("campaigns:read", figures.overview),
    "/api/v2/campaigns/analytics/daily": ("campaigns:read", figures.campaign_days),
    "/api/v2/accounts/analytics/daily": ("accounts:read", figures.account_days),
}
_ROUTES: tuple[tuple[str, str, str, Callable[..., Any]], ...] = (
    ("GET", "campaigns", "campaigns:read", campaigns.list_campaigns),
    ("POST", "campaigns", "campaigns:create", campaigns.create_campaign),
    ("GET", "campaigns/{}", "campaigns:read", campaigns.get_campaign),
    ("PATCH", "campaigns/{}", "campaigns:update", campaigns.change_campaign),
    ("DELETE", "campaigns/{}", "campaigns:delete", campaigns.delete_campaign),
    ("POST", "campaigns/{}/activate", "campaigns:update", campaigns.activate_campaign),
    ("POST", "campaigns/{}/pause", "campaigns:update", campaigns.pause_campaign),
    ("GET", "campaigns/{}/sending-status", "campaigns:read", campaigns.sending_status),
    ("POST", "leads", "leads:create", leads.create_lead),
    ("POST", "leads/add", "leads:create", leads.add_leads),
    ("POST", "leads/list", "leads:read", leads.list_leads),
    ("POST", "leads/update-interest-status", "leads:update", leads.update_interest),
    ("GET", "leads/{}", "leads:read", leads.get_lead),
    ("PATCH", "leads/{}", "leads:update", leads.change_lead),
    ("DELETE", "leads/{}", "leads:delete", leads.delete_lead),
    ("POST", "block-lists-entries", "block_list_entries:create", leads.block),
    ("GET", "block-lists-entries", "block_list_entries:read", leads.list_blocked),
    ("DELETE", "block-lists-entries/{}", "block_list_entries:delete", leads.unblock),
    ("GET", "background-jobs/{}", "background-jobs:read", leads.get_job),
    ("GET", "webhooks", "webhooks:read", webhooks.list_webhooks),
    ("POST", "webhooks", "webhooks:create", webhooks.create_webhook),
    ("GET", "webhooks/event-types", "webhooks:read", webhooks.event_types),
    ("GET", "webhooks/{}", "webhooks:read", webhooks.get_webhook),
    ("PATCH", "webhooks/{}", "webhooks:update", webhooks.change_webhook),
    ("DELETE", "webhooks/{}", "webhooks:delete", webhooks.delete_webhook),
    ("POST", "webhooks/{}/resume", "webhooks:update", webhooks.resume_webhook),
    ("GET", "webhook-events", "webhook_events:read", webhooks.list_events),
    ("GET", "emails", "emails:read", webhooks.list_emails),
)
"""Method, path below `/api/v2/` (`{}`: an id), the scope that the key needs, who answers. The first one counts."""


class Instantly(SimulatedProvider):
    """Everything below `/instantly/api/v2/...`; what callers made of a workspace is kept until a reset."""

    name = "instantly"
    price = Decimal(0)
    documented_limits: ClassVar[Mapping[str, str]] = {"*": "100/s,6000/m", "emails": "20/m"}

    def __init__(self) -> None:
        self._states: dict[str, Outreach] = {}

    def question(self, call: Call) -> Question:
        """One of its routes."""
        if call.headers.get("user-agent", "").startswith("Python-urllib"):
            raise Refusal(Reply(403, _EDGE, content_type="text/html; charset=UTF-8"))
        path = call.path.rstrip("/")
        about = "&".join(f"{name}={value}" for name, value in sorted(call.query.items()))
        workspace = workspace_of(call.population.seed, call.key.partition("+")[0], today())
        if call.method == "GET" and path in _FIGURES:
            scope, figure = _FIGURES[path]
            self._permit(call, scope)
            name = path.removeprefix("/api/v2/")
            return Question(name, f"{path}?{about}", lambda: json_reply(200, figure(call, workspace)))
        for method, shape, scope, answer in _ROUTES:
            found = re.fullmatch(shape.replace("{}", "([^/]+)"), path.removeprefix("/api/v2/"))
            if method == call.method and found is not None:
                self._permit(call, scope)
                identity = f"{method} {path}?{about}" if method == "GET" else f"{method} {path} {call.body!r}"
                work = partial(answer, call, workspace, self.state(call.population, workspace.key), *found.groups())
                return Question(shape.replace("/{}", ""), identity, partial(_worked, work))
        raise refused(404, f"Route {call.method}:{call.path} not found")

    def happen(self, population: Population, told: Mapping[str, Any]) -> Reply:
        """A person replies, a mail bounces: `key`, `email`, `event`, and what `instantly_events` says."""
        lead, callbacks = happened(self.state(population, str(told.get("key"))), dict(told))
        return json_reply(200, lead, callbacks=tuple(callbacks))

    def state(self, population: Population, key: str) -> Outreach:
        """What callers made of a key's workspace."""
        return self._states.setdefault(key, Outreach(population.seed, key))

    def _permit(self, call: Call, scope: str) -> None:
        if not may(call.key, scope):
            raise refused(403, f"Missing required scope: {scope}")

    def key(self, call: Call) -> str:
        """The bearer token."""
        return bearer(call)

    def unauthorised(self, call: Call) -> Reply:
        """401 in its error shape."""
        return error(401, "Invalid API key")

    def exhausted(self, call: Call) -> Reply:
        """402: the workspace does not pay for the API."""
        return error(402, "Workspace does not have an active paid plan")

    def rate_limited(self, call: Call, operation: str, retry_after: float) -> Reply:
        """429 in its error shape."""
        reply = error(429, "Rate limit exceeded")
        reply.headers["retry-after"] = whole_seconds(retry_after)
        return reply

    def server_error(self, call: Call, status: int) -> Reply:
        """5xx in its error shape."""
        return error(status, "An unexpected error occurred")


def _worked(work: Callable[[], Any]) -> Reply:
    answer = work()
    return answer if isinstance(answer, Reply) else json_reply(200, answer)
