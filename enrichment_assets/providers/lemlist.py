"""Lemlist: outreach by e-mail and LinkedIn. HTTP Basic with an empty name and the key as the password.

Quirks (developer.lemlist.com, reports from the field): one lead a call, 20 calls in 2 seconds; a lead that is in the
campaign already is a 400 with a sentence; finding and verifying an address cost credits.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace

from enrichment_assets.domain.http_answers import classify_status, describe
from enrichment_assets.domain.provider import Answer, Provider, RenderedRequest, Secret, Verdict
from enrichment_assets.domain.request_parts import join_url, with_headers

_SENTENCES = ("Lead already in the campaign", "Lead already in another campaign", "Lead unsubscribed", "Bad email")
"""Of its 400s; any other may say a value of somebody, and stays in the kept answer."""


class Lemlist(Provider):
    """Calls to Lemlist's API."""

    name = "lemlist"
    title = "lemlist"
    company = "lemlist"
    home = "https://api.lemlist.com"
    secrets = (Secret("api_key", "LEMLIST_API_KEY"),)
    key_word = "LEMLIST"
    contacts = True
    billing = "nothing for a lead; findEmail and verifyEmail cost credits"
    documentation = "https://developer.lemlist.com"

    def authorise(self, request: RenderedRequest, secrets: Mapping[str, str], base_url: str) -> RenderedRequest:
        """Add the key as the password of nobody."""
        word = b64encode(f":{secrets['api_key']}".encode()).decode()
        return with_headers(request, join_url(base_url, request.url), {"authorization": f"Basic {word}"})

    def classify(self, operation: str, answer: Answer) -> Verdict:
        """As statuses usually mean; of a 400 the sentence says which lead it would not have, and why."""
        verdict = classify_status(answer)
        sentence = answer.body[:200].decode("utf-8", "replace").strip()
        if answer.status == 400 and sentence in _SENTENCES:
            return replace(verdict, message=describe(400, sentence))
        return verdict
