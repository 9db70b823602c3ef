"""What errors of language models mean, in the shapes of OpenAI and of those who speak like it.

    {"error": {"message", "type", "param", "code"}}               OpenAI; `code` is a number at OpenRouter and vLLM
    {"error": {..., "code": "400"}}                               LiteLLM
    [{"error": {"code": 400, "message", "status": "INVALID_..."}}]   Gemini: a list
    {"object": "error", "message", "type", "code": 400}           older vLLM: flat
    {"type": "error", "error": {"type", "message", "details"}}    Anthropic

A request that is refused is the workflow's fault or the account's, hardly ever the row's: 400 is FAILED(contract) here,
not SKIPPED. What the row is to blame for (inputs that are too long, a content filter) is told apart by its code.
Sources: the vendors' pages on errors and their clients; docs.litellm.ai; openrouter.ai/docs/api-reference/errors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from enrichment_assets.domain.http_answers import classify_status, describe, retry_after
from enrichment_assets.domain.jsontext import parse_json
from enrichment_assets.domain.prompts.completions import object_in, objects
from enrichment_assets.domain.provider import Answer, Verdict
from enrichment_assets.domain.statuses import ErrorClass

REFUSED = "refused"
"""The reason of a `not_found` that a model or its filter gave by declining."""

_SPENT = frozenset({
    "insufficient_quota", "budget_exceeded", "billing_hard_limit_reached", "insufficient_credits",
    "credit_balance_too_low", "billing_not_active",
})  # fmt: skip
_SPENT_ENDING = "_spend_limit_reached"
_SPENT_WORDS = (
    "budget has been exceeded", "exceededbudget", "exceeded budget", "usage limits", "spend limit",
    "credit balance is too low", "exceeded your current quota", "requires more credits",
)  # fmt: skip
"""What the message says where no code does: Anthropic's own limit is a plain 400, LiteLLM's model budget a 429."""

_TOO_LONG = ("context_length_exceeded", "string_above_max_length")
_TOO_LONG_WORDS = ("prompt is too long", "maximum context length", "context window", "too many tokens")
_FILTERS = ("content_filter", "content_policy_violation", "moderation_blocked")
_MOST = 64 * 1024


@dataclass(frozen=True, slots=True)
class Reported:
    """An error as a body reports it; every word in lower case, empty where it is not said."""

    code: str = ""
    kind: str = ""
    message: str = ""
    detail: str = ""
    param: str = ""
    is_moderation: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        """What names the error."""
        return tuple(word for word in (self.code, self.kind, self.detail) if word)

    @property
    def is_spent(self) -> bool:
        """The account, the key or a budget has no money left: waiting does not help."""
        named = any(word in _SPENT or word.endswith(_SPENT_ENDING) for word in self.words)
        return named or any(words in self.message for words in _SPENT_WORDS)

    @property
    def status(self) -> int | None:
        """The status that a code or `status` inside the body stands for; None: it is a word."""
        return int(self.code) if self.code.isdecimal() and 400 <= int(self.code) < 600 else None


def reported(answer: Answer) -> Reported | None:
    """The error that a body reports, in whatever shape; None: it reports none."""
    if len(answer.body) > _MOST and answer.status >= 400:
        return None
    try:
        body = parse_json(answer.body)
    except ValueError:
        return None
    return reported_in(body)


def reported_in(body: Any) -> Reported | None:
    """The same of a body that is parsed already, or of a part of one (`choices[0]`)."""
    if isinstance(body, list):
        body = next(objects(body), {})
    body = object_in(body)
    error = body.get("error")
    if isinstance(error, str) and error:
        return Reported(message=error.lower())
    if not isinstance(error, Mapping):
        if body.get("object") != "error":
            return None
        error = body
    details, metadata = object_in(error.get("details")), object_in(error.get("metadata"))
    return Reported(
        code=_word(error.get("code")),
        kind=_word(error.get("type")) or _word(error.get("status")),
        message=_word(error.get("message"))[:1_000],
        detail=_word(details.get("error_code")),
        param=_word(error.get("param")),
        is_moderation=isinstance(metadata.get("reasons"), list),
    )


def failure_of_response(body: Any) -> Reported | None:
    """The failure that a response reports in its `error` or its `status`, parsed already; None: it reports none."""
    error = reported_in(body)
    status = object_in(body).get("status")
    return Reported(code=str(status)) if error is None and status in ("failed", "cancelled") else error


def classify_reply(answer: Answer, failure_in: Callable[[Any], Reported | None]) -> Verdict:
    """What an answer means: an error status, or HTTP 200 in whose parsed body `failure_in` finds a failure or none."""
    if not 200 <= answer.status < 300:
        return refusal_of(answer)
    try:
        body = parse_json(answer.body)
    except ValueError:
        return classify_status(answer)
    error = failure_in(body)
    return classify_status(answer) if error is None else failure_inside(error, answer.status)


def refusal_of(answer: Answer) -> Verdict:
    """What an answer with an error status means."""
    error = reported(answer) or Reported()
    usual = classify_status(answer)
    status = answer.status
    if error.is_spent or (status == 429 and "internal_server_error" in error.words):
        return _spent(status, usual)
    if error.is_moderation or any(word in _FILTERS for word in error.words):
        return Verdict(not_found=True, message=REFUSED)
    if status in (400, 404, 409, 413, 422):
        return _of_request(status, error, usual)
    wanted = answer.headers.get("x-should-retry", "").lower()
    if wanted == "true" and usual.error is not ErrorClass.RETRYABLE:
        return Verdict(ErrorClass.RETRYABLE, message=describe(status, _named(error)), retry_after=retry_after(answer))
    if wanted == "false" and usual.error is ErrorClass.RETRYABLE:
        return Verdict(ErrorClass.CONTRACT, message=describe(status, f"{_named(error)}; it is not to be tried again"))
    return usual


def failure_inside(error: Reported, status: int = 200) -> Verdict:
    """What an error means that stands inside an answer with HTTP 200: the model's host failed half-way, mostly."""
    inside = error.status
    message = f"HTTP {status} with a failure inside: {_named(error)}"
    if error.is_spent or inside == 402:
        return Verdict(ErrorClass.PAYMENT if inside == 402 else ErrorClass.QUOTA, message=message)
    if error.is_moderation or any(word in _FILTERS for word in error.words):
        return Verdict(not_found=True, message=REFUSED)
    if inside == 401:
        return Verdict(ErrorClass.AUTH, message=message)
    is_passing = inside is not None and (inside >= 500 or inside in (408, 429))
    is_passing = is_passing or any(word in _PASSING for word in error.words)
    return Verdict(ErrorClass.RETRYABLE if is_passing else ErrorClass.CONTRACT, message=message)


