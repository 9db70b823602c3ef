"""People Data Labs: people and companies, one or a hundred at a time. Key in the `X-API-Key` header.

Quirks (docs.peopledatalabs.com, and the vendor's Python client): 404 is a miss and is not billed; 402 is a used-up
account; `x-call-credits-spent` is what a call cost, a bulk call as a whole; an answer about many is a bare list in the
order of the questions, each with a `status` of its own and `{error: {type, message}}` where that is no 200.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from enrichment_assets.domain.http_answers import classify_status, describe, error_body, number_header
from enrichment_assets.domain.provider import Answer, Provider, RenderedRequest, Secret, Verdict
from enrichment_assets.domain.request_parts import join_url, with_headers

_NOBODY = "not_found"


class PeopleDataLabs(Provider):
    """Calls to People Data Labs' v5 API."""

    name = "pdl"
    title = "People Data Labs"
    company = "People Data Labs"
    home = "https://api.peopledatalabs.com"
    secrets = (Secret("api_key", "PDL_API_KEY"),)
    key_word = "PDL"
    billing = "credits, said by the header x-call-credits-spent: one for a person or company that is known"
    documentation = "https://docs.peopledatalabs.com"
    template = "enrich-person-via-pdl"

    def authorise(self, request: RenderedRequest, secrets: Mapping[str, str], base_url: str) -> RenderedRequest:
        """Add the key as `X-API-Key` (the vendor's client puts it into the address)."""
        url = join_url(base_url, request.url)
        return with_headers(request, url, {"x-api-key": secrets["api_key"], "accept": "application/json"})

    def classify(self, operation: str, answer: Answer) -> Verdict:
        """Say what the answer means and what it cost; see the module's quirks."""
        cost = number_header(answer, "x-call-credits-spent")
        error = error_body(answer).get("error")
        kind = str(error.get("type") or "") if isinstance(error, Mapping) else ""
        if answer.status == 404 and kind == _NOBODY:
            return Verdict(not_found=True, message=describe(404, "nobody of that kind is known"), cost_units=cost)
        return replace(classify_status(answer), cost_units=cost)
