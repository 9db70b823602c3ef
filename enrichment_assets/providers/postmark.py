"""Postmark: mail by its API. 422 with `ErrorCode` 406 is an address that it does not write to any more. No idempotency.

Opens and links are switched off in each request (`TrackOpens`, `TrackLinks`), whatever the server says (ADR 0061).
"""

from __future__ import annotations

from collections.abc import Mapping

from enrichment_assets.domain.mail.service_answers import of_postmark
from enrichment_assets.domain.provider import Answer, Provider, RenderedRequest, Secret, Verdict
from enrichment_assets.domain.request_parts import join_url, with_headers


class Postmark(Provider):
    """Calls to Postmark's API."""

    name = "postmark"
    title = "Postmark"
    company = "ActiveCampaign"
    home = "https://api.postmarkapp.com"
    secrets = (Secret("server_token", "POSTMARK_SERVER_TOKEN"),)
    key_word = "POSTMARK"
    contacts = True
    billing = "a mail"
    documentation = "https://postmarkapp.com/developer/api/email-api"

    def authorise(self, request: RenderedRequest, secrets: Mapping[str, str], base_url: str) -> RenderedRequest:
        """Add the server's token."""
        added = {"x-postmark-server-token": secrets["server_token"], "accept": "application/json"}
        return with_headers(request, join_url(base_url, request.url), added)

    def classify(self, operation: str, answer: Answer) -> Verdict:
        """By the code of a 422; see `domain.mail.service_answers`."""
        return of_postmark(answer)
