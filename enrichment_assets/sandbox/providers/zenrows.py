"""ZenRows: a page fetched through its proxies. The key travels in the query; the price comes back in a header.

docs.zenrows.com/universal-scraper-api/api-reference and the official client. `X-Request-Cost` is US dollars: a plain
request costs 0.001, js_render 5 times that, premium_proxy 10 times, both 25 times; `mode=auto` is one of these, as the
page needs it, and takes neither flag. A target's 404 (RESP002) is billed like a page, other failures are not.
What `extract` and `autoparse` find is our choice: the vendor's depends on the kind of page.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

import orjson

from enrichment_assets.sandbox.companies import Company, host_of
from enrichment_assets.sandbox.exchange import Call, Charge, Question, Refusal, Reply, json_reply
from enrichment_assets.sandbox.limits import Room
from enrichment_assets.sandbox.providers import homepages
from enrichment_assets.sandbox.providers.base import SimulatedProvider, no_such_path, whole_seconds
from enrichment_assets.sandbox.providers.zenrows_web import web_page
from enrichment_assets.sandbox.seeded_random import hex_id
from enrichment_assets.sandbox.web.sites import Fetched, fetched

PLAIN = Decimal("0.001")
TIMES = {(False, False): 1, (True, False): 5, (False, True): 10, (True, True): 25}
_NEEDS = ((False, False),) * 6 + ((True, False),) * 2 + ((False, True), (True, True))
DEFAULT_CONCURRENCY = 20


class ZenRows(SimulatedProvider):
    """Everything below `/zenrows/v1/`."""

    name = "zenrows"
    price = Decimal(1)
    documented_limits: ClassVar[Mapping[str, str]] = {}

    def key(self, call: Call) -> str:
        """The `apikey` parameter."""
        return call.query.get("apikey", "")

    def question(self, call: Call) -> Question:
        """One page."""
        if call.path.rstrip("/") != "/v1" or call.method not in {"GET", "POST", "PUT"}:
            raise no_such_path(call)
        url = call.query.get("url", "").strip()
        if not url:
            raise Refusal(_error(400, "REQS001", "The 'url' parameter is required"))
        if not host_of(url) or not url.lower().startswith(("http://", "https://")):
            raise Refusal(_error(400, "REQS002", "The 'url' parameter has to be an absolute http(s) address"))
        met = fetched(call.population, url)
        flags = _needed(call, url, met)

        def work() -> Reply:
            cost = PLAIN * TIMES[flags]
            headers = {
                "x-request-id": hex_id(call.population.seed, "zenrows", url, *flags),
                "zr-final-url": met.url if met is not None else url if url.count("/") > 2 else f"{url}/",
            }
            if call.misses(host_of(url)) or (met is not None and met.status == 404):
                reply = _error(404, "RESP002", "The target page was not found (404)")
                reply.outcome = "not_found"
                reply.headers = {**headers, "x-request-cost": str(cost)}
                reply.charges = (Charge(url, cost),)
                return reply
            if met is not None:
                reply = web_page(call, met.page, has_run_scripts=flags[0])
                reply.after = met.after
            else:
                reply = _page(call, call.population.company(domain=url))
            reply.headers = {**headers, "x-request-cost": str(cost), "zr-content-type": reply.content_type}
            reply.charges = (Charge(url, cost),)
            return reply

        options = "&".join(f"{k}={v}" for k, v in sorted(call.query.items()) if k not in {"apikey", "url"})
        return Question("scrape", f"{url}|{options}", work)

    def unauthorised(self, call: Call) -> Reply:
        """401 AUTH001 (no key) or AUTH002 (unknown key)."""
        if not call.key:
            return _error(401, "AUTH001", "The 'apikey' parameter is required")
        return _error(401, "AUTH002", "The provided API key is invalid")

    def rate_limited(self, call: Call, operation: str, retry_after: float) -> Reply:
        """429 AUTH008: too many requests."""
        reply = _error(429, "AUTH008", "Rate limit exceeded")
        reply.headers["retry-after"] = whole_seconds(retry_after)
        return reply

    def too_many_at_once(self, call: Call, operation: str) -> Reply:
        """429 AUTH006: more requests under way than the plan allows."""
        return _error(429, "AUTH006", "The concurrency limit of your plan was reached")

    def exhausted(self, call: Call) -> Reply:
        """402 AUTH004: the plan's usage is spent."""
        return _error(402, "AUTH004", "Usage exceeded: the API key has reached its limit")

    def server_error(self, call: Call, status: int) -> Reply:
        """5xx in ZenRows' error shape."""
        return _error(status, "ERR0000" if status == 500 else "RESP001", "Could not get content, try again")

    def limit_headers(self, room: Room, call: Call, under_way: int) -> dict[str, str]:
        """Concurrency allowed and left."""
        limit = call.behaviour.concurrency or DEFAULT_CONCURRENCY
        return {"concurrency-limit": str(limit), "concurrency-remaining": str(max(limit - under_way, 0))}


