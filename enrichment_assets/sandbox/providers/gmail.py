"""Gmail's API v1 and its token endpoint: sending, drafts, threads, search by Message-ID, history, watch.

`POST /gmail/token` exchanges a refresh token, which is the mailbox's address here, with words before it: `sendonly+`,
`metadata+` (scopes), `rewriting+` (every Message-ID is changed), `revoked+`. Traps as the real one has them:

- There is no idempotency: the same message sent twice is there twice.
- A Message-ID that is none is replaced by one of Gmail's own, which the answer to `send` does not tell.
- A message joins a thread only with `threadId`, `References` or `In-Reply-To` of it, and the same subject; else it is
  the first of one of its own, with a 200.
- An id of history lives a week, at times hours: then 404, and everything has to be looked at anew.
- `historyId`, `internalDate` and `expiration` are texts. A list without members lacks its key.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar

from enrichment_assets.sandbox.exchange import Call, Charge, Question, Refusal, Reply, json_reply
from enrichment_assets.sandbox.gmail_messages import Stored, parsed, same_subject, shown
from enrichment_assets.sandbox.population import Population
from enrichment_assets.sandbox.providers.base import SimulatedProvider, bearer
from enrichment_assets.sandbox.seeded_random import hex_id

_PREFIX = "ya29."
_USER = r"/gmail/v1/users/[^/]+"
_WEEK_MS = 7 * 86_400_000


@dataclass(slots=True)
class Mailbox:
    """One user's mailbox. Numbers of history rise, and skip."""

    address: str
    messages: dict[str, Stored] = field(default_factory=dict)
    drafts: dict[str, Stored] = field(default_factory=dict)
    history: int = 1000
    oldest: int = 0
    revoked: bool = False
    clock: int = 1_764_400_000_000

    def add(self, seed: int, raw: bytes, thread: str | None, labels: tuple[str, ...], *, rewrites: bool) -> Stored:
        """Put a message into the mailbox, in the thread where it belongs."""
        message, number = parsed(raw, rewrites=rewrites), len(self.messages) + len(self.drafts)
        name = hex_id(seed, "gmail", self.address, number)[:16]
        known = [one for one in self.messages.values() if one.thread == thread]
        answers = any(one.message_id in message.references for one in known)
        joins = known and answers and same_subject(known[0].subject, message.subject)
        self.history += 7
        self.clock += 1000
        return Stored(name, thread if joins and thread else name, labels, message, self.history, self.clock, raw)


