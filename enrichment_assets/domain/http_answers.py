"""What HTTP statuses mean when a provider has no quirk about them, and the small readers that all providers share.

Quirks do not belong here: each is in its provider's file, which asks this module for the rest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import Any

from enrichment_assets.domain.jsontext import parse_json
from enrichment_assets.domain.provider import Answer, Verdict
from enrichment_assets.domain.statuses import ErrorClass

MAX_RETRY_AFTER = 86_400.0
"""Seconds; a provider that asks for more is asked again after a day."""

RETRY_AFTER: Mapping[str, float] = {"retry-after-ms": 0.001, "retry-after": 1.0, "llm_provider-retry-after": 1.0}
"""Headers that say when to come back, the most exact first, and what one of their units is in seconds.

`retry-after-ms` is OpenAI's (its client prefers it); a LiteLLM gateway passes its provider's headers on with
`llm_provider-` before their names (docs.litellm.ai) and sets no `retry-after` of its own.
"""

_PEEK = 64 * 1024
"""An error body larger than this is not read for its message."""

_CLASSES: Mapping[int, ErrorClass] = {
    400: ErrorClass.INVALID_INPUT,
    401: ErrorClass.AUTH,
    402: ErrorClass.PAYMENT,
    403: ErrorClass.AUTH,
    408: ErrorClass.RETRYABLE,
    413: ErrorClass.INVALID_INPUT,
    422: ErrorClass.INVALID_INPUT,
    425: ErrorClass.RETRYABLE,
    429: ErrorClass.RETRYABLE,
}
_ADVICE: Mapping[int, str] = {
    401: "the key was refused: check the environment variable that the workflow names",
    402: "the account has to be paid or topped up",
    403: "the key may not do this: check its rights and the plan",
    404: "the address does not exist: check `base_url` and `request.url`",
    413: "the request is too large",
    429: "too many requests",
}


def classify_status(answer: Answer) -> Verdict:
    """The common meaning of a status; a 404 is a wrong address, a 3xx a redirect that is never followed."""
    status = answer.status
    if 200 <= status < 300:
        return Verdict()
    if status == 451:
        return Verdict(suppress=True, message="HTTP 451: this person may not be processed")
    error = _CLASSES.get(status)
    if error is None:
        error = ErrorClass.RETRYABLE if status >= 500 else ErrorClass.CONTRACT
    advice = "redirects are not followed: name the final address" if 300 <= status < 400 else _ADVICE.get(status, "")
    return Verdict(error=error, message=describe(status, advice), retry_after=retry_after(answer))


def describe(status: int, text: str = "") -> str:
    """`HTTP 402: cause`, for people; never a body, a URL or a key."""
    return f"HTTP {status}: {text}" if text else f"HTTP {status}"


def retry_after(answer: Answer, *, now: datetime | None = None) -> float | None:
    """Seconds from a header of `RETRY_AFTER`, as a number or a date, or from `retry_after_seconds` of an error body."""
    for name, unit in RETRY_AFTER.items():
        header = answer.headers.get(name)
        if header is None:
            continue
        number = _seconds(header)
        seconds = _seconds_until(header, now or datetime.now(UTC)) if number is None else number * unit
        if seconds is not None:
            return _bounded(seconds)
    return _wait_in_body(answer) if answer.status >= 400 else None


def asked_pace(answer: Answer) -> float | None:
    """Seconds after which an acknowledgement, or the answer to a poll, says to ask for the result; of any status."""
    wait = retry_after(answer)
    return _wait_in_body(answer) if wait is None else wait


def _wait_in_body(answer: Answer) -> float | None:
    if b"retry_after_seconds" not in answer.body[:_PEEK]:
        return None
    return wait_of(error_body(answer).get("retry_after_seconds"))


def is_web_page(answer: Answer) -> bool:
    """Whether the body is HTML: no API's answer, but a server's, a gateway's or a login page."""
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind in ("text/html", "application/xhtml+xml") or answer.body[:256].lstrip()[:1] == b"<"


def error_body(answer: Answer) -> Mapping[str, Any]:
    """The JSON object in an answer's body, or an empty mapping for anything else."""
    if len(answer.body) > _PEEK:
        return {}
    try:
        body = parse_json(answer.body)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def target_verdict(status: int | None, cost: Decimal | None = None) -> Verdict:
    """What it means that a page's own server answered with a status, where that was passed on inside an HTTP 200.

    A page that is gone, or that shows nobody what it has, is a miss; a server that is down may be back.
    """
    if status is None or status < 400:
        return Verdict(cost_units=cost)
    if status in (408, 425, 429) or status >= 500:
        return Verdict(ErrorClass.RETRYABLE, message=f"the page's server answered HTTP {status}", cost_units=cost)
    return Verdict(not_found=True, message=f"the page's server answered HTTP {status}", cost_units=cost)


def object_of(answer: Answer) -> Mapping[str, Any]:
    """The JSON object that an answer is, of any length, or an empty mapping for anything else."""
    try:
        body = answer.document[0] if answer.document else parse_json(answer.body)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def number_header(answer: Answer, name: str) -> Decimal | None:
    """A header as a finite, not negative decimal, else None."""
    try:
        value = Decimal(answer.headers.get(name, "").strip())
    except InvalidOperation:
        return None
    return value if value.is_finite() and value >= 0 else None


def wait_of(value: Any) -> float | None:
    """A wait that a body names, as a bounded number of seconds; None: it names none."""
    number = None if isinstance(value, bool) else _seconds(value)
    return None if number is None else _bounded(number)


def _bounded(seconds: float) -> float:
    return min(max(seconds, 0.0), MAX_RETRY_AFTER)


def _seconds(value: Any) -> float | None:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        return None
    return seconds if math.isfinite(seconds) else None


def _seconds_until(header: str, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now).total_seconds()
