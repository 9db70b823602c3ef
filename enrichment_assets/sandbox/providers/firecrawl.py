"""Firecrawl v2: pages inside JSON (docs.firecrawl.dev; firecrawl-py 4.55).

What the page's own server answered is in `data.metadata.statusCode`: a company that is not known has a page that is
gone, an HTTP 200 here, and it costs a credit like any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from enrichment_assets.sandbox.companies import host_of
from enrichment_assets.sandbox.exchange import Call, Charge, Question, Refusal, Reply, json_reply
from enrichment_assets.sandbox.providers import homepages
from enrichment_assets.sandbox.providers.base import SimulatedProvider, no_such_path, whole_seconds
from enrichment_assets.sandbox.seeded_random import hex_id
from enrichment_assets.sandbox.web.sites import Fetched, fetched
from enrichment_assets.sandbox.web.writing import html_of, markdown_of

ONE = Decimal(1)
_FORMATS = ("markdown", "html", "rawHtml", "links")
GONE = "<html><head><title>404 Not Found</title></head><body><h1>Not Found</h1></body></html>"


class Firecrawl(SimulatedProvider):
    """Everything below `/firecrawl/...`."""

    name = "firecrawl"
    price = Decimal("0.0054")
    documented_limits: ClassVar[Mapping[str, str]] = {"*": "100/m"}

    def question(self, call: Call) -> Question:
        """Only `POST /scrape`."""
        if call.path.rstrip("/") != "/scrape" or call.method != "POST":
            raise no_such_path(call)
        asked = call.json()
        url = str(asked.get("url") or "").strip()
        if not host_of(url):
            raise Refusal(_error(400, "BAD_REQUEST", "Invalid URL"))
        formats = [str(one) for one in asked.get("formats") or ["markdown"]]
        if unknown := [one for one in formats if one not in _FORMATS]:
            raise Refusal(_error(400, "BAD_REQUEST", f"Invalid format {unknown[0]!r}"))

        def work() -> Reply:
            met = fetched(call.population, url)
            is_gone = call.misses(host_of(url)) or (met is not None and met.status == 404)
            metadata = {
                "sourceURL": url,
                "url": met.url if met is not None else url if url.count("/") > 2 else f"{url}/",
                "statusCode": 404 if is_gone else 200,
                "contentType": "text/html; charset=utf-8",
                "proxyUsed": "basic",
                "creditsUsed": 1,
                "scrapeId": hex_id(call.population.seed, "firecrawl", url),
                **({"error": "Not Found"} if is_gone else {}),
            }
            page = _gone(formats) if is_gone else _page(call, url, formats, met)
            reply = json_reply(200, {"success": True, "data": {**page, "metadata": metadata}})
            reply.outcome = "not_found" if is_gone else "found"
            reply.charges = (Charge(url, ONE),)
            reply.after = met.after if met is not None else 0.0
            return reply

        return Question("scrape", f"{url}|{','.join(formats)}", work, about=host_of(url))

    def unauthorised(self, call: Call) -> Reply:
        """401."""
        return json_reply(401, {"success": False, "error": "Unauthorized: Invalid token"})

    def rate_limited(self, call: Call, operation: str, retry_after: float) -> Reply:
        """429, with the seconds in a header."""
        body = {"success": False, "error": "Rate limit exceeded. Consumed (req/min): 101, Remaining (req/min): 0."}
        return json_reply(429, body, headers={"retry-after": whole_seconds(retry_after)})

    def exhausted(self, call: Call) -> Reply:
        """402: no credits."""
        return json_reply(402, {"success": False, "error": "Insufficient credits to perform this request."})

    def server_error(self, call: Call, status: int) -> Reply:
        """5xx in Firecrawl's shape."""
        return _error(status, "SCRAPE_ALL_ENGINES_FAILED", "All scraping engines failed")


def _page(call: Call, url: str, formats: list[str], met: Fetched | None) -> dict[str, Any]:
    if met is not None:
        markup = html_of(met.page, has_run_scripts=True)
        known = {"markdown": markdown_of(met.page), "html": markup, "rawHtml": markup, "links": met.page.links}
        return {one: known[one] for one in formats}
    company = call.population.company(domain=url)
    html = homepages.html_page(call.population, company)
    shown = {
        "markdown": homepages.markdown_page(call.population, company),
        "html": html,
        "rawHtml": html,
        "links": homepages.links_of(company),
    }
    return {one: shown[one] for one in formats}


def _gone(formats: list[str]) -> dict[str, Any]:
    return {one: [] if one == "links" else "# Not Found" if one == "markdown" else GONE for one in formats}


def _error(status: int, code: str, message: str) -> Reply:
    return json_reply(status, {"success": False, "code": code, "error": message}, outcome="refused")
