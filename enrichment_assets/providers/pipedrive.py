"""Pipedrive: persons, by API v2. Token in the header `x-api-token`.

Quirks (developers.pipedrive.com): there is no upsert, so that a person of ours is searched by the custom field that has
our key. A call costs tokens of the company's day; the same 429 is a burst that is over in seconds, or a day that is
used up, and only `x-daily-ratelimit-token-remaining` tells them apart. Custom fields are named by 40 digits.
"""

from __future__ import annotations

from collections.abc import Mapping

from enrichment_assets.domain.http_answers import classify_status, describe, error_body, number_header
from enrichment_assets.domain.provider import Answer, Provider, RenderedRequest, Secret, Verdict
from enrichment_assets.domain.request_parts import join_url, with_headers
from enrichment_assets.domain.statuses import ErrorClass

_LONGEST_SAID = 300


class Pipedrive(Provider):
    """Calls to Pipedrive's API v2."""

    name = "pipedrive"
    title = "Pipedrive"
    company = "Pipedrive"
    home = "https://api.pipedrive.com"
    secrets = (Secret("token", "PIPEDRIVE_TOKEN"),)
    key_word = "PIPEDRIVE"
    billing = "tokens of the day: by kind of call, for the whole company"
    documentation = "https://developers.pipedrive.com/docs/api/v1"

    def authorise(self, request: RenderedRequest, secrets: Mapping[str, str], base_url: str) -> RenderedRequest:
        """Add the token in its own header."""
        url = join_url(base_url, request.url)
        return with_headers(request, url, {"x-api-token": secrets["token"], "accept": "application/json"})

    def classify(self, operation: str, answer: Answer) -> Verdict:
        """Say what the answer means; see the module's quirks."""
        status = answer.status
        if status == 429 and number_header(answer, "x-daily-ratelimit-token-remaining") == 0:
            return Verdict(ErrorClass.QUOTA, message=describe(429, "the company's tokens of the day are used up"))
        if status == 429:
            wait = number_header(answer, "x-ratelimit-reset")
            told = describe(429, "too many calls at a time")
            return Verdict(ErrorClass.RETRYABLE, message=told, retry_after=None if wait is None else float(wait))
        said = error_body(answer).get("error")
        if status == 404 and said == "Person not found":
            return Verdict(not_found=True, message=describe(404, "Pipedrive has no such person (any more)"))
        if status == 400 and isinstance(said, str):
            told = describe(400, f"Pipedrive refused it: {said[:_LONGEST_SAID]}")
            return Verdict(ErrorClass.INVALID_INPUT, message=told)
        return classify_status(answer)
