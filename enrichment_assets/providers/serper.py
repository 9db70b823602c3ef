"""Serper: Google's results as JSON. Key in the `X-API-KEY` header.

Quirks: a bad key is 403 `{"message": "Unauthorized.", "statusCode": 403}` (crewAI#633); an account without credits is a
400 whose message alone says so, where any other 400 is about the question; a search that finds nothing is 200 without
`organic`, and is billed like any other.
"""

from __future__ import annotations

from collections.abc import Mapping

from enrichment_assets.domain.http_answers import classify_status, describe, error_body
from enrichment_assets.domain.provider import Answer, Provider, RenderedRequest, Secret, Verdict
from enrichment_assets.domain.request_parts import join_url, with_headers
from enrichment_assets.domain.statuses import ErrorClass


class Serper(Provider):
    """Calls to Serper's search API."""

    name = "serper"
    title = "Serper"
    company = "Serper"
    home = "https://google.serper.dev"
    secrets = (Secret("api_key", "SERPER_API_KEY"),)
    key_word = "SERPER"
    billing = "credits: one for a search of up to ten results, two for more, whatever is found"
    documentation = "https://serper.dev"
    template = "search-web-via-serper"

    def authorise(self, request: RenderedRequest, secrets: Mapping[str, str], base_url: str) -> RenderedRequest:
        """Add the key as `X-API-KEY`."""
        url = join_url(base_url, request.url)
        return with_headers(request, url, {"x-api-key": secrets["api_key"], "accept": "application/json"})

    def classify(self, operation: str, answer: Answer) -> Verdict:
        """Say what the answer means; see the module's quirks."""
        if answer.status == 400 and "credit" in str(error_body(answer).get("message") or "").lower():
            return Verdict(ErrorClass.PAYMENT, message=describe(400, "the account has no credits left"))
        return classify_status(answer)
