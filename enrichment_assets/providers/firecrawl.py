"""Firecrawl: a page as HTML or Markdown inside JSON. Bearer key.

Quirks (firecrawl-py 4.55; docs.firecrawl.dev): what the page's own server answered is inside, in
`data.metadata.statusCode`, and a target's 404 is an HTTP 200 here, billed like a page; `success: false` comes with 200,
too. 402 is a used-up account, 403 a site that Firecrawl does not fetch, 408 SCRAPE_TIMEOUT says when to repeat
(`retryAfterSeconds`; the repetition attaches to the work under way). Codes about the target's name or certificate are
final whatever their status.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from enrichment_assets.domain.http_answers import (
    classify_status,
    describe,
    object_of,
    retry_after,
    target_verdict,
    wait_of,
)
from enrichment_assets.domain.money import units_of
from enrichment_assets.domain.provider import Answer, Provider, RenderedRequest, Secret, Verdict
from enrichment_assets.domain.request_parts import join_url, with_headers
from enrichment_assets.domain.statuses import ErrorClass

_NO_SUCH_HOST = ("SCRAPE_DNS_RESOLUTION_ERROR", "SCRAPE_SITE_ERROR", "SCRAPE_SSL_ERROR")
_WAIT_IN_BODY = "retryAfterSeconds"


class Firecrawl(Provider):
    """Calls to Firecrawl's scrape API, version 2."""

    name = "firecrawl"
    title = "Firecrawl"
    company = "Firecrawl"
    home = "https://api.firecrawl.dev/v2"
    secrets = (Secret("api_key", "FIRECRAWL_API_KEY"),)
    key_word = "FIRECRAWL"
    billing = (
        "credits, said by data.metadata.creditsUsed: one a page, also one that is gone, five through better proxies"
    )
    documentation = "https://docs.firecrawl.dev/api-reference/endpoint/scrape"
    template = "scrape-homepage-via-firecrawl"

    def authorise(self, request: RenderedRequest, secrets: Mapping[str, str], base_url: str) -> RenderedRequest:
        """Add the key as a bearer token."""
        return with_headers(request, join_url(base_url, request.url), {"authorization": f"Bearer {secrets['api_key']}"})

    def classify(self, operation: str, answer: Answer) -> Verdict:
        """Say what the answer means, by what the target's server said where that is inside; see the module's quirks."""
        body = object_of(answer)
        code = str(body.get("code") or "")
        if code in _NO_SUCH_HOST:
            return Verdict(not_found=True, message=f"the page cannot be had: {code}", cost_units=Decimal(0))
        if 200 <= answer.status < 300:
            return target_verdict(*_inside(body)) if body.get("success") is not False else _failed_inside(body)
        if answer.status == 403:
            why = describe(403, "Firecrawl does not fetch this site")
            return Verdict(not_found=True, message=why, cost_units=Decimal(0))
        wait = retry_after(answer)
        return replace(classify_status(answer), retry_after=wait_of(body.get(_WAIT_IN_BODY)) if wait is None else wait)


def _inside(body: Mapping[str, Any]) -> tuple[int | None, Decimal | None]:
    data = body.get("data")
    metadata = data.get("metadata") if isinstance(data, dict) else None
    if not isinstance(metadata, dict):
        return None, None
    status = metadata.get("statusCode")
    return status if isinstance(status, int) else None, units_of(metadata.get("creditsUsed"))


def _failed_inside(body: Mapping[str, Any]) -> Verdict:
    """`success: false` at HTTP 200: nothing was fetched and nothing is billed."""
    message = f"success is false: {str(body.get('code') or 'no code')[:60]}"
    return Verdict(ErrorClass.RETRYABLE, message=message, retry_after=wait_of(body.get(_WAIT_IN_BODY)))
