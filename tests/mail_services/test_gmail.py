"""Gmail by its own client, and by ours: a mail is in the mailbox once, however often its call is made."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import httpx
import pytest
from google.auth.exceptions import RefreshError
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

from enrichment_assets.domain.jsontext import parse_json
from enrichment_assets.domain.mail.gmail import send_request, sent_of
from enrichment_assets.domain.provider import Answer
from enrichment_assets.domain.statuses import ErrorClass
from enrichment_assets.providers.gmail import Gmail
from enrichment_assets.sandbox import SandboxProcess
from enrichment_assets.wire.conversations import converse
from enrichment_assets.wire.transport import build_client

ME = "ann@acme.example"
GMAIL = Gmail("https://gmail.googleapis.com")


def mail(
    number: int, *, to: str = "bob@example.com", subject: str = "Your greens", follows: int | None = None
) -> bytes:
    related = (
        ""
        if follows is None
        else f"In-Reply-To: <m{follows}@acme.example>\r\nReferences: <m{follows}@acme.example>\r\n"
    )
    return (
        f"Message-ID: <m{number}@acme.example>\r\nFrom: Ann <{ME}>\r\nTo: {to}\r\nSubject: {subject}\r\n{related}"
        f"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello {number}\r\n"
    ).encode()


def raw(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode()


def client(sandbox: SandboxProcess, refresh_token: str) -> Any:
    grant = Credentials(
        None, refresh_token=refresh_token, token_uri=f"{sandbox.url}/gmail/token", client_id="i", client_secret="s"
    )
    options = {"api_endpoint": f"{sandbox.url}/gmail"}
    return build("gmail", "v1", credentials=grant, client_options=options, static_discovery=True).users()


def grant(refresh_token: str) -> str:
    told = {"type": "authorized_user", "client_id": "i", "client_secret": "s", "refresh_token": refresh_token}
    return json.dumps(told)


def call(sandbox: SandboxProcess, refresh_token: str, content: bytes, **more: Any) -> Answer:
    provider, secrets = Gmail(f"{sandbox.url}/gmail"), {"credentials": grant(refresh_token)}
    request = provider.authorise(send_request(content, **more), secrets, provider.base_url)

    async def held() -> Answer:
        async with build_client() as http:
            return await converse(http, provider.conversation(request, secrets), 30)

    return asyncio.run(held())


def said(answer: Answer) -> dict[str, Any]:
    assert answer.status == 200, answer.body
    told: dict[str, Any] = parse_json(answer.body)
    return told


def happen(sandbox: SandboxProcess, **told: Any) -> None:
    httpx.post(f"{sandbox.url}/_sandbox/happen/gmail", json={"mailbox": ME, **told}).raise_for_status()


def test_googles_own_client_sends_threads_searches_and_reads_history(sandbox: SandboxProcess) -> None:
    users = client(sandbox, ME)
    start = users.getProfile(userId="me").execute()
    assert start["emailAddress"] == ME and isinstance(start["historyId"], str)
    first = users.messages().send(userId="me", body={"raw": raw(mail(1))}).execute()
    again = users.messages().send(userId="me", body={"raw": raw(mail(1))}).execute()
    assert again["id"] != first["id"], "Gmail knows no idempotency"
    joined = {"raw": raw(mail(2, subject="Re: Your greens", follows=1)), "threadId": first["threadId"]}
    assert users.messages().send(userId="me", body=joined).execute()["threadId"] == first["threadId"]
    for apart in (mail(3, subject="Other", follows=1), mail(4)):  # another subject; no reference to the thread
        sent = users.messages().send(userId="me", body={"raw": raw(apart), "threadId": first["threadId"]}).execute()
        assert sent["threadId"] != first["threadId"]
    found = users.messages().list(userId="me", q="rfc822msgid:m2@acme.example").execute()
    assert [one["threadId"] for one in found["messages"]] == [first["threadId"]]
    assert "messages" not in users.messages().list(userId="me", q="rfc822msgid:gone@acme.example").execute()
    assert len(users.threads().get(userId="me", id=first["threadId"]).execute()["messages"]) == 2

    happen(sandbox, raw=base64.b64encode(mail(9, to=ME, subject="Re: Your greens", follows=1)).decode())
    told = users.history().list(userId="me", startHistoryId=start["historyId"]).execute()
    added = [one["messagesAdded"][0]["message"] for one in told["history"]]
    assert (
        len(added) == 6 and added[-1]["labelIds"] == ["INBOX", "UNREAD"] and added[-1]["threadId"] == first["threadId"]
    )
    read = users.messages().get(userId="me", id=added[-1]["id"], format="raw").execute()
    assert base64.urlsafe_b64decode(read["raw"]).endswith(b"Hello 9\r\n") and isinstance(read["internalDate"], str)
    happen(sandbox, expire=True)
    with pytest.raises(HttpError) as expired:
        users.history().list(userId="me", startHistoryId=start["historyId"]).execute()
    assert expired.value.resp.status == 404
    draft = users.drafts().create(userId="me", body={"message": {"raw": raw(mail(11))}}).execute()
    assert draft["message"]["labelIds"] == ["DRAFT"]
    assert users.drafts().send(userId="me", body={"id": draft["id"]}).execute()["id"] == draft["message"]["id"]
    watched = users.watch(userId="me", body={"topicName": "projects/p/topics/t"}).execute()
    assert watched.keys() == {"historyId", "expiration"} and watched["expiration"].isdigit()


def test_googles_own_client_is_refused_as_by_the_real_one(sandbox: SandboxProcess) -> None:
    with pytest.raises(RefreshError, match="invalid_grant"):
        client(sandbox, f"revoked+{ME}").getProfile(userId="me").execute()
    for name, ask in {
        "sendonly": lambda users: users.drafts().create(userId="me", body={"message": {"raw": raw(mail(1))}}),
        "metadata": lambda users: users.messages().list(userId="me", q="rfc822msgid:x@y.example"),
    }.items():
        with pytest.raises(HttpError) as refused:
            ask(client(sandbox, f"{name}+{ME}")).execute()
        assert refused.value.resp.status == 403
    with pytest.raises(HttpError) as empty:
        client(sandbox, ME).messages().send(userId="me", body={"raw": ""}).execute()
    assert empty.value.resp.status == 400
    bare = b"To: bob@example.com\r\nMessage-ID: none\r\n\r\nHello"
    sent = client(sandbox, ME).messages().send(userId="me", body={"raw": raw(bare)}).execute()
    kept = client(sandbox, ME).messages().get(userId="me", id=sent["id"], format="metadata").execute()
    assert kept["payload"]["headers"][0]["value"].endswith("@mail.gmail.com>"), "a Message-ID that is none is replaced"


def test_a_mail_is_sent_once_however_often_its_call_is_made(sandbox: SandboxProcess) -> None:
    first = said(call(sandbox, ME, mail(1)))
    assert (first["message_id"], first["found"]) == ("<m1@acme.example>", False)
    assert said(call(sandbox, ME, mail(1))) == {**first, "found": True}
    follow = said(call(sandbox, ME, mail(2, subject="Re: Your greens", follows=1), thread=first["threadId"]))
    assert follow["threadId"] == first["threadId"]
    listed = client(sandbox, ME).messages().list(userId="me").execute()
    assert listed["resultSizeEstimate"] == 2, "once each"

    other = "rewriting+eve@acme.example"
    changed = said(call(sandbox, other, mail(5)))
    assert changed["message_id"].endswith("@mail.gmail.com>"), "read back: replies name this one"
    assert said(call(sandbox, other, mail(5))) == {**changed, "found": True}, "found by what Gmail kept of ours"
    assert said(call(sandbox, other, mail(6)))["found"] is False, "another mail to the same address is another mail"


def test_a_grant_that_cannot_find_out_whether_a_mail_was_sent_sends_none(sandbox: SandboxProcess) -> None:
    refused = call(sandbox, f"sendonly+{ME}", mail(1))
    assert GMAIL.classify("send", refused).error is ErrorClass.AUTH
    assert "messages" not in client(sandbox, ME).messages().list(userId="me").execute()


def test_what_gmails_refusals_mean(sandbox: SandboxProcess) -> None:
    revoked = call(sandbox, f"revoked+{ME}", mail(1))
    verdict = GMAIL.classify("send", revoked)
    assert (verdict.error, revoked.status) == (ErrorClass.AUTH, 400) and "invalid_grant" in verdict.message

    def answered(status: int, reason: str) -> ErrorClass | None:
        body = {"error": {"code": status, "errors": [{"reason": reason, "domain": "usageLimits"}]}}
        return GMAIL.classify("send", Answer(status, {}, json.dumps(body).encode())).error

    # developers.google.com/workspace/gmail/api/guides/handle-errors
    assert [answered(403, reason) for reason in ("rateLimitExceeded", "userRateLimitExceeded")] == [
        ErrorClass.RETRYABLE
    ] * 2
    assert answered(429, "rateLimitExceeded") is ErrorClass.RETRYABLE
    assert answered(403, "dailyLimitExceeded") is ErrorClass.QUOTA
    assert answered(403, "domainPolicy") is ErrorClass.AUTH
    assert answered(403, "insufficientPermissions") is ErrorClass.AUTH
    assert answered(401, "authError") is ErrorClass.AUTH
    assert answered(500, "backendError") is ErrorClass.RETRYABLE
    assert answered(400, "invalidArgument") is ErrorClass.INVALID_INPUT
    for odd in (b"", b"[]", b'{"error": {"errors": 3}}', b'{"error": {"errors": [1]}}', b'{"error": "x"}'):
        assert GMAIL.classify("send", Answer(403, {}, odd)).error is ErrorClass.AUTH


def test_a_request_says_whose_message_it_is() -> None:
    found = sent_of(parse_json(send_request(mail(1), thread="t1").content or b""))
    assert found is not None and (found.message_id, found.recipient) == ("<m1@acme.example>", "bob@example.com")
    assert [sent_of(odd) for odd in ({}, {"raw": 3}, {"raw": "!"}, {"raw": raw(b"To: a@b.de\r\n\r\n")})] == [None] * 4
