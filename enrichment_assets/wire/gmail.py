"""Reading a Gmail mailbox: what is new since an id of history, and messages as bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from enrichment_assets.domain.errors import EnrichError
from enrichment_assets.domain.google_conversation import TOKEN_URL
from enrichment_assets.domain.google_tokens import credentials_of, token_request
from enrichment_assets.domain.mail.gmail import USER, raw_of
from enrichment_assets.providers.gmail import SCOPE, Gmail
from enrichment_assets.wire.failures import trusted_authorities

SECONDS = 30.0
NOT_READ = frozenset({"DRAFT", "CHAT", "TRASH"})
"""Labels of what is no mail that came or went."""


class GmailError(EnrichError):
    """Gmail could not be asked, or refuses."""

    default_code = "gmail.refused"


class HistoryExpiredError(GmailError):
    """The id of history is too old: what has changed since is not known (404)."""

    default_code = "gmail.history_expired"


@dataclass(frozen=True, slots=True)
class Added:
    """A message that is new, and the id of history with which it came."""

    message_id: str
    history: str


class GmailMailbox:
    """One user's mailbox, with a token of this moment."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def newest(self) -> str:
        """The id of history of now."""
        return str(self._told("/profile")["historyId"])

    def added_since(self, history: str) -> Iterator[Added]:
        """Messages that were added since, each once, in their order. Raises `HistoryExpiredError`."""
        seen: set[str] = set()
        query = {"startHistoryId": history, "historyTypes": "messageAdded", "maxResults": "500"}
        for page in self._pages("/history", query):
            for record in page.get("history") or ():
                for one in record.get("messagesAdded") or ():
                    message = one.get("message") or {}
                    name = str(message.get("id"))
                    if name not in seen and not NOT_READ & set(message.get("labelIds") or ()):
                        seen.add(name)
                        yield Added(name, str(record.get("id")))

    def since(self, when: datetime) -> Iterator[str]:
        """Messages since a moment, the newest first: for whoever does not know what has changed."""
        query = {"q": f"after:{int(when.timestamp())} -in:draft -in:chats", "maxResults": "500"}
        for page in self._pages("/messages", query):
            yield from (str(one.get("id")) for one in page.get("messages") or ())

    def bytes_of(self, message_id: str) -> bytes | None:
        """A message as it came; None: it is gone meanwhile."""
        answer = self._asked(f"/messages/{message_id}", {"format": "raw"})
        if answer.status_code == 404:
            return None
        return raw_of(_object(answer))

    def _pages(self, path: str, query: dict[str, str]) -> Iterator[Mapping[str, Any]]:
        token: str | None = None
        while True:
            answer = self._asked(path, query if token is None else {**query, "pageToken": token})
            if answer.status_code == 404:
                raise HistoryExpiredError("Gmail does not know any more what has changed since")
            page = _object(answer)
            yield page
            token = page.get("nextPageToken")
            if not token:
                return

    def _told(self, path: str) -> Mapping[str, Any]:
        return _object(self._asked(path, {}))

    def _asked(self, path: str, query: Mapping[str, str]) -> httpx.Response:
        try:
            return self._http.get(f"{USER}{path}", params=query)
        except httpx.HTTPError as error:
            raise GmailError(f"Gmail could not be asked ({type(error).__name__})", code="gmail.unreachable") from None


@contextmanager
def open_gmail(secret: str, sandbox_url: str | None) -> Iterator[GmailMailbox]:
    """A mailbox by what its variable holds; at the simulator where one is in use.

    Raises:
        ConfigurationError: It is no credentials of Google's.
        GmailError: The grant was revoked, or Google could not be asked.
    """
    base = Gmail.home if sandbox_url is None else f"{sandbox_url}/gmail"
    endpoint = TOKEN_URL if sandbox_url is None else f"{base}/token"
    # httpx itself: nothing is bought here, no redirect is followed, and no proxy of the environment used.
    with httpx.Client(base_url=base, verify=trusted_authorities(), trust_env=False, timeout=SECONDS) as http:
        http.headers["authorization"] = f"Bearer {_token(http, secret, endpoint)}"
        yield GmailMailbox(http)


def _token(http: httpx.Client, secret: str, endpoint: str) -> str:
    credentials = credentials_of(secret)
    if credentials is None:
        return secret
    asked = token_request(credentials, SCOPE, endpoint, datetime.now(UTC))
    try:
        answer = http.post(asked.url, content=asked.content, headers=dict(asked.headers))
    except httpx.HTTPError as error:
        raise GmailError(
            f"Google's token endpoint could not be asked ({type(error).__name__})", code="gmail.token_unreachable"
        ) from None
    return str(_object(answer).get("access_token") or "")


def _object(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        told = answer.json()
    except ValueError:
        told = None
    if answer.status_code != 200 or not isinstance(told, dict):
        said = told.get("error") if isinstance(told, dict) else None
        if said == "invalid_grant":
            raise GmailError(
                "Google refuses the grant: it was revoked, or the password changed", code="gmail.grant_revoked"
            )
        raise GmailError(f"Gmail answered {answer.status_code}")
    return told
