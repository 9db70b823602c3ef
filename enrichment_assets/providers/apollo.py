"""Apollo: people match, organisation enrichment, asynchronous phone reveal. Key in the `x-api-key` header.

Quirks (docs.apollo.io): a refused key is 401 `text/plain`; an operation outside the plan is 403 `API_INACCESSIBLE`;
exhausted credits are a 422 whose text says so; a daily limit is a 429 with `x-24-hour-requests-left: 0`; a poll is 404
`result_pending` while the result is on its way, and 404/410/400 with another code when it never comes; a 2xx can carry
`error_code`.
"""

from __future__ import annotations

from collections.abc import Mapping

from enrichment_assets.domain.http_answers import (
    classify_status,
    describe,
    error_body,
    number_header,
    retry_after,
)
from enrichment_assets.domain.provider import Ability, Answer, Provider, RenderedRequest, Secret, Verdict
from enrichment_assets.domain.request_parts import join_url, with_headers
from enrichment_assets.domain.statuses import ErrorClass

_PENDING = "result_pending"
_GONE = ("request_id_unknown", "request_id_expired", "invalid_request_id")


class Apollo(Provider):
    """Calls to Apollo's REST API."""

    name = "apollo"
    title = "Apollo"
    company = "Apollo"
    home = "https://api.apollo.io"
    secrets = (Secret("api_key", "APOLLO_API_KEY"),)
    key_word = "APOLLO"
    abilities = frozenset({Ability.CALLBACK, Ability.POLL})
    billing = "credits: one for a person or company that is known, more for a revealed phone number, none for a miss"
    documentation = "https://docs.apollo.io/reference"
    template = "match-person-via-apollo"

    def authorise(self, request: RenderedRequest, secrets: Mapping[str, str], base_url: str) -> RenderedRequest:
        """Add the key as `x-api-key`."""
        url = join_url(base_url, request.url)
        return with_headers(request, url, {"x-api-key": secrets["api_key"], "accept": "application/json"})

    def classify(self, operation: str, answer: Answer) -> Verdict:
        """Say what Apollo's answer means; see the module's quirks."""
        status = answer.status
        if 200 <= status < 300:
            return self._classify_success(answer)
        body = error_body(answer)
        text = " ".join(str(body.get(name, "")) for name in ("error", "error_message", "message")).lower()
        code = str(body.get("error_code") or body.get("error") or "").lower()
        wait = retry_after(answer)
        if _PENDING in code:
            return Verdict(ErrorClass.RETRYABLE, message=describe(status, "the result is on its way"), retry_after=wait)
        if any(gone in code for gone in _GONE):
            return Verdict(ErrorClass.DEADLINE, message=describe(status, "Apollo no longer knows this request"))
        if status == 403:
            return Verdict(ErrorClass.AUTH, message=describe(status, "the key or plan does not include this operation"))
        if status == 422 and "credit" in text:
            return Verdict(ErrorClass.PAYMENT, message=describe(status, "credits are used up"))
        if status == 422 and "does not exist" in text:
            return Verdict(not_found=True, message=describe(status, "Apollo has no such person"))
        if status == 429 and (number_header(answer, "x-24-hour-requests-left") == 0 or "per day" in text):
            return Verdict(ErrorClass.QUOTA, message=describe(status, "the daily limit is used up"), retry_after=wait)
        return classify_status(answer)

    def _classify_success(self, answer: Answer) -> Verdict:
        if b'"error_code"' not in answer.body[:4096]:
            return Verdict()
        code = error_body(answer).get("error_code")
        if not code:
            return Verdict()
        return Verdict(ErrorClass.CONTRACT, message=describe(answer.status, "Apollo reports an error in the body"))
