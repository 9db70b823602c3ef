"""Jina Reader: pages as Markdown inside JSON, the address in the path or in a body (jina.ai/reader).

A dead page is an HTTP 200 with a warning, and its words are billed.
"""

from __future__ import annotations

from decimal import Decimal

from enrichment_assets.sandbox.companies import host_of
from enrichment_assets.sandbox.exchange import Call, Charge, Question, Refusal, Reply, json_reply, text_reply
from enrichment_assets.sandbox.providers import homepages
from enrichment_assets.sandbox.providers.base import SimulatedProvider, no_such_path
from enrichment_assets.sandbox.web.sites import fetched
from enrichment_assets.sandbox.web.writing import markdown_of

WARNING = "Target URL returned error 404: Not Found"


class Jina(SimulatedProvider):
    """Everything below `/jina/...`."""

    name = "jina"
    price = Decimal("0.00000005")

    def question(self, call: Call) -> Question:
        """`GET /https://acme.com`, or `POST /` with `url`."""
        url = str(call.json().get("url") or "") if call.method == "POST" else call.path.lstrip("/")
        if call.method not in {"GET", "POST"} or (call.method == "POST" and call.path.strip("/")):
            raise no_such_path(call)
        if not host_of(url):
            raise Refusal(_error(422, "ParamValidationError", "Invalid URL or TLD"))

        def work() -> Reply:
            met = fetched(call.population, url)
            is_gone = call.misses(host_of(url)) or (met is not None and met.status == 404)
            company = call.population.company(domain=url)
            shown = homepages.markdown_page(call.population, company) if met is None else markdown_of(met.page)
            content = "# Not Found\n" if is_gone else shown
            tokens = max(len(content) // 4, 1)
            title = "404 Not Found" if is_gone else company.name if met is None else met.page.title
            reply = _read(call, url if met is None else met.url, title, content, tokens, is_gone=is_gone)
            reply.after = met.after if met is not None else 0.0
            reply.outcome = "not_found" if is_gone else "found"
            reply.charges = (Charge(url, Decimal(tokens)),)
            return reply

        return Question("read", f"{url}|{call.headers.get('x-return-format', '')}", work, about=host_of(url))

    def unauthorised(self, call: Call) -> Reply:
        """401."""
        return _error(401, "AuthenticationFailedError", "Invalid API key, please get a new one from https://jina.ai")

    def rate_limited(self, call: Call, operation: str, retry_after: float) -> Reply:
        """429, with the seconds in the body."""
        body = {"code": 429, "status": 42903, "name": "RateLimitTriggeredError", "retryAfter": int(retry_after) + 1}
        return json_reply(429, {**body, "message": "Per user rate limit exceeded"})

    def exhausted(self, call: Call) -> Reply:
        """402: no balance."""
        return _error(402, "InsufficientBalanceError", "Account balance not enough to run this query, please recharge.")

    def server_error(self, call: Call, status: int) -> Reply:
        """5xx in Jina's shape."""
        return _error(status, "ServiceNodeResourceDrainError", "The service is not available")


def _read(call: Call, url: str, title: str, content: str, tokens: int, *, is_gone: bool) -> Reply:
    if "json" not in call.headers.get("accept", ""):
        warning = f"\n\nWarning: {WARNING}" if is_gone else ""
        return text_reply(200, f"Title: {title}\n\nURL Source: {url}{warning}\n\nMarkdown Content:\n{content}")
    data = {"title": title, "description": "", "url": url, "content": content, "usage": {"tokens": tokens}}
    return json_reply(
        200, {"code": 200, "status": 20000, "data": {**data, **({"warning": WARNING} if is_gone else {})}}
    )


def _error(status: int, name: str, message: str) -> Reply:
    body = {"data": None, "code": status, "name": name, "status": status * 100 + 3, "message": message}
    return json_reply(status, {**body, "readableMessage": f"{name}: {message}"}, outcome="refused")
