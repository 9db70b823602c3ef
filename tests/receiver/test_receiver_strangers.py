"""Whoever guesses tokens, forges signatures or sends without end gets nothing, and keeps nobody else out.

Counts by variable: `STRANGERS=20000` sends as many forged signatures, and half as many guessed tokens.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import random
import secrets
import socket
import string
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest
from call_fixture import inbox, insert_calls

from enrichment_assets.domain.signatures import SignatureScheme, is_authentic
from enrichment_assets.receiver.process import ReceiverProcess
from enrichment_assets.settings import Settings

Hq = psycopg.Connection[dict[str, Any]]

FORGED = int(os.environ.get("STRANGERS", "2000"))
GUESSED = FORGED // 2
SECRET = "whsec_" + base64.b64encode(b"a secret of this test").decode()
GIB = 1024**3
MIB = 1024**2


@contextmanager
def limited(settings: Settings, **limits: object) -> Iterator[ReceiverProcess]:
    environment = {f"ENRICH_RECEIVER_{name.upper()}": str(value) for name, value in limits.items()}
    proxies = environment.pop("ENRICH_RECEIVER_TRUSTED_PROXIES", "")
    with ReceiverProcess(settings, environment=environment | {"ENRICH_TRUSTED_PROXIES": proxies}) as receiver:
        yield receiver


def test_guessed_tokens_find_nothing_and_a_true_one_beside_them_is_taken(settings: Settings, hq: Hq) -> None:
    inserted = insert_calls(hq, calls=3)
    expired = insert_calls(hq, client="globex", expires="-1 second").tokens[0]
    chance = random.Random(16)
    answers: Counter[int] = Counter()
    with ReceiverProcess(settings) as receiver, httpx.Client(base_url=receiver.url, timeout=60) as http:
        for number in range(GUESSED):
            answer = http.post(f"/callbacks/{guess(chance, inserted.tokens[0], expired)}", content=b'{"ok": true}')
            answers[answer.status_code] += 1
            if answer.status_code == 429:
                assert 1 <= int(answer.headers["retry-after"]) <= 3600
            if number % (GUESSED // 2) == 7:  # before the limit and behind it, from the same address
                true = http.post(f"/callbacks/{inserted.tokens[number % 3]}", content=b"true %d" % number)
                assert true.status_code == 202, true.text
        assert http.get("/ready").status_code == 200
    assert answers.keys() == {404, 429}
    assert answers.total() == GUESSED
    assert [bytes(row["body"])[:4] for row in inbox(hq)] == [b"true"] * 2
    print(f"guessed tokens: {dict(answers)}")


def guess(chance: random.Random, true: str, expired: str) -> str:
    """A token as a stranger would try it: random, near a true one, over, or no token at all."""
    letters = string.ascii_letters + string.digits + "-_"
    place = chance.randrange(len(true))
    other = chance.choice(letters.replace(true[place], ""))
    return chance.choice(
        [
            "".join(chance.choices(letters, k=32)),
            "".join(chance.choices(letters, k=chance.choice([1, 15, 16, 128, 129]))),
            true[:place] + other + true[place + 1 :],
            true[:-1],
            true + other,
            true.swapcase(),
            true[:place] + "%00" + true[place:],
            f"{true}/x",
            f"x/{true}",
            f"%20{true}",
            f"{true}%0a",
            "' or '1'='1",
            "%25",
            "*" * 32,
            expired,
            "null",
        ]
    )


def test_forged_signatures_verify_nowhere_and_are_no_error(settings: Settings, hq: Hq) -> None:
    calls = max(2, FORGED // 40)
    inserted = insert_calls(hq, calls=calls)
    chance = random.Random(16)
    body = b'{"email": "ann@example.com"}'
    with limited(settings, address_burst=10**9) as receiver, httpx.Client(base_url=receiver.url, timeout=60) as http:
        answers: Counter[int] = Counter()
        for number in range(FORGED):
            said = body + b" " * (number // calls)
            token = inserted.tokens[number % calls]
            answers[http.post(f"/callbacks/{token}", content=said, headers=forged(chance, said)).status_code] += 1
        true = http.post(f"/callbacks/{inserted.tokens[0]}", content=body + b"\n", headers=signed(body + b"\n"))
        assert true.status_code == 202
    assert answers == {202: FORGED}
    rows = inbox(hq)
    verdicts = Counter(verified(row) for row in rows)
    assert verdicts == {(): FORGED, (SignatureScheme.STANDARD_WEBHOOKS,): 1}
    print(f"forged signatures: {dict(answers)}, authentic among {len(rows)} kept: 1, the true one")


def verified(row: dict[str, Any]) -> tuple[SignatureScheme, ...]:
    """The schemes by which a stored callback would be believed."""
    return tuple(
        scheme
        for scheme in SignatureScheme
        if is_authentic(scheme, SECRET, row["headers"], bytes(row["body"]), row["received_at"])
    )


def signed(body: bytes, key: bytes = b"a secret of this test", stamp: int | None = None) -> dict[str, str]:
    """Headers of Standard Webhooks."""
    sent = str(int(time.time()) if stamp is None else stamp)
    digest = hmac.digest(key, b"msg_1." + sent.encode() + b"." + body, hashlib.sha256)
    signature = "v1," + base64.b64encode(digest).decode()
    return {"webhook-id": "msg_1", "webhook-timestamp": sent, "webhook-signature": signature}


def forged(chance: random.Random, body: bytes) -> dict[str, str]:
    """Headers as somebody without the secret would send them, or with an old, shortened or another one's signature."""
    true = signed(body)
    raw = base64.b64decode(true["webhook-signature"][3:])
    place = chance.randrange(len(raw))
    flipped = raw[:place] + bytes([raw[place] ^ 1 << chance.randrange(8)]) + raw[place + 1 :]

    def standard(signature: bytes, version: str = "v1") -> dict[str, str]:
        return {**true, "webhook-signature": f"{version}," + base64.b64encode(signature).decode()}

    digest = hashlib.sha256(body).hexdigest()
    return chance.choice(
        [
            standard(flipped),
            standard(chance.randbytes(32)),
            standard(raw[: chance.randrange(32)]),
            standard(raw + b"\x00"),
            standard(raw, "v2"),
            standard(raw, "v1a"),
            signed(body + b"x"),
            signed(body, key=b""),
            signed(body, key=SECRET.encode()),  # keyed by the text of the secret, not by what it encodes
            signed(body, stamp=int(time.time()) - 3600),
            {**true, "webhook-id": "msg_2"},
            {**true, "webhook-timestamp": str(int(time.time()) + 1 + chance.randrange(200))},
            {name: value for name, value in true.items() if name != "webhook-id"},
            {**true, "webhook-signature": ""},
            {**true, "webhook-signature": " ".join(["v1,AAAA"] * 200)},
            {"x-clay-signature": "sha256=" + digest},
            {"x-clay-signature": "none=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()},
            {"x-clay-signature": "sha256="},
            {"x-signature-sha1": hashlib.sha1(body).hexdigest()},
            {"x-signature-sha1": digest},
            {},
        ]
    )


def test_a_gigabyte_is_answered_413_and_takes_no_memory(settings: Settings, hq: Hq) -> None:
    token = insert_calls(hq).tokens[0]
    chunked, nobody = "transfer-encoding: chunked", secrets.token_urlsafe(24)
    bodies = {
        "declared": (f"content-length: {GIB}", token, b"x" * MIB),
        "chunked": (chunked, token, b"100000\r\n" + b"x" * MIB + b"\r\n"),
        "chunked, to nobody": (chunked, nobody, b"1000\r\n" + b"x" * 4096 + b"\r\n"),
        "declared wrongly": ("content-length: 1073741824, 1073741824", token, b"x" * MIB),
    }
    grown: dict[str, float] = {}
    with limited(settings, guesses_burst=10**6) as receiver:
        httpx.post(f"{receiver.url}/callbacks/{token}", content=b"x" * 2000)  # everything is imported and connected
        for name, (length, to, piece) in bodies.items():
            before = resident(receiver.process.pid)
            forget_peak(receiver.process.pid)
            status, sent = send_without_end(receiver, to, length, piece)
            grown[name] = (resident(receiver.process.pid, "VmHWM") - before) / MIB
            assert status in ({400} if name == "declared wrongly" else {413}), name
            assert sent < 64 * MIB, name  # it was cut off early, not read to its end
        assert httpx.get(f"{receiver.url}/ready").status_code == 200
    assert max(grown.values()) <= 10, grown
    assert [len(row["body"]) for row in inbox(hq)] == [2000]
    print("memory grew by", {name: f"{mib:.1f} MiB" for name, mib in grown.items()})


def send_without_end(receiver: ReceiverProcess, token: str, length: str, piece: bytes) -> tuple[int, int]:
    """Send up to a gigabyte; the status that came, and the bytes that left until then."""
    parts = urlsplit(receiver.url)
    sent = 0
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=30) as connection:
        connection.sendall(f"POST /callbacks/{token} HTTP/1.1\r\nhost: x\r\n{length}\r\n\r\n".encode())
        connection.settimeout(0.01)
        said = b""
        while sent < GIB and not said:
            try:
                sent += connection.send(piece[sent % len(piece) :])
            except TimeoutError:
                pass
            except OSError:
                break
            try:
                connection.setblocking(False)
                said = connection.recv(4096)
            except (BlockingIOError, OSError):
                said = b""
            connection.settimeout(0.01)
        connection.settimeout(30)
        said = said or connection.recv(4096)
    return int(said.split(b" ")[1]), sent


