"""Resend: mail by its API. A repeated `Idempotency-Key` is answered with the mail that was sent under it, for a day.

Opens and clicks are a setting of the sending domain there, and off unless somebody switches them on (ADR 0061).
"""

from __future__ import annotations

from collections.abc import Mapping

from enrichment_assets.domain.mail.service_answers import of_resend
from enrichment_assets.domain.provider import Answer, Provider, RenderedRequest, Secret, Verdict
from enrichment_assets.domain.request_parts import join_url, with_headers


class Resend(Provider):
    """Calls to Resend's API."""

    name = "resend"
    title = "Resend"
    company = "Resend"
    home = "https://api.resend.com"
    secrets = (Secret("api_key", "RESEND_API_KEY"),)
    key_word = "RESEND"
    contacts = True
    billing = "a mail"
    documentation = "https://resend.com/docs/api-reference/emails/send-email"

    def authorise(self, request: RenderedRequest, secrets: Mapping[str, str], base_url: str) -> RenderedRequest:
        """Add the key as a bearer."""
        return with_headers(request, join_url(base_url, request.url), {"authorization": f"Bearer {secrets['api_key']}"})

    def classify(self, operation: str, answer: Answer) -> Verdict:
        """By the name of the error; see `domain.mail.service_answers`."""
        return of_resend(answer)
