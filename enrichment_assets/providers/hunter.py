"""Hunter: e-mail finder, verifier and domain search. Key in the `X-API-KEY` header.

Quirks (hunter.io/api-documentation): 403 is the rate limit and 429 the used-up quota, the reverse of everybody else.
Hunter's own client reads 429 and 402 the usual way, so the error's id decides where there is one. 202 means that a
verification is under way, 222 that the mail server at the other end failed: ask the same again later. 451 means that
the person asked not to be processed. Errors are `{"errors": [{"id", "code", "details"}]}`.
"""

from __future__ import annotations

from collections.abc import Mapping

from enrichment_assets.domain.http_answers import (
    classify_status,
    describe,
    error_body,
    retry_after,
)
from enrichment_assets.domain.provider import Answer, Provider, RenderedRequest, Secret, Verdict
from enrichment_assets.domain.request_parts import join_url, with_headers
from enrichment_assets.domain.statuses import ErrorClass

_ASK_AGAIN_SECONDS = 5.0
_REMOTE_FAILED_SECONDS = 30.0
_RATE_IDS = ("too_many_requests", "rate_limit")
_USED_UP_IDS = ("usage_limit", "usage_exceeded", "quota", "credits")
_MISS_IDS = ("not_found", "email_not_found", "no_result")


class Hunter(Provider):
    """Calls to Hunter's v2 API."""

    name = "hunter"
    title = "Hunter"
    company = "Hunter"
    home = "https://api.hunter.io"
    secrets = (Secret("api_key", "HUNTER_API_KEY"),)
    key_word = "HUNTER"
    billing = "credits: one for an address that is found, half a one for a verification, none for a miss"
    documentation = "https://hunter.io/api-documentation/v2"
    template = "find-email-via-hunter"

    def authorise(self, request: RenderedRequest, secrets: Mapping[str, str], base_url: str) -> RenderedRequest:
        """Add the key as `X-API-KEY` (never as the `api_key` query parameter)."""
        url = join_url(base_url, request.url)
        return with_headers(request, url, {"x-api-key": secrets["api_key"], "accept": "application/json"})

    def classify(self, operation: str, answer: Answer) -> Verdict:
        """Say what Hunter's answer means; see the module's quirks."""
        status, wait = answer.status, retry_after(answer)
        if status == 202:
            message = describe(status, "the verification is under way")
            return Verdict(ErrorClass.RETRYABLE, message=message, retry_after=wait or _ASK_AGAIN_SECONDS)
        if status == 222:
            message = describe(status, "the mail server of the address failed during the verification")
            return Verdict(ErrorClass.RETRYABLE, message=message, retry_after=wait or _REMOTE_FAILED_SECONDS)
        if status in (402, 403, 429):
            return _limited(answer, wait)
        if status == 404 and _error_id(answer) in _MISS_IDS:
            return Verdict(not_found=True, message=describe(status, "Hunter knows nothing"))
        if 200 <= status < 300 and _error_id(answer):
            return Verdict(ErrorClass.CONTRACT, message=describe(status, "Hunter reports an error in the body"))
        return classify_status(answer)


def _limited(answer: Answer, wait: float | None) -> Verdict:
    """A rate limit or a used-up quota: by the error's id, and where it says neither, by Hunter's statuses."""
    status, name = answer.status, _error_id(answer)
    is_rate = any(word in name for word in _RATE_IDS)
    is_used_up = any(word in name for word in _USED_UP_IDS)
    if is_rate or (status == 403 and not is_used_up):
        return Verdict(ErrorClass.RETRYABLE, message=describe(status, "rate limit"), retry_after=wait)
    if is_used_up or status == 429:
        return Verdict(ErrorClass.QUOTA, message=describe(status, "the quota is used up"), retry_after=wait)
    return classify_status(answer)


def _error_id(answer: Answer) -> str:
    if b'"errors"' not in answer.body[:4096]:
        return ""
    errors = error_body(answer).get("errors")
    if not isinstance(errors, list) or not errors or not isinstance(errors[0], dict):
        return ""
    return str(errors[0].get("id") or "error")