def _page(call: Call, company: Company) -> Reply:
    extractor, outputs = call.query.get("css_extractor"), call.query.get("outputs")
    if extractor:
        return json_reply(200, _extracted(company, extractor))
    if outputs:
        wanted = {name.strip() for name in outputs.split(",")}
        known = _outputs(company)
        return json_reply(200, {name: found for name, found in known.items() if name in wanted or "*" in wanted})
    if call.query.get("extract") or _flag(call, "autoparse"):
        return json_reply(200, _parsed(company))
    if _flag(call, "json_response"):
        xhr = [{"url": f"https://www.{company.domain}/api/team", "method": "GET", "status_code": 200, "body": "[]"}]
        return json_reply(200, {"html": homepages.html_page(call.population, company), "xhr": xhr})
    kind = call.query.get("response_type", "html").lower()
    if kind == "markdown":
        text = homepages.markdown_page(call.population, company)
        return Reply(200, text.encode(), content_type="text/markdown; charset=utf-8")
    if kind in {"plaintext", "text"}:
        return Reply(
            200, homepages.plain_page(call.population, company).encode(), content_type="text/plain; charset=utf-8"
        )
    if kind != "html":
        raise Refusal(_error(400, "REQS004", f"Unknown response_type {kind!r}"))
    page = homepages.html_page(call.population, company)
    return Reply(200, page.encode(), content_type="text/html; charset=utf-8")


def _extracted(company: Company, extractor: str) -> dict[str, Any]:
    try:
        selectors = orjson.loads(extractor)
    except orjson.JSONDecodeError:
        selectors = None
    if not isinstance(selectors, dict):
        raise Refusal(_error(400, "REQS004", "css_extractor has to be a JSON object of selectors"))
    return {name: homepages.select(company, str(selector)) for name, selector in selectors.items()}


def _outputs(company: Company) -> dict[str, Any]:
    return {
        "emails": [f"info@{company.domain}"],
        "phone_numbers": [company.phone],
        "headings": homepages.headings_of(company),
        "links": homepages.links_of(company),
        "menus": ["about", "services", "team", "contact"],
        "images": [],
        "videos": [],
        "audios": [],
        "hashtags": [],
        "tables": [],
        "metadata": [{"name": "description", "content": company.description}],
        "favicon": f"https://www.{company.domain}/favicon.ico",
    }


def _parsed(company: Company) -> dict[str, Any]:
    return {
        "url": f"https://www.{company.domain}/",
        "title": f"{company.name} | {company.industry}",
        "name": company.name,
        "description": company.description,
        "address": company.address,
        "telephone": company.phone,
        "same_as": [company.linkedin_url],
    }


def _needed(call: Call, url: str, met: Fetched | None) -> tuple[bool, bool]:
    """JavaScript and premium proxies, as asked for; in `mode=auto` what the page needs, most often neither."""
    flags = (_flag(call, "js_render"), _flag(call, "premium_proxy"))
    if call.query.get("mode") != "auto":
        return flags
    if any(flags):
        raise Refusal(_error(400, "REQS004", "mode=auto cannot be combined with js_render or premium_proxy"))
    if met is not None:
        return met.page.is_shell, False
    return call.population.rng("needs", host_of(url)).pick(_NEEDS)


def _flag(call: Call, name: str) -> bool:
    return call.query.get(name, "").lower() == "true"


def _error(status: int, code: str, message: str) -> Reply:
    body = {"code": code, "message": message, "status": status, "title": f"{message} ({code})"}
    return json_reply(status, body, outcome="refused", headers={"x-request-cost": "0"})
