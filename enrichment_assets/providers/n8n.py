"""n8n: a webhook of the user's own n8n server, which posts its result to our callback URL when it is done.

Authentication is what the webhook node asks for, decided by which secrets the workflow names: `user` and `password`
for Basic, `header_value` for a header (its name in the secretless parameter: `x-api-key` unless the request template
sets `{{secrets.header_value}}` in a header of its own), none otherwise.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from dagster import ConfigurableResource

from enrichment_assets.domain.http_answers import classify_status, describe, join_url, with_headers
from enrichment_assets.domain.provider import Answer, RenderedRequest, Verdict
from enrichment_assets.domain.statuses import ErrorClass

_NOT_ACTIVE = (
    "n8n has no active workflow at this webhook: activate the workflow (its test URL answers only while the editor "
    "listens), compare path and method, then retry the failed rows"
)


class N8nResource(ConfigurableResource[Any]):
    """Calls to n8n webhooks."""

    base_url: str = ""

    def authorise(self, request: RenderedRequest, secrets: Mapping[str, str], base_url: str) -> RenderedRequest:
        """Add Basic or header authentication where the workflow names secrets for it."""
        url = join_url(base_url, request.url, anywhere=True)
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
