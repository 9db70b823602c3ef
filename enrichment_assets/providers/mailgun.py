"""Mailgun: mail by its API, as a form; the key is the password of `api`. No idempotency.

Opens and clicks are switched off in each request (`o:tracking`), whatever the domain says (ADR 0061). A domain in the
EU is at `https://api.eu.mailgun.net` (`base_url`).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping

from enrichment_assets.domain.http_answers import classify_status
from enrichment_assets.domain.provider import Answer, Provider, RenderedRequest, Secret, Verdict
from enrichment_assets.domain.request_parts import join_url, with_headers


class Mailgun(Provider):
    """Calls to Mailgun's API v3."""

    name = "mailgun"
    title = "Mailgun"
    company = "Sinch"
    home = "https://api.mailgun.net"
    secrets = (Secret("api_key", "MAILGUN_API_KEY"),)
    key_word = "MAILGUN"
    contacts = True
    billing = "a mail"
    documentation = "https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/messages"

    def authorise(self, request: RenderedRequest, secrets: Mapping[str, str], base_url: str) -> RenderedRequest:
        """Add the key as the password of `api`."""
        login = base64.b64encode(f"api:{secrets['api_key']}".encode()).decode()
        return with_headers(request, join_url(base_url, request.url), {"authorization": f"Basic {login}"})

    def classify(self, operation: str, answer: Answer) -> Verdict:
        """As statuses usually mean."""
        return classify_status(answer)