def resident(pid: int, which: str = "VmRSS") -> int:
    """The memory that a process has resident now; with `VmHWM` the most since `forget_peak`. In bytes: proc(5)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{which}:"))


def forget_peak(pid: int) -> None:
    """Let `VmHWM` begin at what is resident now: proc(5), clear_refs."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def test_an_address_that_comes_too_often_is_told_when_to_come_again(settings: Settings, hq: Hq) -> None:
    token = insert_calls(hq).tokens[0]
    with limited(settings, address_burst=3, address_per_second=0.01) as receiver:
        url = f"{receiver.url}/callbacks/{token}"
        claims = [{"x-forwarded-for": f"198.51.100.{number}"} for number in range(5)]  # nobody's proxy wrote that
        told = [httpx.post(url, content=b"%d" % number, headers=claims[number]) for number in range(5)]
        assert [answer.status_code for answer in told] == [202, 202, 202, 429, 429]
        assert told[-1].json() == {"status": "too many requests"}
        assert 90 <= int(told[-1].headers["retry-after"]) <= 100
        assert httpx.get(f"{receiver.url}/health").status_code == 200
    assert len(inbox(hq)) == 3


def test_behind_a_trusted_proxy_addresses_are_told_apart(settings: Settings, hq: Hq) -> None:
    tokens = insert_calls(hq, calls=4).tokens
    limits = {"address_burst": 2, "address_per_second": 0.01, "max_buffered_bytes_per_address": 100_000}
    with limited(settings, trusted_proxies="127.0.0.0/8", **limits) as receiver:

        def post(number: int, address: str, size: int = 10) -> int:
            headers = {"x-forwarded-for": f"6.6.6.{number}, {address}"}
            url = f"{receiver.url}/callbacks/{tokens[number]}"
            return httpx.post(url, content=b"x" * size, headers=headers).status_code

        assert [post(number, "198.51.100.1") for number in range(3)] == [202, 202, 429]
        assert [post(3, "198.51.100.2"), post(2, "2001:db8::1"), post(2, "2001:db8::2"), post(2, "2001:db8::3")] == [
            202,
            202,
            200,
            429,
        ]
        assert post(0, "198.51.100.3", 100_001) == 429  # of one address no more is held at once
    assert len(inbox(hq)) == 4


