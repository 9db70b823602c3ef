"""Smartlead: outreach by e-mail. The key can only travel in the query.

Quirks (its API pages, reports from the field): a lead is added with a 200 that counts (`added_count`, in older answers
`upload_count`): one that is left out is a 200 too. `ignore_*: true` in the settings of that request turns the check
against block and unsubscribe lists off. 60 requests a minute, 1,000 an hour.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from enrichment_assets.domain.http_answers import classify_status
from enrichment_assets.domain.provider import Answer, Provider, RenderedRequest, Secret, Verdict
from enrichment_assets.domain.request_parts import join_url


class Smartlead(Provider):
    """Calls to Smartlead's API v1."""

    name = "smartlead"
    title = "Smartlead"
    company = "Smartlead"
    home = "https://server.smartlead.ai"
    secrets = (Secret("api_key", "SMARTLEAD_API_KEY"),)
    key_word = "SMARTLEAD"
    contacts = True
    billing = "nothing for a call: the plan is paid by the month"
    documentation = "https://api.smartlead.ai/reference"

    def authorise(self, request: RenderedRequest, secrets: Mapping[str, str], base_url: str) -> RenderedRequest:
        """Add the key as the query parameter `api_key`."""
        url = join_url(base_url, request.url)
        return replace(request, url=url, query={**request.query, "api_key": secrets["api_key"]})

    def classify(self, operation: str, answer: Answer) -> Verdict:
        """As statuses usually mean."""
        return classify_status(answer)
