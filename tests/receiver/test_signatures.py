"""Signatures are checked from stored bytes and headers; hostile input is False, never an exception."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from enrichment_assets.domain.signatures import SignatureScheme, is_authentic

# The example of the Standard Webhooks specification and its reference libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'
STANDARD = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
AT = datetime.fromtimestamp(1614265330, UTC)
CLAY = {"x-clay-signature": "sha256=" + hmac.new(b"key", BODY, hashlib.sha256).hexdigest()}
FULLENRICH = {"x-signature-sha1": hmac.new(b"key", BODY, hashlib.sha1).hexdigest()}

VALID = [
    (SignatureScheme.STANDARD_WEBHOOKS, SECRET, STANDARD),
    (SignatureScheme.CLAY, "key", CLAY),
    (SignatureScheme.FULLENRICH, "key", FULLENRICH),
]


@pytest.mark.parametrize(("scheme", "secret", "headers"), VALID)
def test_a_true_signature_is_authentic_and_no_longer_so_when_anything_differs(
    scheme: SignatureScheme, secret: str, headers: dict[str, str]
) -> None:
    assert is_authentic(scheme, secret, headers, BODY, AT)
    assert not is_authentic(scheme, secret, headers, BODY + b" ", AT)
    assert not is_authentic(scheme, "whsec_b3RoZXI=", headers, BODY, AT)
    assert not is_authentic(scheme, "", headers, BODY, AT)
    for name in headers:
        assert not is_authentic(scheme, secret, {**headers, name: headers[name][:-2] + "AA"}, BODY, AT)
        assert not is_authentic(scheme, secret, {k: v for k, v in headers.items() if k != name}, BODY, AT)


def test_an_empty_secret_verifies_nothing_not_even_its_own_signature() -> None:
    forged = {"x-clay-signature": "sha256=" + hmac.new(b"", BODY, hashlib.sha256).hexdigest()}
    assert not is_authentic(SignatureScheme.CLAY, "", forged, BODY, AT)
    forged = {**STANDARD, "webhook-signature": "v1," + _standard(b"")}
    assert not is_authentic(SignatureScheme.STANDARD_WEBHOOKS, "whsec_", forged, BODY, AT)


@given(
    key=st.binary(min_size=1, max_size=64),
    padded=st.booleans(),
    prefix=st.sampled_from(["whsec_", ""]),
    name=st.text(st.characters(codec="ascii", exclude_characters=" "), min_size=1, max_size=40),
    body=st.text(max_size=200),
    sent=st.integers(946_684_800, 4_102_444_800).map(lambda second: datetime.fromtimestamp(second, UTC)),
)
def test_what_the_schemes_own_package_signs_is_authentic(
    key: bytes, padded: bool, prefix: str, name: str, body: str, sent: datetime
) -> None:
    encoded = base64.b64encode(key).decode()
    secret = prefix + (encoded if padded else encoded.rstrip("="))
    stamp = str(int(sent.timestamp()))
    signature = Webhook(secret).sign(name, sent, body)
    headers = {"webhook-id": name, "webhook-timestamp": stamp, "webhook-signature": signature}
    scheme = SignatureScheme.STANDARD_WEBHOOKS
    assert is_authentic(scheme, secret, headers, body.encode(), sent)
    assert not is_authentic(scheme, secret, headers, body.encode() + b" ", sent)
    assert not is_authentic(scheme, secret, {**headers, "webhook-timestamp": str(int(stamp) + 1)}, body.encode(), sent)


@pytest.mark.parametrize(("seconds", "authentic"), [(-301, False), (-300, True), (300, True), (301, False)])
def test_a_timestamp_counts_within_five_minutes_of_the_receipt(seconds: int, authentic: bool) -> None:
    received = AT + timedelta(seconds=seconds)
    assert is_authentic(SignatureScheme.STANDARD_WEBHOOKS, SECRET, STANDARD, BODY, received) is authentic


def test_one_good_signature_among_rotated_foreign_and_broken_ones_is_enough() -> None:
    good = STANDARD["webhook-signature"]
    mixed = {**STANDARD, "webhook-signature": f"v1a,xx v1,%%% v1,é v2,{good[3:]} v1 {good}"}
    assert is_authentic(SignatureScheme.STANDARD_WEBHOOKS, SECRET, mixed, BODY, AT)
    other_version = {**STANDARD, "webhook-signature": f"v2,{good[3:]}"}
    assert not is_authentic(SignatureScheme.STANDARD_WEBHOOKS, SECRET, other_version, BODY, AT)


def test_upper_case_hex_is_the_same_signature() -> None:
    assert is_authentic(SignatureScheme.FULLENRICH, "key", {k: v.upper() for k, v in FULLENRICH.items()}, BODY, AT)


@given(
    scheme=st.sampled_from([*SignatureScheme, "no such scheme"]),
    secret=st.text(max_size=30) | st.just(SECRET),
    values=st.lists(st.text(max_size=60) | st.just("9" * 5000) | st.just("v1,\udc80"), min_size=5, max_size=5),
    body=st.binary(max_size=100),
)
def test_hostile_input_is_false_and_never_an_exception(
    scheme: SignatureScheme, secret: str, values: list[str], body: bytes
) -> None:
    names = [*STANDARD, *CLAY, *FULLENRICH]
    assert is_authentic(scheme, secret, dict(zip(names, values, strict=True)), body, AT) is False
    assert is_authentic(scheme, secret, {}, body, AT) is False


def _standard(key: bytes) -> str:
    signed = f"{STANDARD['webhook-id']}.{STANDARD['webhook-timestamp']}.".encode() + BODY
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
