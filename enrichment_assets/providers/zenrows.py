"""ZenRows: the HTML of a page, fetched through their proxies. The key can only travel in the query.

So the URL of a ZenRows request is a secret itself: it is built at the last moment, and `redact_url` makes it fit to be
shown. Quirks (docs.zenrows.com, and the vendor's Python client): the body of an error is `{code, message, status}`; 402
is a used-up (AUTH004, AUTH012) or ended (AUTH005, AUTH010, AUTH011) plan; 429 is concurrency or rate (AUTH006 or 008);
404 RESP002/RESP007 means that the page or host does not exist, and a page's 404 is billed; 422 RESP001 that the page
could not be had, which is not billed. `X-Request-Cost` is what a request cost.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from enrichment_assets.domain.http_answers import (
    classify_status,
    describe,
    error_body,
    number_header,
    retry_after,
)
from enrichment_assets.domain.provider import Answer, Provider, RenderedRequest, Secret, Verdict
from enrichment_assets.domain.request_parts import join_url
from enrichment_assets.domain.statuses import ErrorClass

_USED_UP = ("AUTH004", "AUTH012")
_NO_SUCH_PAGE = ("RESP002", "RESP007")
_COULD_NOT_FETCH = ("RESP001",)
_KEY_IN_QUERY = re.compile(r"([?&](?:apikey|api_key|key|token)=)[^&#]*", re.IGNORECASE)


def redact_url(url: str) -> str:
    """The URL with the value of a key parameter replaced: fit for a log or an exception."""
    return _KEY_IN_QUERY.sub(r"\1***", url)


class ZenRows(Provider):
    """Calls to ZenRows' universal scraper API."""

    name = "zenrows"
    title = "ZenRows"
    company = "ZenRows"
    home = "https://api.zenrows.com"
    secrets = (Secret("api_key", "ZENROWS_API_KEY"),)
    key_word = "ZENROWS"
    billing = "US dollars, said by the header x-request-cost: a page, also one that is gone; nothing where none was had"
    documentation = "https://docs.zenrows.com/universal-scraper-api/api-reference"
    template = "scrape-homepage-via-zenrows"

    def authorise(self, request: RenderedRequest, secrets: Mapping[str, str], base_url: str) -> RenderedRequest:
        """Add the key as the query parameter `apikey`."""
        url = join_url(base_url, request.url)
        return replace(request, url=url, query={**request.query, "apikey": secrets["api_key"]})

    def classify(self, operation: str, answer: Answer) -> Verdict:
        """Say what ZenRows' answer means and what it cost; see the module's quirks."""
        cost = number_header(answer, "x-request-cost")
        status = answer.status
        if 200 <= status < 300:
            return Verdict(cost_units=cost)
        code = str(error_body(answer).get("code") or "")
        message, wait = describe(status, code), retry_after(answer)
        if status == 402 and code in _USED_UP:
            return Verdict(ErrorClass.QUOTA, message=message, retry_after=wait)
        if status == 404 and (code in _NO_SUCH_PAGE or (not code and _is_theirs(answer))):
            return Verdict(not_found=True, message=message, cost_units=cost)
        if status == 422 and code in _COULD_NOT_FETCH:
            return Verdict(ErrorClass.RETRYABLE, message=message, retry_after=wait)
        return replace(classify_status(answer), cost_units=cost)


def _is_theirs(answer: Answer) -> bool:
    """Whether an answer without a code is the page's own, passed on; a proxy in between has none of these headers."""
    return any(name in answer.headers for name in ("x-request-cost", "zr-final-url", "concurrency-limit"))
