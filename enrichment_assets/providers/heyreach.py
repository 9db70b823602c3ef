"""HeyReach: outreach on LinkedIn. Leads are known by their profile's address.

Quirks (reports from the field): an organisation's key where a workspace's is wanted is answered 200 with a sentence
instead of JSON, and nothing was done. 300 requests a minute.
"""

from __future__ import annotations

from collections.abc import Mapping

from enrichment_assets.domain.http_answers import classify_status, describe
from enrichment_assets.domain.provider import Answer, Provider, RenderedRequest, Secret, Verdict
from enrichment_assets.domain.request_parts import join_url, with_headers
from enrichment_assets.domain.statuses import ErrorClass


class HeyReach(Provider):
    """Calls to HeyReach's public API."""

    name = "heyreach"
    title = "HeyReach"
    company = "HeyReach"
    home = "https://api.heyreach.io"
    secrets = (Secret("api_key", "HEYREACH_API_KEY"),)
    key_word = "HEYREACH"
    contacts = True
    billing = "nothing for a call: the plan is paid by the month"
    documentation = "https://documenter.getpostman.com/view/23808049/2sA2xb5F75"

    def authorise(self, request: RenderedRequest, secrets: Mapping[str, str], base_url: str) -> RenderedRequest:
        """Add the key in its header."""
        headers = {"x-api-key": secrets["api_key"], "accept": "application/json"}
        return with_headers(request, join_url(base_url, request.url), headers)

    def classify(self, operation: str, answer: Answer) -> Verdict:
        """A 200 that is no JSON is a refused key; else as statuses usually mean."""
        if answer.status == 200 and answer.body.strip() and answer.body.strip()[:1] not in b"{[":
            return Verdict(
                ErrorClass.AUTH, message=describe(200, "a sentence instead of JSON: the key is not accepted")
            )
        return classify_status(answer)
