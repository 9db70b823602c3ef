"""What the answers of sending services' APIs mean, where statuses alone do not say it."""

from __future__ import annotations

from collections.abc import Mapping

from enrichment_assets.domain.http_answers import classify_status, describe, error_body
from enrichment_assets.domain.provider import Answer, Verdict
from enrichment_assets.domain.statuses import ErrorClass

_OF_RESEND: Mapping[str, tuple[ErrorClass, str]] = {
    "concurrent_idempotent_requests": (ErrorClass.RETRYABLE, "the same mail is being taken"),
    "invalid_idempotent_request": (ErrorClass.INVALID_INPUT, "another mail was sent under this key"),
    "rate_limit_exceeded": (ErrorClass.RETRYABLE, "too many requests"),
    "daily_quota_exceeded": (ErrorClass.QUOTA, "the quota of the day is spent"),
    "monthly_quota_exceeded": (ErrorClass.QUOTA, "the quota of the month is spent"),
    "invalid_api_key": (ErrorClass.AUTH, "the key was refused"),
    "restricted_api_key": (ErrorClass.AUTH, "the key may only send"),
}
"""resend.com/docs/api-reference/errors: `name` of the body."""

_OF_POSTMARK: Mapping[int, tuple[ErrorClass, str]] = {
    10: (ErrorClass.AUTH, "the server token was refused"),
    300: (ErrorClass.INVALID_INPUT, "the mail is none that Postmark sends"),
    400: (ErrorClass.AUTH, "the sender is not confirmed"),
    401: (ErrorClass.AUTH, "the sender is not confirmed"),
    405: (ErrorClass.QUOTA, "there are no credits left"),
    406: (ErrorClass.INVALID_INPUT, "the address is on Postmark's list: it bounced, complained or unsubscribed"),
    412: (ErrorClass.AUTH, "the account waits for its approval: it may send to its own domain only"),
}
"""postmarkapp.com/developer/api/overview#error-codes: `ErrorCode` of a 422."""


def of_resend(answer: Answer) -> Verdict:
    """Resend: 409 and 429 each mean two things, which `name` tells apart."""
    name = str(error_body(answer).get("name") or "")
    if answer.status >= 400 and name in _OF_RESEND:
        error, text = _OF_RESEND[name]
        usual = classify_status(answer)
        return Verdict(error, message=describe(answer.status, text), retry_after=usual.retry_after)
    return classify_status(answer)


def of_postmark(answer: Answer) -> Verdict:
    """Postmark: a 422 has a code of its own, of which 406 is an address that it does not write to."""
    code = error_body(answer).get("ErrorCode")
    if answer.status == 422 and isinstance(code, int) and code in _OF_POSTMARK:
        error, text = _OF_POSTMARK[code]
        return Verdict(error, message=describe(422, text))
    return classify_status(answer)
