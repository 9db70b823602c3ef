"""Brave Search: results of its own index (`search_results`: what is found), billed by search.

api-dashboard.search.brave.com/documentation and the vendor's MCP server: `web` is missing where nothing is found; a bad
token is a 422; the headers of what is left have one number for each window, the second's and the month's.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from enrichment_assets.sandbox.exchange import Call, Question, Refusal, Reply, found_reply, json_reply, missed_reply
from enrichment_assets.sandbox.limits import Room
from enrichment_assets.sandbox.providers.base import SimulatedProvider, no_such_path, whole_seconds
from enrichment_assets.sandbox.providers.search_results import found_for
from enrichment_assets.sandbox.web.results import Found

ONE = Decimal(1)
MOST = 20
LAST_OFFSET = 9
"""`offset` counts pages from 0."""


class Brave(SimulatedProvider):
    """Everything below `/brave/res/v1/...`."""

    name = "brave"
    price = Decimal("0.005")
    documented_limits: ClassVar[Mapping[str, str]] = {"*": "20/s"}

    def key(self, call: Call) -> str:
        """The header `X-Subscription-Token`."""
        return call.headers.get("x-subscription-token", "")

    def question(self, call: Call) -> Question:
        """Only `GET /res/v1/web/search`."""
        if call.path.rstrip("/") != "/res/v1/web/search" or call.method != "GET":
            raise no_such_path(call)
        words, text = call.query.get("q", "").strip(), call.query.get("count", str(MOST))
        if not words or not text.isdigit() or not 1 <= int(text) <= MOST:
            raise Refusal(_error(422, "VALIDATION", "Unable to validate request parameter(s)"))
        offset = call.query.get("offset", "0")
        if not offset.isdigit() or int(offset) > LAST_OFFSET:
            raise Refusal(_error(422, "VALIDATION", "Unable to validate request parameter(s)"))
        page, subject = int(offset) + 1, words if int(offset) == 0 else f"{words} (page {int(offset) + 1})"

        def work() -> Reply:
            found = [] if call.misses(words.casefold()) else found_for(call, words, int(text), page)
            has_more = bool(found) and bool(found_for(call, words, int(text), page + 1))
            query = {"original": words, "more_results_available": has_more}
            if not found:
                return missed_reply({"type": "search", "query": query}, subject, ONE)
            results = [_result(one) for one in found]
            return found_reply(
                {"type": "search", "query": query, "web": {"type": "search", "results": results}}, subject, ONE
            )

        return Question("web/search", f"{words.casefold()}|{text}" + (f"|{page}" if page > 1 else ""), work)

    def unauthorised(self, call: Call) -> Reply:
        """422, the status of a bad question too."""
        return _error(422, "SUBSCRIPTION_TOKEN_INVALID", "The provided subscription token is invalid.")

    def rate_limited(self, call: Call, operation: str, retry_after: float) -> Reply:
        """429 with the code of a rate."""
        reply = _error(429, "RATE_LIMITED", "Request rate limit exceeded for plan.")
        reply.headers["retry-after"] = whole_seconds(retry_after)
        return reply

    def exhausted(self, call: Call) -> Reply:
        """429 with the code of a quota."""
        return _error(429, "QUOTA_LIMITED", "Request quota limit exceeded for plan.")

    def limit_headers(self, room: Room, call: Call, under_way: int) -> dict[str, str]:
        """The second's and the month's."""
        return {
            "x-ratelimit-limit": "20, 20000000",
            "x-ratelimit-remaining": f"{room.remaining.get(1.0, 20)}, 19999999",
            "x-ratelimit-reset": "1, 2419200",
        }


def _result(found: Found) -> dict[str, Any]:
    return {
        "title": found.title,
        "url": found.link,
        "description": found.snippet,
        "is_source_local": False,
        "language": "en",
        **({"age": found.date} if found.date else {}),
    }


def _error(status: int, code: str, detail: str) -> Reply:
    error = {"id": "00000000-0000-4000-8000-000000000000", "status": status, "code": code, "detail": detail}
    return json_reply(status, {"type": "ErrorResponse", "error": error, "time": 1780000000}, outcome="refused")
