"""Handing one message to Gmail's API, and saying what became of it as a server for submission says it.

Whoever sends mail knows replies of SMTP (`wire.smtp`): what Gmail answers is told in their words. A call that is asked
again begins by looking for its message, so that a lost answer is only another attempt: nothing is of unknown fate.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import httpx

from enrichment_assets.domain.http_answers import error_body, object_of
from enrichment_assets.domain.jsontext import json_bytes
from enrichment_assets.domain.mail.gmail import send_request
from enrichment_assets.domain.provider import Answer, RenderedRequest
from enrichment_assets.domain.statuses import ErrorClass
from enrichment_assets.providers.gmail import Gmail
from enrichment_assets.wire.conversations import converse
from enrichment_assets.wire.transport import FateUnknown

LOOKED_FOR_AGAIN = 60
"""Seconds until a message is looked for whose answer was lost: a search may lag."""

A_DAY = 86_400


@dataclass(frozen=True, slots=True)
class GmailRequest(RenderedRequest):
    """A message for a mailbox of Google's. It holds a grant: it is in no log or table."""

    credentials: str = field(default="", repr=False, compare=False)


async def submit_by_gmail(
    client: httpx.AsyncClient,
    request: GmailRequest,
    timeout: float,  # noqa: ASYNC109
    *,
    simulator: str | None,
    turn: Callable[[], Awaitable[None]] | None = None,
    may_leave: Callable[[], None] | None = None,
) -> Answer:
    """Send the message once; see `wire.conversations.converse`, whose errors it raises.

    Args:
        client: From `build_client`.
        request: The message.
        timeout: Seconds for all of it.
        simulator: Where the simulator is, for a batch that is for it; None: Google.
        turn: Awaited before the first request leaves.
        may_leave: Asked before each.
    """
    provider = Gmail(Gmail.home if simulator is None else f"{simulator}/gmail")
    secrets = {"credentials": request.credentials}
    asked = provider.authorise(send_request(request.content or b""), secrets, provider.base_url)
    try:
        answer = await converse(client, provider.conversation(asked, secrets), timeout, turn=turn, may_leave=may_leave)
    except FateUnknown as lost:
        return _reply(451, "connect", f"no answer from Gmail ({lost}): it is looked for in {LOOKED_FOR_AGAIN} s")
    return _as_submission(provider, answer)


def _as_submission(provider: Gmail, answer: Answer) -> Answer:
    """The answer in the words of a server for submission: what it means for the mail, and for its mailbox."""
    verdict = provider.classify("send", answer)
    if verdict.error is None:
        told = object_of(answer)
        kept = {"message_id": str(told.get("message_id") or "").strip("<>"), "id": told.get("id")}
        more = {name: told[name] for name in ("threadId", "found") if name in told}
        return Answer(250, _JSON, json_bytes({"command": "message", "message": "kept", **kept, **more}))
    why = verdict.message or f"HTTP {answer.status}"
    if verdict.error is ErrorClass.AUTH or error_body(answer).get("error") == "invalid_grant":
        return _reply(535, "AUTH", why)
    if verdict.error is ErrorClass.QUOTA:
        return _reply(452, "MAIL", f"{why}: in {A_DAY - 1} s")
    if verdict.error is ErrorClass.RETRYABLE:
        return _reply(451, "MAIL", f"{why}: in {int(verdict.retry_after or LOOKED_FOR_AGAIN)} s")
    return _reply(554, "message", why)


_JSON = {"content-type": "application/json"}


def _reply(code: int, command: str, message: str) -> Answer:
    return Answer(code, _JSON, json_bytes({"command": command, "message": message}))