class Gmail(SimulatedProvider):
    """Everything below `/gmail`."""

    name = "gmail"
    price = Decimal(0)
    # Units of projects new since 2026-05: 6,000 a minute and user; send 100, read 20, list 5, history 2, draft 10.
    documented_limits: ClassVar[Mapping[str, str]] = {
        "send": "60/m", "read": "300/m", "list": "1200/m", "history": "3000/m", "draft": "600/m",
    }  # fmt: skip

    def __init__(self) -> None:
        self.mailboxes: dict[str, Mailbox] = {}

    def question(self, call: Call) -> Question:
        """A token, or something of the user's own mailbox."""
        if (call.method, call.path) == ("POST", "/token"):
            return Question("token", call.key, partial(self._token, call))
        for method, pattern, kind, scope, answer in _ROUTES:
            found = re.fullmatch(_USER + pattern, call.path) if method == call.method else None
            if found is not None:
                mailbox = self._mailbox(call, scope)
                about = f"{call.method} {call.path} {sorted(call.query.items())} {len(mailbox.messages)}"
                return Question(kind, about, partial(_answered, answer, mailbox, call, found))
        raise Refusal(_error(404, "Requested entity was not found.", "notFound"))

    def key(self, call: Call) -> str:
        """The access token; for a token, the refresh token."""
        return str(call.fields().get("refresh_token") or "") if call.path == "/token" else bearer(call)

    def unauthorised(self, call: Call) -> Reply:
        """401, or what the token endpoint says."""
        if call.path == "/token":
            return json_reply(400, {"error": "invalid_request", "error_description": "Missing required parameter."})
        return _error(401, "Request had invalid authentication credentials.", "authError")

    def rate_limited(self, call: Call, operation: str, retry_after: float) -> Reply:
        """The two forms in which the real one says it: by turns a 429, and a 403 with a reason."""
        if operation == "send":
            return _error(429, "User-rate limit exceeded.  Retry after 2026-11-29T13:00:00.000Z", "rateLimitExceeded")
        return _error(403, "User Rate Limit Exceeded", "userRateLimitExceeded")

    def exhausted(self, call: Call) -> Reply:
        """The quota of a day."""
        return _error(403, "Daily Limit Exceeded", "dailyLimitExceeded")

    def server_error(self, call: Call, status: int) -> Reply:
        """5xx in its error shape."""
        return _error(status, "Backend Error", "backendError")

    def happen(self, population: Population, told: Mapping[str, Any]) -> Reply:
        """A message arrives (`raw`, base64), history expires (`expire`), or the grant is revoked (`revoke`)."""
        mailbox = self._of(str(told.get("mailbox") or ""))
        if "raw" in told:
            raw = base64.b64decode(str(told["raw"]))
            found = self._thread_of(mailbox, raw)
            stored = mailbox.add(population.seed, raw, found, ("INBOX", "UNREAD"), rewrites=False)
            mailbox.messages[stored.id] = stored
        mailbox.oldest = mailbox.history if told.get("expire") else mailbox.oldest
        mailbox.revoked = bool(told.get("revoke", mailbox.revoked))
        return json_reply(200, {"messages": len(mailbox.messages), "historyId": str(mailbox.history)})

    def _thread_of(self, mailbox: Mailbox, raw: bytes) -> str | None:
        references = parsed(raw, rewrites=False).references
        return next((one.thread for one in mailbox.messages.values() if one.message_id in references), None)

    def _token(self, call: Call) -> Reply:
        if call.fields().get("grant_type") != "refresh_token":
            raise Refusal(json_reply(400, {"error": "unsupported_grant_type"}))
        if call.key.startswith("revoked+") or self._of(_address(call.key)).revoked:
            told = {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
            raise Refusal(json_reply(400, told))
        token = {"access_token": f"{_PREFIX}{call.key}", "expires_in": 3599, "token_type": "Bearer"}
        return json_reply(200, token)

    def _mailbox(self, call: Call, scope: str) -> Mailbox:
        words = call.key.removeprefix(_PREFIX).split("+")[:-1]
        only_sends = "sendonly" in words and scope != "send"
        no_search = "metadata" in words and (scope != "read" or "q" in call.query)
        if only_sends or no_search:
            raise Refusal(_error(403, "Request had insufficient authentication scopes.", "insufficientPermissions"))
        mailbox = self._of(_address(call.key))
        if mailbox.revoked:
            raise Refusal(self.unauthorised(call))
        return mailbox

    def _of(self, address: str) -> Mailbox:
        return self.mailboxes.setdefault(address, Mailbox(address))


Answer = Callable[[Mailbox, Call, re.Match[str]], Reply]


def _answered(answer: Answer, mailbox: Mailbox, call: Call, found: re.Match[str]) -> Reply:
    reply = answer(mailbox, call, found)
    reply.charges = (Charge("calls", Decimal(1)),)
    return reply


def _address(key: str) -> str:
    return key.removeprefix(_PREFIX).rpartition("+")[2]


def _taken(mailbox: Mailbox, call: Call, told: Mapping[str, Any], labels: tuple[str, ...]) -> Stored:
    try:
        text = str(told.get("raw") or "")
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raw = b""
    if not raw:
        raise Refusal(
            _error(400, "'raw' RFC822 payload message string or uploading message is required", "invalidArgument")
        )
    if not parsed(raw, rewrites=False).recipients:
        raise Refusal(_error(400, "Recipient address required", "invalidArgument"))
    rewrites = "rewriting" in call.key.split("+")[0]
    return mailbox.add(call.population.seed, raw, told.get("threadId"), labels, rewrites=rewrites)


def _send(mailbox: Mailbox, call: Call, _: re.Match[str]) -> Reply:
    stored = _taken(mailbox, call, call.json(), ("SENT",))
    mailbox.messages[stored.id] = stored
    return json_reply(200, {"id": stored.id, "threadId": stored.thread, "labelIds": ["SENT"]})


def _draft(mailbox: Mailbox, call: Call, _: re.Match[str]) -> Reply:
    told = call.json().get("message")
    stored = _taken(mailbox, call, told if isinstance(told, dict) else {}, ("DRAFT",))
    name = f"r{int(stored.id, 16)}"
    mailbox.drafts[name] = mailbox.messages[stored.id] = stored
    return json_reply(200, {"id": name, "message": {"id": stored.id, "threadId": stored.thread, "labelIds": ["DRAFT"]}})


def _send_draft(mailbox: Mailbox, call: Call, _: re.Match[str]) -> Reply:
    stored = mailbox.drafts.pop(str(call.json().get("id")), None)
    if stored is None:
        raise Refusal(_error(404, "Requested entity was not found.", "notFound"))
    mailbox.history += 7
    stored.labels, stored.history = ("SENT",), mailbox.history
    return json_reply(200, {"id": stored.id, "threadId": stored.thread, "labelIds": ["SENT"]})


def _list(mailbox: Mailbox, call: Call, _: re.Match[str]) -> Reply:
    terms = [term.partition(":")[::2] for term in call.query.get("q", "").split() if not term.startswith("-")]
    found = [one for one in mailbox.messages.values() if all(_fits(one, name, value) for name, value in terms)]
    newest = sorted(found, key=lambda one: -one.internal_date)
    start, size = int(call.query.get("pageToken") or 0), min(int(call.query.get("maxResults") or 100), 500)
    page = [{"id": one.id, "threadId": one.thread} for one in newest[start : start + size]]
    told: dict[str, Any] = {"messages": page} if page else {}
    if start + size < len(newest):
        told["nextPageToken"] = str(start + size)
    return json_reply(200, {**told, "resultSizeEstimate": len(newest)})


def _fits(one: Stored, name: str, value: str) -> bool:
    """Whether a message is what a term of a search asks for."""
    if name == "rfc822msgid":
        return one.message_id.strip("<>") == value.strip("<>")
    if name == "to":
        return value.lower() in (address.lower() for address in one.parsed.recipients)
    if name == "in":
        return value.upper() in one.labels
    return name in ("newer_than", "after")


def _get(mailbox: Mailbox, call: Call, found: re.Match[str]) -> Reply:
    stored = mailbox.messages.get(found["id"])
    if stored is None:
        raise Refusal(_error(404, "Requested entity was not found.", "notFound"))
    return json_reply(200, shown(stored, call.query.get("format", "full").lower(), call.query.get("metadataHeaders")))


def _thread(mailbox: Mailbox, call: Call, found: re.Match[str]) -> Reply:
    members = [one for one in mailbox.messages.values() if one.thread == found["id"]]
    if not members:
        raise Refusal(_error(404, "Requested entity was not found.", "notFound"))
    messages = [shown(one, call.query.get("format", "full"), None) for one in members]
    return json_reply(200, {"id": found["id"], "historyId": str(members[-1].history), "messages": messages})


def _history(mailbox: Mailbox, call: Call, _: re.Match[str]) -> Reply:
    start = int(call.query.get("startHistoryId") or 0)
    if start < mailbox.oldest or start > mailbox.history:
        raise Refusal(_error(404, "Requested entity was not found.", "notFound"))
    new = sorted((one for one in mailbox.messages.values() if one.history > start), key=lambda one: one.history)
    size = min(int(call.query.get("maxResults") or 100), 500)
    told: dict[str, Any] = {"historyId": str(mailbox.history)}
    if new:
        told["history"] = [_record(one) for one in new[:size]]
    if len(new) > size:
        told["nextPageToken"] = str(new[size - 1].history)
        told["history"].append(_record(new[size - 1]))  # the same message in two records
    return json_reply(200, told)


def _record(one: Stored) -> dict[str, Any]:
    message = {"id": one.id, "threadId": one.thread}
    added = [{"message": {**message, "labelIds": list(one.labels)}}]
    return {"id": str(one.history), "messages": [message], "messagesAdded": added}


def _profile(mailbox: Mailbox, call: Call, _: re.Match[str]) -> Reply:
    threads = len({one.thread for one in mailbox.messages.values()})
    counts = {"messagesTotal": len(mailbox.messages), "threadsTotal": threads}
    return json_reply(200, {"emailAddress": mailbox.address, **counts, "historyId": str(mailbox.history)})


def _watch(mailbox: Mailbox, call: Call, _: re.Match[str]) -> Reply:
    if not call.json().get("topicName"):
        raise Refusal(_error(400, "Invalid topicName", "invalidArgument"))
    return json_reply(200, {"historyId": str(mailbox.history), "expiration": str(mailbox.clock + _WEEK_MS)})


def _stop(mailbox: Mailbox, call: Call, _: re.Match[str]) -> Reply:
    return Reply(204, b"")


_ROUTES: tuple[tuple[str, str, str, str, Answer], ...] = (
    ("POST", "/messages/send", "send", "send", _send),
    ("POST", "/drafts", "draft", "write", _draft),
    ("POST", "/drafts/send", "send", "write", _send_draft),
    ("GET", "/messages", "list", "read", _list),
    ("GET", "/messages/(?P<id>[^/]+)", "read", "read", _get),
    ("GET", "/threads/(?P<id>[^/]+)", "read", "read", _thread),
    ("GET", "/history", "history", "read", _history),
    ("GET", "/profile", "list", "read", _profile),
    ("POST", "/watch", "list", "read", _watch),
    ("POST", "/stop", "list", "read", _stop),
)


def _error(status: int, message: str, reason: str) -> Reply:
    """An error in the shape of Google's APIs."""
    errors = [{"message": message, "domain": "global", "reason": reason}]
    return json_reply(status, {"error": {"code": status, "message": message, "errors": errors}})
