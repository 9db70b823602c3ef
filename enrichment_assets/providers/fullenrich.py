"""FullEnrich: work e-mail addresses and numbers from a waterfall of its own, a hundred people in one order. Bearer key.

Quirks (docs.fullenrich.com, and the vendor's n8n node): whoever asks for a result too early gets a 400
`error.enrichment.in_progress` or a 200 with `status: IN_PROGRESS`; errors are `{code, message}`; an account without
credits is 402, and the body of a later 402 may be the result. A person who was asked about before is free for three
months.
"""

from __future__ import annotations

from collections.abc import Mapping

from enrichment_assets.domain.http_answers import classify_status, describe, error_body, retry_after
from enrichment_assets.domain.provider import Ability, Answer, Provider, RenderedRequest, Secret, Verdict
from enrichment_assets.domain.request_parts import join_url, with_headers
from enrichment_assets.domain.statuses import ErrorClass

_RUNNING = "error.enrichment.in_progress"


class FullEnrich(Provider):
    """Calls to FullEnrich's v2 API."""

    name = "fullenrich"
    title = "FullEnrich"
    company = "FullEnrich"
    home = "https://app.fullenrich.com"
    secrets = (Secret("api_key", "FULLENRICH_API_KEY"),)
    key_word = "FULLENRICH"
    abilities = frozenset({Ability.CALLBACK, Ability.POLL})
    billing = "credits: one for a work address, three for a personal one, ten for a number; nothing for a miss"
    documentation = "https://docs.fullenrich.com"
    template = "find-emails-via-fullenrich"

    def authorise(self, request: RenderedRequest, secrets: Mapping[str, str], base_url: str) -> RenderedRequest:
        """Add the key as a bearer token."""
        url = join_url(base_url, request.url)
        return with_headers(request, url, {"authorization": f"Bearer {secrets['api_key']}"})

    def classify(self, operation: str, answer: Answer) -> Verdict:
        """Say what the answer means; see the module's quirks."""
        if answer.status == 400 and error_body(answer).get("code") == _RUNNING:
            message = describe(400, "the order is being worked on")
            return Verdict(ErrorClass.RETRYABLE, message=message, retry_after=retry_after(answer))
        return classify_status(answer)
