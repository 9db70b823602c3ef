"""Overpass: what OpenStreetMap has at a place. Free, and strict about who asks: a User-Agent with a contact.

Quirks (github.com/drolbr/Overpass-API/issues/791; dev.overpass-api.de/overpass-doc; overpy and aio-overpass): since
2026-04 a request whose User-Agent is a library's is a 406; a query that runs out of time or memory is a 200 whose
`remark` says so, with a part of the elements; errors are HTML, those of a busy dispatcher at times inside a 200; a 429
does not say how long to wait, and the usage policy asks for half a minute. Data: ODbL, OpenStreetMap contributors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from enrichment_assets.domain.http_answers import classify_status, describe, is_web_page, object_of
from enrichment_assets.domain.provider import Answer, Provider, RenderedRequest, Secret, Verdict
from enrichment_assets.domain.request_parts import join_url, with_headers
from enrichment_assets.domain.statuses import ErrorClass

WAIT = 30.0
"""Seconds after a refusal for want of a slot, at least (dev.overpass-api.de/overpass-doc/en/preface/commons.html)."""

_BUSY = (b"Dispatcher_Client", b"rate_limited", b"too busy", b"timed out", b"timeout")


class Overpass(Provider):
    """Calls to an Overpass server: the public one, or by `base_url` your own, as commercial users are asked to have."""

    name = "overpass"
    title = "Overpass (OpenStreetMap)"
    company = "Overpass API"
    home = "https://overpass-api.de"
    secrets = (Secret("contact", "OVERPASS_CONTACT"),)
    key_word = "OVERPASS"
    billing = "nothing; the public server asks for no parallel scripts and about 10,000 queries a day at most"
    documentation = "https://wiki.openstreetmap.org/wiki/Overpass_API"

    def authorise(self, request: RenderedRequest, secrets: Mapping[str, str], base_url: str) -> RenderedRequest:
        """Say who asks: the platform, and the address or page where its operator is reached."""
        added = {"user-agent": f"enrichment-assets ({secrets['contact']})", "accept": "application/json"}
        return with_headers(request, join_url(base_url, request.url), added)

    def classify(self, operation: str, answer: Answer) -> Verdict:
        """Say what the answer means; see the module's quirks."""
        if answer.status == 406:
            return Verdict(ErrorClass.AUTH, message=describe(406, "the server wants to know who asks: name a contact"))
        if answer.status == 429:
            found = classify_status(answer)
            return replace(found, retry_after=max(WAIT, found.retry_after or 0.0))
        if not 200 <= answer.status < 300:
            return classify_status(answer)
        if is_web_page(answer):
            is_busy = any(word in answer.body for word in _BUSY)
            kind = ErrorClass.RETRYABLE if is_busy else ErrorClass.CONTRACT
            return Verdict(
                kind, message=describe(answer.status, "an error page"), retry_after=WAIT if is_busy else None
            )
        if object_of(answer).get("remark"):
            return Verdict(ErrorClass.RETRYABLE, message=describe(answer.status, "the query ran out of time or memory"))
        return Verdict()