def test_one_call_s_address_has_a_pace_of_its_own(settings: Settings, hq: Hq) -> None:
    tokens = insert_calls(hq, calls=2).tokens
    with limited(settings, token_burst=2, token_per_second=0.01) as receiver:
        told = [httpx.post(f"{receiver.url}/callbacks/{tokens[0]}", content=b"%d" % n).status_code for n in range(3)]
        assert told == [202, 202, 429]
        assert httpx.post(f"{receiver.url}/callbacks/{tokens[1]}", content=b"x").status_code == 202


def test_who_has_guessed_too_often_is_asked_for_the_token_before_the_body_is_read(settings: Settings, hq: Hq) -> None:
    token = insert_calls(hq).tokens[0]
    with limited(settings, guesses_burst=2, guesses_per_second=0.001) as receiver:
        parts = urlsplit(receiver.url)
        unknown = [httpx.post(f"{receiver.url}/callbacks/{'A' * 31}{n}", content=b"x").status_code for n in range(3)]
        assert unknown == [404, 404, 429]
        with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=20) as connection:
            head = f"POST /callbacks/{'B' * 32} HTTP/1.1\r\nhost: x\r\ncontent-length: 5000000\r\n\r\n"
            connection.sendall(head.encode())  # not one byte of the body
            assert connection.recv(4096).startswith(b"HTTP/1.1 429 ")
        assert httpx.post(f"{receiver.url}/callbacks/{token}", content=b"x" * 3_000_000).status_code == 202
    assert [len(row["body"]) for row in inbox(hq)] == [3_000_000]


@pytest.mark.parametrize("size", [MIB - 1, MIB, MIB + 1, 3 * MIB + 5])
def test_a_body_is_kept_byte_for_byte_on_both_sides_of_what_is_held_in_memory(
    size: int, http: httpx.Client, hq: Hq
) -> None:
    token = insert_calls(hq).tokens[0]
    body = random.Random(size).randbytes(size)
    pieces = (body[start : start + 70_001] for start in range(0, size, 70_001))
    assert http.post(f"/callbacks/{token}", content=pieces).status_code == 202
    (row,) = inbox(hq)
    assert bytes(row["body"]) == body
    assert bytes(row["body_sha256"]) == hashlib.sha256(body).digest()
