"""Gmail's API: a message is sent once, and its Message-ID is read back.

There is no idempotency key: so a call looks for its message first, by `rfc822msgid:` and, since Gmail may have changed
the Message-ID, among what was sent to the same address in the last days. What is there is answered, and not sent again:
the whole call may be repeated after a lost answer. That needs a grant that may search (`gmail.modify`); with
`gmail.send` alone nothing is sent, for nobody could find out later whether it was.

Quirks: a rate is refused with 403 (`rateLimitExceeded`, `userRateLimitExceeded`) or 429, a day's quota with 403
(`dailyLimitExceeded`), a domain's policy with 403 (`domainPolicy`). A grant that was revoked, or whose password
changed, is 400 `invalid_grant` at the token endpoint: it is not tried again.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import replace
from typing import Any

from enrichment_assets.domain.google_conversation import ConversationEnded, authorised, object_told, with_token
from enrichment_assets.domain.google_tokens import credentials_of
from enrichment_assets.domain.http_answers import classify_status, describe, error_body, object_of
from enrichment_assets.domain.jsontext import json_bytes
from enrichment_assets.domain.mail.gmail import LOOKED_BACK, ORIGINAL_ID, USER, Sent, header_of, sent_of
from enrichment_assets.domain.provider import Answer, Conversation, Provider, RenderedRequest, Secret, Verdict
from enrichment_assets.domain.statuses import ErrorClass

SCOPE = "https://www.googleapis.com/auth/gmail.modify"

_JSON = {"content-type": "application/json"}
_RATES = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded"})
_RATE_SECONDS = 60.0
_LOOKED_THROUGH = 5
"""Mails to one address in the last days whose original Message-ID is compared."""

REVOKED = "Google refuses the grant (invalid_grant): it was revoked, or the password changed; the mailbox pauses"


class Gmail(Provider):
    """Calls to Gmail's API v1."""

    name = "gmail"
    title = "Gmail"
    company = "Google"
    home = "https://gmail.googleapis.com"
    secrets = (Secret("credentials", "GMAIL_CREDENTIALS"),)
    key_word = "GMAIL"
    billing = "nothing: 6,000 units a minute and user, of which a mail takes 100"
    documentation = "https://developers.google.com/workspace/gmail/api/reference/rest"

    def authorise(self, request: RenderedRequest, secrets: Mapping[str, str], base_url: str) -> RenderedRequest:
        """Add what is a token already; a grant is exchanged for one in the conversation.

        Raises:
            ConfigurationError: The credentials are none.
        """
        return authorised(request, secrets, base_url)

    def conversation(self, request: RenderedRequest, secrets: Mapping[str, str]) -> Conversation:
        """The requests of one call, as the module's text says."""
        return _held(request, credentials_of(secrets["credentials"]))

    def classify(self, operation: str, answer: Answer) -> Verdict:
        """Say what the answer means; see the module's quirks."""
        said = error_body(answer).get("error")
        if said in ("invalid_grant", "invalid_client", "unauthorized_client"):
            text = REVOKED if said == "invalid_grant" else f"Google refuses the client ({said})"
            return Verdict(ErrorClass.AUTH, message=describe(answer.status, text))
        reasons = _reasons(said)
        if answer.status == 429 or (answer.status == 403 and reasons & _RATES):
            return Verdict(ErrorClass.RETRYABLE, message=describe(answer.status, "a rate"), retry_after=_RATE_SECONDS)
        if answer.status == 403 and "dailyLimitExceeded" in reasons:
            return Verdict(ErrorClass.QUOTA, message=describe(403, "the quota of the day"))
        if answer.status == 403:
            advice = "the grant may not do this (it needs gmail.modify), or the domain's policy forbids it"
            return Verdict(ErrorClass.AUTH, message=describe(403, advice))
        return classify_status(answer)


def _reasons(said: Any) -> set[str]:
    errors = said.get("errors") if isinstance(said, Mapping) else None
    return {str(one.get("reason")) for one in errors if isinstance(one, Mapping)} if isinstance(errors, list) else set()


def _held(request: RenderedRequest, credentials: Mapping[str, Any] | None) -> Conversation:
    """All of one call."""
    try:
        base = request.url.partition(USER)[0]
        request = yield from with_token(request, credentials, SCOPE, base, Gmail.home)
        sent = sent_of(object_of(Answer(200, {}, request.content or b"{}")))
        if request.method != "POST" or sent is None:  # a question that is one request
            return (yield request)
        return (yield from _once(request, sent))
    except ConversationEnded as ended:
        return ended.answer


def _once(request: RenderedRequest, sent: Sent) -> Conversation:
    there = yield from _found(request, sent)
    if there is not None:
        return _answer({**there, "found": True})
    told = yield from object_told((yield from _in_thread(request, sent)))
    kept = {"id": told.get("id"), "threadId": told.get("threadId"), "found": False}
    answer = yield _asked(request, f"/messages/{told.get('id')}", format="metadata", metadataHeaders="Message-ID")
    known = header_of(object_of(answer), "Message-ID") if answer.status == 200 else None
    return _answer({**kept, "message_id": known or sent.message_id})


def _in_thread(request: RenderedRequest, sent: Sent) -> Generator[RenderedRequest, Answer, RenderedRequest]:
    """The request with the thread of the mail that it answers, where that is in the mailbox and none was named."""
    body = object_of(Answer(200, {}, request.content or b"{}"))
    if sent.follows is None or body.get("threadId"):
        return request
    before = yield from _listed(request, f"rfc822msgid:{sent.follows.strip('<>')}")
    if not before:
        return request
    return replace(request, content=json_bytes({**body, "threadId": before[0].get("threadId")}))


def _found(request: RenderedRequest, sent: Sent) -> Generator[RenderedRequest, Answer, dict[str, Any] | None]:
    """The message if it is in the mailbox already, under our Message-ID or under one that Gmail gave it."""
    named = yield from _listed(request, f"rfc822msgid:{sent.message_id.strip('<>')}")
    if named:
        return {"id": named[0].get("id"), "threadId": named[0].get("threadId"), "message_id": sent.message_id}
    for one in (yield from _listed(request, f"in:sent to:{sent.recipient} {LOOKED_BACK}"))[:_LOOKED_THROUGH]:
        message = yield from object_told(_asked(request, f"/messages/{one.get('id')}", format="metadata"))
        if header_of(message, ORIGINAL_ID) == sent.message_id:
            known = header_of(message, "Message-ID")
            return {"id": one.get("id"), "threadId": one.get("threadId"), "message_id": known or sent.message_id}
    return None


def _listed(request: RenderedRequest, query: str) -> Generator[RenderedRequest, Answer, list[dict[str, Any]]]:
    told = yield from object_told(_asked(request, "/messages", q=query, maxResults=str(_LOOKED_THROUGH)))
    messages = told.get("messages")
    return [one for one in messages if isinstance(one, dict)] if isinstance(messages, list) else []


def _asked(request: RenderedRequest, path: str, **query: str) -> RenderedRequest:
    base = request.url.partition(USER)[0]
    return replace(request, method="GET", url=f"{base}{USER}{path}", query=query, content=None)


def _answer(body: Mapping[str, Any]) -> Answer:
    return Answer(200, _JSON, json_bytes(body))
