"""Commit, then acknowledge; once per call and bytes; nobody but the token says whose it is."""

from __future__ import annotations

import asyncio
import hashlib
import json
from typing import Any

import aiohttp
import httpx
import psycopg
import pytest
from call_fixture import inbox, insert_calls

from enrichment_assets.receiver.process import ReceiverProcess
from enrichment_assets.settings import Settings

Hq = psycopg.Connection[dict[str, Any]]


def test_202_means_that_another_connection_sees_the_bytes(http: httpx.Client, hq: Hq) -> None:
    inserted = insert_calls(hq)
    body = b'{"email": "a@example.com"}'
    answer = http.post(f"/callbacks/{inserted.tokens[0]}", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()) == (202, {"status": "accepted"})
    (row,) = inbox(hq)
    assert row["body"] == body
    assert row["body_sha256"] == hashlib.sha256(body).digest()
    assert row["content_type"] == "application/json"
    assert row["status"] == "new"
    assert (row["client_id"], row["batch_id"], row["call_id"]) == (
        inserted.client_id,
        inserted.batch_id,
        inserted.call_ids[0],
    )


def test_the_same_bytes_for_the_same_call_are_answered_200_and_stored_once(http: httpx.Client, hq: Hq) -> None:
    inserted = insert_calls(hq)
    codes = [http.post(f"/callbacks/{inserted.tokens[0]}", content=b"same").status_code for _ in range(3)]
    assert codes == [202, 200, 200]
    assert [row["body"] for row in inbox(hq)] == [b"same"]


def test_other_bytes_for_the_same_call_and_the_same_bytes_for_another_call_are_both_stored(
    http: httpx.Client, hq: Hq
) -> None:
    inserted = insert_calls(hq, calls=2)
    sent = [(0, b"one"), (0, b"two"), (1, b"one")]
    assert [http.post(f"/callbacks/{inserted.tokens[n]}", content=body).status_code for n, body in sent] == [202] * 3
    assert [(row["call_id"], row["body"]) for row in inbox(hq)] == [(inserted.call_ids[n], body) for n, body in sent]


async def test_duplicates_that_arrive_at_once_are_stored_once(receiver: ReceiverProcess, hq: Hq) -> None:
    inserted = insert_calls(hq, calls=5)

    async def post(session: aiohttp.ClientSession, token: str) -> tuple[str, int]:
        async with session.post(f"{receiver.url}/callbacks/{token}", data=b"twin") as answer:
            return token, answer.status

    async with aiohttp.ClientSession() as session:
        answers = await asyncio.gather(*(post(session, token) for token in inserted.tokens * 20))
    for token in inserted.tokens:
        codes = sorted(code for answered, code in answers if answered == token)
        assert codes == [200] * 19 + [202]
    assert sorted(row["call_id"] for row in inbox(hq)) == sorted(inserted.call_ids)


def test_an_unknown_an_expired_and_a_malformed_token_get_the_same_404_and_store_nothing(
    http: httpx.Client, hq: Hq
) -> None:
    expired = insert_calls(hq, expires="-1 second").tokens[0]
    tokens = ["A" * 32, expired, "short", "a" * 500, "%27or%201=1", "A" * 32 + "/more", "caf%C3%A9" * 5]
    answers = [http.post(f"/callbacks/{token}", content=b"{}") for token in tokens]
    assert {(a.status_code, a.content) for a in answers} == {(404, b'{"status":"unknown or expired"}')}
    assert inbox(hq) == []


def test_the_token_outranks_what_the_payload_claims(http: httpx.Client, hq: Hq) -> None:
    ours, theirs = insert_calls(hq, "acme"), insert_calls(hq, "globex")
    claim = {"client_id": theirs.client_id, "batch_id": theirs.batch_id, "call_id": theirs.call_ids[0]}
    body = json.dumps({**claim, "client": "globex", "token": theirs.tokens[0]}).encode()
    headers = {"x-client-id": str(theirs.client_id)}
    path = f"/callbacks/{ours.tokens[0]}?token={theirs.tokens[0]}"
    assert http.post(path, content=body, headers=headers).status_code == 202
    (row,) = inbox(hq)
    assert (row["client_id"], row["batch_id"], row["call_id"]) == (ours.client_id, ours.batch_id, ours.call_ids[0])


