"""EnrichLayer: public LinkedIn profiles, in the shape that Proxycurl had. Bearer key.

Quirks (enrichlayer.com/docs, and the vendor's Python client): 403 is an account without credits, not a refused key,
which is 401 (a 403 that is not theirs, of a proxy, stays one); 404 with `{code, description, name}` is a profile that
is not known, and is not billed; a 404 without them is a wrong address. `X-Proxycurl-Credit-Cost` is what a call cost.
Dates are `{day, month, year}` or null, and an employment goes on that has no end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from enrichment_assets.domain.http_answers import classify_status, describe, error_body, number_header
from enrichment_assets.domain.provider import Answer, Provider, RenderedRequest, Secret, Verdict
from enrichment_assets.domain.request_parts import join_url, with_headers
from enrichment_assets.domain.statuses import ErrorClass

_THEIRS = frozenset({"code", "description"})
"""Members of the vendor's errors."""


class EnrichLayer(Provider):
    """Calls to EnrichLayer's v2 API."""

    name = "enrichlayer"
    title = "EnrichLayer"
    company = "EnrichLayer"
    home = "https://enrichlayer.com"
    secrets = (Secret("api_key", "ENRICHLAYER_API_KEY"),)
    key_word = "ENRICHLAYER"
    billing = "credits, said by the header x-proxycurl-credit-cost: one for a profile, none for one that is not known"
    documentation = "https://enrichlayer.com/docs"
    template = "enrich-linkedin-profile"

    def authorise(self, request: RenderedRequest, secrets: Mapping[str, str], base_url: str) -> RenderedRequest:
        """Add the key as a bearer token."""
        url = join_url(base_url, request.url)
        added = {"authorization": f"Bearer {secrets['api_key']}", "accept": "application/json"}
        return with_headers(request, url, added)

    def classify(self, operation: str, answer: Answer) -> Verdict:
        """Say what the answer means and what it cost; see the module's quirks."""
        cost = number_header(answer, "x-proxycurl-credit-cost")
        if answer.status == 403 and _THEIRS & set(error_body(answer)):
            return Verdict(ErrorClass.PAYMENT, message=describe(403, "the account has no credits left"))
        if answer.status == 404 and _THEIRS & set(error_body(answer)):
            return Verdict(not_found=True, message=describe(404, "the profile is not known"), cost_units=cost)
        return replace(classify_status(answer), cost_units=cost)
