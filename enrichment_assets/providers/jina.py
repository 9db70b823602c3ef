"""Jina Reader: a page as Markdown inside JSON (`accept: application/json`). Bearer key.

Quirks (jina.ai/reader; the reader's own repository, jina-ai/reader): a dead target is an HTTP 200 whose `data.warning`
says `Target URL returned error 404: Not Found`, with the error page as its content, billed by its tokens; 402 is an
account without balance, sometimes of one that has some (reader#1255); 422 says that the host cannot be resolved, or
that the request is wrong; 429 says in its body when to come back (`retryAfter`); 451 is a domain that Jina does not
fetch, and says nothing about a person.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from enrichment_assets.domain.http_answers import (
    classify_status,
    describe,
    error_body,
    object_of,
    target_verdict,
    wait_of,
)
from enrichment_assets.domain.money import units_of
from enrichment_assets.domain.provider import Answer, Provider, RenderedRequest, Secret, Verdict
from enrichment_assets.domain.request_parts import join_url, with_headers

_TARGET_ERROR = re.compile(r"Target URL returned error (\d{3})")
_NO_SUCH_HOST = re.compile(r"could not be resolved|ENOTFOUND|ERR_NAME_NOT_RESOLVED|Invalid TLD", re.IGNORECASE)


class Jina(Provider):
    """Calls to Jina's Reader."""

    name = "jina"
    title = "Jina Reader"
    company = "Jina AI"
    home = "https://r.jina.ai"
    secrets = (Secret("api_key", "JINA_API_KEY"),)
    key_word = "JINA"
    billing = "tokens of what was read, said by data.usage.tokens, also of an error page"
    documentation = "https://jina.ai/reader"
    template = "scrape-homepage-via-jina"

    def authorise(self, request: RenderedRequest, secrets: Mapping[str, str], base_url: str) -> RenderedRequest:
        """Add the key as a bearer token, and ask for JSON."""
        added = {"authorization": f"Bearer {secrets['api_key']}", "accept": "application/json"}
        return with_headers(request, join_url(base_url, request.url), added)

    def classify(self, operation: str, answer: Answer) -> Verdict:
        """Say what the answer means, by what it says of the target where that is inside; see the module's quirks."""
        if 200 <= answer.status < 300:
            data = object_of(answer).get("data")
            data = data if isinstance(data, dict) else {}
            said = _TARGET_ERROR.search(str(data.get("warning") or ""))
            usage = data.get("usage")
            cost = units_of(usage.get("tokens")) if isinstance(usage, dict) else None
            return target_verdict(int(said.group(1)), cost) if said else Verdict(cost_units=cost)
        message = str(error_body(answer).get("readableMessage") or error_body(answer).get("message") or "")
        if answer.status == 451 or (answer.status == 422 and _NO_SUCH_HOST.search(message)):
            why = "the host does not exist" if answer.status == 422 else "Jina does not fetch this domain"
            return Verdict(not_found=True, message=describe(answer.status, why), cost_units=Decimal(0))
        verdict, wait = classify_status(answer), wait_of(error_body(answer).get("retryAfter"))
        return verdict if verdict.retry_after is not None else replace(verdict, retry_after=wait)