def test_signature_headers_are_kept_and_credentials_are_not(http: httpx.Client, hq: Hq) -> None:
    inserted = insert_calls(hq)
    kept = {
        "content-type": "text/plain; charset=latin-1",
        "webhook-id": "msg_1",
        "webhook-signature": "v1,abc=",
        "x-clay-signature": "sha256=00",
        "x-signature-sha1": "00",
        "user-agent": "clay/1",
    }
    secret = {"authorization": "Bearer hush", "cookie": "a=hush", "x-api-key": "hush", "proxy-authorization": "hush"}
    http.post(f"/callbacks/{inserted.tokens[0]}", content=b"x", headers={**kept, **secret, "x-signature": "v" * 5000})
    (row,) = inbox(hq)
    assert row["headers"] == {**kept, "x-signature": "v" * 1024}
    assert row["content_type"] == kept["content-type"]
    assert "hush" not in str(row)


def test_a_verification_ping_is_answered_and_stores_nothing(http: httpx.Client, hq: Hq) -> None:
    inserted = insert_calls(hq)
    for token in (inserted.tokens[0], "A" * 32):  # the same for both: a ping is no way to try tokens
        got = http.get(f"/callbacks/{token}")
        assert (got.status_code, got.json()) == (200, {"status": "listening"})
        head = http.head(f"/callbacks/{token}")
        assert (head.status_code, head.content) == (200, b"")
    put = http.put(f"/callbacks/{inserted.tokens[0]}", content=b"x")
    assert (put.status_code, put.headers["allow"]) == (405, "POST, GET, HEAD")
    assert inbox(hq) == []


def test_health_and_readiness_answer(http: httpx.Client) -> None:
    assert http.get("/health").json() == {"status": "up"}
    assert http.get("/ready").json() == {"status": "ready"}
    assert http.get("/elsewhere").status_code == 404


def test_a_receiver_whose_database_is_away_is_healthy_not_ready_and_accepts_nothing(settings: Settings) -> None:
    away = Settings(home=settings.home, hq_database_url="postgresql://nobody@127.0.0.1:9/none")
    with ReceiverProcess(away, wait_for_database=False) as receiver:
        assert httpx.get(f"{receiver.url}/health").status_code == 200
        assert httpx.get(f"{receiver.url}/ready", timeout=20).status_code == 503
        refused = httpx.post(f"{receiver.url}/callbacks/{'A' * 32}", content=b"x", timeout=20)
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) > 0


@pytest.mark.parametrize("name", ["MAX_BODY_BYTES", "BODY_SECONDS"])
def test_a_limit_that_is_no_number_stops_the_start_with_one_sentence(
    settings: Settings, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    with pytest.raises(Exception, match="did not start"):
        ReceiverProcess(settings, environment={f"ENRICH_RECEIVER_{name}": "many"}).__enter__()
    said = capfd.readouterr().err
    assert said.count("\n") == 1
    assert f"ENRICH_RECEIVER_{name}='many'" in said


def test_neither_token_nor_body_shows_in_what_the_process_prints(
    settings: Settings, hq: Hq, capfd: pytest.CaptureFixture[str]
) -> None:
    inserted = insert_calls(hq)
    with ReceiverProcess(settings) as receiver:
        httpx.post(f"{receiver.url}/callbacks/{inserted.tokens[0]}", content=b"private-words")
        hq.execute("alter table callback_inbox rename to gone")
        hq.commit()
        failed = httpx.post(f"{receiver.url}/callbacks/{inserted.tokens[0]}", content=b"private-words-again")
        assert failed.status_code == 503
        hq.execute("alter table gone rename to callback_inbox")
        hq.commit()
    printed = "".join(capfd.readouterr())
    assert "callbacks not stored: UndefinedTable" in printed
    assert inserted.tokens[0] not in printed
    assert "private-words" not in printed
