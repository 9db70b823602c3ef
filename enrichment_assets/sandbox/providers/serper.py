"""Serper: search results (`search_results`: what is found). A search without a find is billed like any other."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from enrichment_assets.sandbox.exchange import Call, Question, Refusal, Reply, found_reply, json_reply, missed_reply
from enrichment_assets.sandbox.providers.base import SimulatedProvider, no_such_path
from enrichment_assets.sandbox.providers.search_results import found_for

ONE = Decimal(1)


class Serper(SimulatedProvider):
    """Everything below `/serper/...`."""

    name = "serper"
    price = Decimal("0.001")

    def key(self, call: Call) -> str:
        """The header `X-API-KEY`."""
        return call.headers.get("x-api-key", "")

    def question(self, call: Call) -> Question:
        """Only `POST /search`."""
        if call.path.rstrip("/") != "/search" or call.method != "POST":
            raise no_such_path(call)
        asked = call.json()
        words = str(asked.get("q") or "").strip()
        if not words:
            raise Refusal(json_reply(400, {"message": "Missing query parameter", "statusCode": 400}))
        text = str(asked.get("num") or 10)
        count = min(int(text), 100) if text.isdigit() else 10
        page = _page(asked.get("page"))
        subject = words if page == 1 else f"{words} (page {page})"

        def work() -> Reply:
            told = {"q": words, "type": "search", "num": count, "page": page, "engine": "google"}
            base = {"searchParameters": told, "credits": 1}
            organic = [] if call.misses(words.casefold()) else _organic(call, words, count, page)
            reply = found_reply if organic else missed_reply
            return reply({**base, "organic": organic}, subject, ONE)

        return Question("search", f"{words.casefold()}|{count}" + (f"|{page}" if page > 1 else ""), work)

    def unauthorised(self, call: Call) -> Reply:
        """403, as Serper answers a wrong key."""
        return json_reply(403, {"message": "Unauthorized.", "statusCode": 403})

    def exhausted(self, call: Call) -> Reply:
        """400: Serper says so in the message only."""
        return json_reply(400, {"message": "Not enough credits", "statusCode": 400})


def _page(asked: Any) -> int:
    """The number of a page, from 1."""
    text = str(asked or 1)
    return max(1, int(text)) if text.isdigit() else 1


def _organic(call: Call, words: str, count: int, page: int) -> list[dict[str, Any]]:
    """Results by rank; `date` only where there is one, as Serper leaves it out."""
    return [
        {
            "title": one.title,
            "link": one.link,
            "snippet": one.snippet,
            "position": position,
            **({"date": one.date} if one.date else {}),
        }
        for position, one in enumerate(found_for(call, words, count, page), 1)
    ]
