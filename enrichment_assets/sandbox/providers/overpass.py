"""Overpass: what OpenStreetMap has at a place, by a query in its own language. Free, and strict about who asks.

overpass-api.de/api/interpreter; github.com/drolbr/Overpass-API/issues/791 (since 2026-04 a request without a User-Agent
of its own is a 406); dev.overpass-api.de/overpass-doc. A query that runs out of time or memory is an HTTP 200 with a
`remark` and whatever was found so far (setting `remarks`); errors are HTML; two queries of an address run at once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import parse_qs

from enrichment_assets.sandbox.exchange import Call, Charge, Question, Refusal, Reply, json_reply
from enrichment_assets.sandbox.providers.base import SimulatedProvider, no_such_path
from enrichment_assets.sandbox.seeded_random import hex_id
from enrichment_assets.sandbox.web.overpass_query import parse
from enrichment_assets.sandbox.web.overpass_run import run
from enrichment_assets.sandbox.web.overpass_tree import BadQuery, Script

_NOBODY = re.compile(
    r"^$|^(?:python|aiohttp|curl|wget|go-http|java|okhttp|node|axios|undici|libwww|httpx|mozilla)", re.IGNORECASE
)
"""User-Agents of libraries and browsers: they say nothing of who asks."""

_STAMP = "2026-11-01T00:00:00Z"
_LICENCE = "The data included in this document is from www.openstreetmap.org. The data is made available under ODbL."


class Overpass(SimulatedProvider):
    """Everything below `/overpass/...`."""

    name = "overpass"
    price = Decimal(0)
    needs_key = False
    documented_limits: ClassVar[Mapping[str, str]] = {"*": "1/s"}

    def key(self, call: Call) -> str:
        """Nobody pays; the contact in the User-Agent says who asks."""
        return call.headers.get("user-agent", "").partition("(")[2].rstrip(") ")

    def unauthorised(self, call: Call) -> Reply:
        """406: this contact is not served."""
        return _page(406, "Not Acceptable", "Write to the operators of this server.")

    def question(self, call: Call) -> Question:
        """`/api/interpreter` with `data`, in a form or in the query."""
        if call.path.rstrip("/") != "/api/interpreter" or call.method not in {"GET", "POST"}:
            raise no_such_path(call)
        if _NOBODY.match(call.headers.get("user-agent", "").strip()):
            raise Refusal(_page(406, "Not Acceptable", "Set a User-Agent of your own that says who you are."))
        text = _asked(call)
        try:
            script = parse(text)
            if script.settings.get("out", "xml") != "json":
                raise BadQuery("line 1: this server answers in JSON alone: [out:json]")
        except BadQuery as error:
            raise Refusal(_page(400, "Bad Request", f"Error: {error}")) from error
        identity = hex_id(" ".join(text.split()))

        def work() -> Reply:
            try:
                elements = [] if call.misses(identity) else run(call.population, script)
            except BadQuery as error:
                raise Refusal(_page(400, "Bad Request", f"Error: {error}")) from error
            return _answer(call, script, elements, identity)

        return Question("interpreter", identity, work)

    def rate_limited(self, call: Call, operation: str, retry_after: float) -> Reply:
        """429, an HTML page, and nothing says how long to wait: half a minute and more, by the usage policy."""
        return _page(429, "Too Many Requests", "Please check /api/status for the quota of your IP address.")

    def server_error(self, call: Call, status: int) -> Reply:
        """5xx as HTML: the dispatcher has no room."""
        return _page(status, "Gateway Timeout", "The server is probably too busy to handle your request.")


def _answer(call: Call, script: Script, elements: list[dict[str, Any]], identity: str) -> Reply:
    body: dict[str, Any] = {
        "version": 0.6,
        "generator": "Overpass API 0.7.62.8 e802775f",
        "osm3s": {"timestamp_osm_base": _STAMP, "copyright": _LICENCE},
        "elements": elements,
    }
    if call.population.rng("remark", identity, call.attempt).chance(call.behaviour.remarks):
        seconds = script.settings.get("timeout", "180")
        body["elements"] = elements[: len(elements) // 2]
        body["remark"] = f'runtime error: Query timed out in "query" at line 1 after {seconds} seconds.'
    reply = json_reply(200, body)
    reply.outcome = "found" if elements and "remark" not in body else "not_found"
    reply.charges = (Charge(identity, Decimal(0)),)
    return reply


def _asked(call: Call) -> str:
    """The query: a form field or a parameter `data`, or the whole body."""
    body = call.body.decode("utf-8", "replace")
    if call.method == "GET" or not body:
        return call.query.get("data", "")
    return parse_qs(body).get("data", [""])[0] if body.lstrip().startswith("data=") else body


def _page(status: int, title: str, text: str) -> Reply:
    body = (
        '<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE html><html lang="en"><head>'
        f"<title>OSM3S Response</title></head><body><p>{status} {title}</p>"
        f"<p><strong>{text}</strong></p></body></html>"
    )
    return Reply(status, body.encode(), content_type="text/html; charset=utf-8", outcome="refused")
