"""Callbacks that came compressed or signed: unpacked, verified, and believed only then."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import hmac
import json
import time
import zlib
from base64 import b64encode
from collections.abc import Iterator

import pytest
from pydantic import ValidationError

from enrichment_assets.store.database import connect_async
from enrichment_assets.store.inbox.callbacks import IncomingCallback, Receipt, prepare_session, store_callbacks
from enrichment_assets.store.states import replaying
from tests.harness.batches import BatchHarness, Launched, Row, async_step, people

GOOD = json.dumps({"found": True, "id": "answer-1"}).encode()
ZIPPED = gzip.compress(GOOD, mtime=0)
VARIABLE = "TEST_CALLBACK_SECRET"
SECRET = "whsec_" + b64encode(b"a-secret-for-tests").decode()


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The secret in the environment."""
    monkeypatch.setenv(VARIABLE, SECRET)
    yield SECRET


def post(batch: Launched, call: Row, body: bytes, headers: dict[str, str]) -> Receipt:
    """Commit a callback with its kept headers, as the receiver does."""

    async def store() -> Receipt:
        async with await connect_async(batch.settings.hq_database_url or "", autocommit=True) as connection:
            await prepare_session(connection, 10.0)
            token, digest = call["callback_token"], hashlib.sha256(body).digest()
            callback = IncomingCallback(token, json.dumps(headers), body, digest)
            return (await store_callbacks(connection, [callback]))[0]

    return asyncio.run(store())


def clay(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return {"x-clay-signature": "sha256=" + hmac.digest(secret.encode(), body, hashlib.sha256).hex()}


def fullenrich(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return {"x-signature-sha1": hmac.digest(secret.encode(), body, hashlib.sha1).hex()}


def standard(body: bytes, secret: bytes = b"a-secret-for-tests") -> dict[str, str]:
    stamp = str(int(time.time()))
    mac = hmac.digest(secret, f"msg_1.{stamp}.".encode() + body, hashlib.sha256)
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{b64encode(mac).decode()}",
    }


def signed_step(scheme: str = "clay") -> object:
    return async_step(
        "slow", callback={"found_if": "found", "signature": scheme}, secrets={"callback_secret": VARIABLE}
    )


def sent(harness: BatchHarness, *workflows: object) -> Launched:
    batch = harness.launch(people(1), *workflows)  # type: ignore[arg-type]
    batch.run()
    assert batch.statuses("slow") == {"IN_PROGRESS": 1}
    return batch


@pytest.mark.parametrize(("encoding", "body"), [("gzip", ZIPPED), ("deflate", zlib.compress(GOOD)), ("identity", GOOD)])
def test_a_compressed_callback_is_unpacked_before_it_is_read(harness: BatchHarness, encoding: str, body: bytes) -> None:
    batch = sent(harness, async_step("slow"))
    post(batch, batch.calls()[0], body, {"content-encoding": encoding})
    assert batch.run().finished
    assert batch.results()[0]["fields"] == {"slow": "answer-1"}
    assert bytes(batch.inbox()[0]["body"]) == body


@pytest.mark.parametrize(("encoding", "body"), [("gzip", GOOD), ("br", GOOD), ("gzip", ZIPPED[:-9])])
def test_a_body_that_is_not_what_its_encoding_says_is_a_dead_letter(
    harness: BatchHarness, encoding: str, body: bytes
) -> None:
    batch = sent(harness, async_step("slow"))
    post(batch, batch.calls()[0], body, {"content-encoding": encoding})
    batch.run()
    assert batch.state("slow")["status"] == "FAILED"
    assert batch.state("slow")["error_class"] == "contract"
    (row,) = batch.inbox()
    assert row["status"] == "dead" and row["error"]


@pytest.mark.parametrize(
    ("scheme", "sign"), [("clay", clay), ("fullenrich", fullenrich), ("standard_webhooks", standard)]
)
def test_a_signed_callback_is_applied(harness: BatchHarness, secret: str, scheme: str, sign: object) -> None:
    batch = sent(harness, signed_step(scheme))
    post(batch, batch.calls()[0], GOOD, sign(GOOD))  # type: ignore[operator]
    assert batch.run().finished
    assert batch.state("slow")["outcome"] == "found"


@pytest.mark.parametrize(
    "headers", [{}, clay(GOOD, "another"), clay(GOOD + b" "), {"x-clay-signature": "sha256="}, fullenrich(GOOD)]
)
def test_a_forged_callback_moves_nothing_and_the_true_one_still_counts(
    harness: BatchHarness, secret: str, headers: dict[str, str]
) -> None:
    batch = sent(harness, signed_step())
    (call,) = batch.calls()
    post(batch, call, GOOD, headers)
    assert not batch.run().finished
    assert batch.state("slow")["status"] == "IN_PROGRESS"
    assert [c["state"] for c in batch.calls()] == ["sent"]
    (row,) = batch.inbox()
    assert row["status"] == "dead" and row["error"].startswith("signature: ")
    assert batch.results() == []
    true = json.dumps({"found": True, "id": "true-answer"}).encode()
    post(batch, call, true, clay(true))
    assert batch.run().finished
    assert batch.results()[0]["fields"] == {"slow": "true-answer"}


@pytest.mark.parametrize("signs_plain", [True, False])
def test_a_compressed_body_may_be_signed_before_or_after(harness: BatchHarness, secret: str, signs_plain: bool) -> None:
    batch = sent(harness, signed_step())
    body = ZIPPED
    post(batch, batch.calls()[0], body, {"content-encoding": "gzip", **clay(GOOD if signs_plain else body)})
    assert batch.run().finished


def test_a_replay_of_stored_answers_never_reads_a_forged_body(harness: BatchHarness, secret: str) -> None:
    batch = sent(harness, signed_step())
    (call,) = batch.calls()
    broken = b"{"
    post(batch, call, broken, clay(broken))
    post(batch, call, GOOD, {})
    batch.run()
    assert [row["status"] for row in batch.inbox()] == ["dead", "dead"]
    (chunk,) = list(replaying.stored_answers(batch.hq, batch.batch_id, "slow"))
    batch.hq.rollback()
    assert [answer.callback for answer in chunk] == [broken]


def test_a_signature_without_a_secrets_name_is_refused() -> None:
    with pytest.raises(ValidationError, match="callback_secret"):
        async_step("slow", callback={"signature": "clay"})
