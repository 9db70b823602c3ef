"""Brave Search: results of an index of its own. Key in the `X-Subscription-Token` header.

Quirks (api-dashboard.search.brave.com/documentation, and @brave/brave-search-mcp-server): errors are `{type:
"ErrorResponse", error: {code, detail, status}}`, and the code decides. A token that is not known is a 422
`SUBSCRIPTION_TOKEN_INVALID`, the status of a bad question too; a 429 is the second's rate or the month's quota. The
headers of what is left hold one number for each window (`0, 1832`).
"""

from __future__ import annotations

from collections.abc import Mapping

from enrichment_assets.domain.http_answers import classify_status, describe, error_body
from enrichment_assets.domain.provider import Answer, Provider, RenderedRequest, Secret, Verdict
from enrichment_assets.domain.request_parts import join_url, with_headers
from enrichment_assets.domain.statuses import ErrorClass

_USED_UP = ("QUOTA_LIMITED", "USAGE_LIMIT_EXCEEDED")


class Brave(Provider):
    """Calls to Brave's web search."""

    name = "brave"
    title = "Brave Search"
    company = "Brave"
    home = "https://api.search.brave.com"
    secrets = (Secret("api_key", "BRAVE_API_KEY"),)
    key_word = "BRAVE"
    billing = "searches, whatever is found"
    documentation = "https://api-dashboard.search.brave.com/documentation"
    template = "search-web-via-brave"

    def authorise(self, request: RenderedRequest, secrets: Mapping[str, str], base_url: str) -> RenderedRequest:
        """Add the key as `X-Subscription-Token`."""
        url = join_url(base_url, request.url)
        return with_headers(request, url, {"x-subscription-token": secrets["api_key"], "accept": "application/json"})

    def classify(self, operation: str, answer: Answer) -> Verdict:
        """Say what the answer means; see the module's quirks."""
        code = _code(answer) if answer.status >= 400 else ""
        if code.startswith("SUBSCRIPTION_TOKEN_") or code == "SUBSCRIPTION_NOT_FOUND":
            return Verdict(ErrorClass.AUTH, message=describe(answer.status, "the key was refused"))
        if code in _USED_UP:
            return Verdict(ErrorClass.QUOTA, message=describe(answer.status, "the plan's searches are used up"))
        return classify_status(answer)


def _code(answer: Answer) -> str:
    error = error_body(answer).get("error")
    return str(error.get("code") or "") if isinstance(error, Mapping) else ""