_PASSING = frozenset({
    "server_error", "internal_error", "internal_server_error", "rate_limit_exceeded", "overloaded_error", "timeout",
    "vector_store_timeout", "unavailable", "error", "api_error", "rate_limit_error", "timeout_error",
})  # fmt: skip
"""Codes of failures that pass by themselves."""


def _spent(status: int, usual: Verdict) -> Verdict:
    if usual.error is ErrorClass.PAYMENT:
        return usual
    message = describe(status, "the account's budget or quota is spent")
    return Verdict(ErrorClass.QUOTA, message=message, retry_after=usual.retry_after)


def _of_request(status: int, error: Reported, usual: Verdict) -> Verdict:
    """A request that was refused: too long for the model, or wrong for every row."""
    if status == 409:
        return replace(usual, error=ErrorClass.RETRYABLE)
    is_long = status == 413 or any(word in _TOO_LONG for word in error.words)
    if is_long or any(words in error.message for words in _TOO_LONG_WORDS):
        advice = "the inputs are longer than the model takes: lower `prompt.max_input_tokens`"
        return Verdict(ErrorClass.INVALID_INPUT, message=describe(status, advice))
    what = f"the request is refused: {_named(error)}" if error.words or error.message else usual.message
    return Verdict(ErrorClass.CONTRACT, message=what if what.startswith("HTTP") else describe(status, what))


def _named(error: Reported) -> str:
    """The error by its codes and parameter, without its message: that may quote the inputs."""
    words = ", ".join(dict.fromkeys(word[:80] for word in error.words)) or "no code"
    return f"{words} ({error.param[:80]})" if error.param and error.param != "none" else words


def _word(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    text = str(value).strip().lower()
    return "" if text == "none" else text
