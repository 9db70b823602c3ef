"""n8n: a webhook of the user's own n8n server, which posts its result to our callback URL when it is done.

Authentication is what the webhook node asks for, decided by which secrets the workflow names: `user` and `password`
for Basic, `header_value` for a header (its name in the secretless parameter: `x-api-key` unless the request template
sets `{{secrets.header_value}}` in a header of its own), none otherwise.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from enrichment_assets.domain.http_answers import classify_status, describe
from enrichment_assets.domain.provider import Ability, Answer, Provider, RenderedRequest, Secret, Verdict
from enrichment_assets.domain.request_parts import join_url, with_headers
from enrichment_assets.domain.statuses import ErrorClass

_NOT_ACTIVE = (
    "n8n has no active workflow at this webhook: activate the workflow (its test URL answers only while the editor "
    "listens), compare path and method, then retry the failed rows"
)

_WEBHOOK = re.compile(r"/webhook(?:-test|-waiting)?/(.+)$")


class N8n(Provider):
    """Calls to n8n webhooks."""

    name = "n8n"
    title = "n8n"
    own_address = True
    secrets = (Secret("user"), Secret("password"))
    key_word = "N8N"
    abilities = frozenset({Ability.CALLBACK})
    billing = "nothing a call: it is the user's own server"
    documentation = "https://docs.n8n.io/integrations/builtin/core-nodes/n8n-nodes-base.webhook/"
    template = "run-n8n-webhook"

    def authorise(self, request: RenderedRequest, secrets: Mapping[str, str], base_url: str) -> RenderedRequest:
        """Add Basic or header authentication where the workflow names secrets for it."""
        url = join_url(base_url, request.url, anywhere=self.own_address)
        added = {}
        if "user" in secrets and "password" in secrets:
            pair = f"{secrets['user']}:{secrets['password']}".encode()
            added["authorization"] = "Basic " + base64.b64encode(pair).decode()
        return with_headers(request, url, added)

    def classify(self, operation: str, answer: Answer) -> Verdict:
        """A 404 is a webhook that is not registered or not active, never a miss; the rest is as usual."""
        if answer.status == 404:
            return Verdict(ErrorClass.CONTRACT, message=describe(404, _NOT_ACTIVE))
        return classify_status(answer)

    def simulated_path(self, url: str, *, is_poll: bool) -> str:
        """The webhook of the same path; a test webhook is one too."""
        parts = urlsplit(url)
        webhook = _WEBHOOK.search(parts.path)
        path = webhook.group(1) if webhook else parts.path.rstrip("/").rpartition("/")[2] or "enrich"
        return f"/webhook/{path}{f'?{parts.query}' if parts.query else ''}"
