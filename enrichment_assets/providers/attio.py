"""Attio: people of a workspace, asserted by an attribute that is unique. Token as a bearer.

Quirks (docs.attio.com, and reports of the field): 25 writes a second; `retry-after` is a date. An attribute that is not
unique, and two records that match, are a 400 whose `code` says so.
"""

from __future__ import annotations

from collections.abc import Mapping

from enrichment_assets.domain.http_answers import classify_status, describe, error_body
from enrichment_assets.domain.provider import Answer, Provider, RenderedRequest, Secret, Verdict
from enrichment_assets.domain.request_parts import join_url, with_headers
from enrichment_assets.domain.statuses import ErrorClass

_LONGEST_SAID = 300


class Attio(Provider):
    """Calls to Attio's API v2."""

    name = "attio"
    title = "Attio"
    company = "Attio"
    home = "https://api.attio.com"
    secrets = (Secret("token", "ATTIO_TOKEN"),)
    key_word = "ATTIO"
    billing = "nothing for a call"
    documentation = "https://docs.attio.com/rest-api/overview"

    def authorise(self, request: RenderedRequest, secrets: Mapping[str, str], base_url: str) -> RenderedRequest:
        """Add the token as a bearer."""
        url = join_url(base_url, request.url)
        headers = {"authorization": f"Bearer {secrets['token']}", "accept": "application/json"}
        return with_headers(request, url, headers)

    def classify(self, operation: str, answer: Answer) -> Verdict:
        """Say what the answer means; see the module's quirks."""
        if answer.status == 400:
            told = error_body(answer)
            said = str(told.get("message") or told.get("code") or "no reason given")[:_LONGEST_SAID]
            return Verdict(ErrorClass.INVALID_INPUT, message=describe(400, f"Attio refused it: {said}"))
        return classify_status(answer)
