"""SendGrid: mail by its API v3. 202 without a body; the mail's id is in the header `X-Message-Id`. No idempotency.

Opens, clicks and subscription tracking are switched off in each request, whatever the account says (ADR 0061).
"""

from __future__ import annotations

from collections.abc import Mapping

from enrichment_assets.domain.http_answers import classify_status
from enrichment_assets.domain.provider import Answer, Provider, RenderedRequest, Secret, Verdict
from enrichment_assets.domain.request_parts import join_url, with_headers


class SendGrid(Provider):
    """Calls to SendGrid's API."""

    name = "sendgrid"
    title = "SendGrid"
    company = "Twilio"
    home = "https://api.sendgrid.com"
    secrets = (Secret("api_key", "SENDGRID_API_KEY"),)
    key_word = "SENDGRID"
    contacts = True
    billing = "a mail"
    documentation = "https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send"

    def authorise(self, request: RenderedRequest, secrets: Mapping[str, str], base_url: str) -> RenderedRequest:
        """Add the key as a bearer."""
        return with_headers(request, join_url(base_url, request.url), {"authorization": f"Bearer {secrets['api_key']}"})

    def classify(self, operation: str, answer: Answer) -> Verdict:
        """As statuses usually mean."""
        return classify_status(answer)
