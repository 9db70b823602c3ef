"""Any HTTP API, described by a workflow alone: absolute address, secrets named in header templates.

A quirk that many share: language models and the gateways in front of them say that an account is spent in the body,
under a status that elsewhere means something else (OpenAI 429 `insufficient_quota`, LiteLLM 400 `budget_exceeded`,
Anthropic 429 `..._spend_limit_reached`; `domain.prompts.vendor_errors` knows the words).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from enrichment_assets.domain.http_answers import classify_status, describe
from enrichment_assets.domain.prompts.vendor_errors import reported
from enrichment_assets.domain.provider import Ability, Answer, Provider, RenderedRequest, Verdict
from enrichment_assets.domain.request_parts import join_url
from enrichment_assets.domain.statuses import ErrorClass

_MAY_BE_SPENT = (400, 403, 429)


class Http(Provider):
    """Calls to an address that the workflow gives itself."""

    name = "http"
    title = "Any HTTP API"
    own_address = True
    abilities = frozenset(Ability)
    billing = "as the workflow's price says"

    def authorise(self, request: RenderedRequest, secrets: Mapping[str, str], base_url: str) -> RenderedRequest:
        """Nothing to add: the request's headers name their secrets themselves."""
        url = join_url(base_url, request.url, anywhere=self.own_address)
        return request if url == request.url else replace(request, url=url)

    def classify(self, operation: str, answer: Answer) -> Verdict:
        """As statuses usually mean: a 404 is a wrong address, unless the workflow's `not_found_status` names it."""
        if answer.status in _MAY_BE_SPENT and _is_spent(answer):
            return Verdict(ErrorClass.QUOTA, message=describe(answer.status, "the account's budget or quota is spent"))
        return classify_status(answer)

    def simulated_path(self, url: str, *, is_poll: bool) -> str:
        """The simulator's one API for everything: a question, or the result that a poll asks for by its id."""
        parts = urlsplit(url)
        query = f"?{parts.query}" if parts.query else ""
        return f"/results/{parts.path.rstrip('/').rpartition('/')[2]}{query}" if is_poll else f"/enrich{query}"


def _is_spent(answer: Answer) -> bool:
    error = reported(answer)
    return error is not None and error.is_spent
