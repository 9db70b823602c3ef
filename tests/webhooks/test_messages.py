"""How a message is written, signed and timed; what verifies it is the package of those who wrote the standard."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.outgoing import (
    LARGEST_LEAD,
    RETRY_AFTER,
    Event,
    body_of,
    check_name,
    check_secret,
    delay_after,
    event_types,
    fitting,
    signed_headers,
)

SECRET = "whsec_" + base64.b64encode(b"the secret of these tests, and of no other").decode()
EARLIER = "whsec_" + base64.b64encode(b"what signed before, and does for a day more").decode()
AT = datetime(2026, 11, 29, 4, 5, 6, 789_000, tzinfo=UTC)


def test_a_message_is_verified_by_the_standards_own_package() -> None:
    body = body_of("acme", [Event(7, "lead.ready", AT, {"item_id": 3, "full_name": "Zoë Ünal"})])
    headers = signed_headers("msg_1", datetime.now(UTC), body, [SECRET])
    assert Webhook(SECRET).verify(body, headers) == {
        "type": "lead.ready",
        "timestamp": "2026-11-29T04:05:06.789Z",
        "data": {"client": "acme", "leads": [{"event_id": 7, "item_id": 3, "full_name": "Zoë Ünal"}]},
    }
    for changed in (body + b" ", body.replace(b"acme", b"acne")):
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET).verify(changed, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body, {**headers, "webhook-id": "msg_2"})


def test_a_message_is_signed_by_the_secret_before_as_well_while_that_is_replaced() -> None:
    body = b'{"type":"webhook.test"}'
    headers = signed_headers("msg_1", datetime.now(UTC), body, [SECRET, EARLIER])
    assert len(headers["webhook-signature"].split(" ")) == 2
    assert Webhook(SECRET).verify(body, headers) == Webhook(EARLIER).verify(body, headers) == json.loads(body)


def test_a_message_is_tried_eight_times_over_28_hours() -> None:
    # https://docs.svix.com/retries: immediately, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 10 h
    assert [delay_after(attempts) for attempts in range(1, 9)] == [5, 300, 1800, 7200, 18000, 36000, 36000, None]
    assert timedelta(hours=27) < timedelta(seconds=sum(RETRY_AFTER)) < timedelta(hours=28)
    assert delay_after(0) is None and delay_after(99) is None


def test_events_that_are_no_leads_stand_alone_in_their_message() -> None:
    body = json.loads(body_of("acme", [Event(9, "batch.paused", AT, {"batch": "acme-1", "reason": None})]))
    assert body["data"] == {"client": "acme", "event_id": 9, "batch": "acme-1", "reason": None}


def test_a_lead_that_is_too_large_loses_its_longest_fields_and_says_which() -> None:
    lead = {"item_id": 1, "email": "ann@acme.com", "page": "x" * LARGEST_LEAD, "notes": ["y" * 100] * 700}
    data, size = fitting(lead)
    assert data == {"item_id": 1, "email": "ann@acme.com", "left_out": ["notes", "page"]}
    assert size < LARGEST_LEAD
    assert fitting({"item_id": 1, "email": None}) == ({"item_id": 1, "email": None}, 25)


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        "whsec_" + base64.b64encode(b"x" * 23).decode(),
        "whsec_" + base64.b64encode(b"x" * 65).decode(),
        "whsec_not base64 at all, however long it may be",
        "hunter2",
        "whsec_" + base64.urlsafe_b64encode(bytes(range(250, 256)) * 5).decode(),  # other libraries drop its - and _
        "whsk_" + base64.b64encode(b"x" * 32).decode(),
    ],
)
def test_a_secret_has_24_to_64_random_bytes_and_is_not_repeated(secret: str) -> None:
    with pytest.raises(ConfigurationError, match="MY_HOOK is no secret") as refused:
        check_secret("MY_HOOK", secret)
    assert refused.value.code == "webhook.secret_invalid"
    assert len(secret) < 7 or secret not in str(refused.value)


def test_secrets_are_taken_with_and_without_their_prefix_and_padding() -> None:
    for bytes_ in (24, 25, 64):
        text = base64.b64encode(b"k" * bytes_).decode()
        for secret in (text, f"whsec_{text}", text.rstrip("=")):
            check_secret("MY_HOOK", secret)


def test_names_and_events_that_are_none_are_refused_with_what_there_is() -> None:
    for name in ("", "Acme", "-acme", "a b", "x" * 64, "acme/1", "acme.crm"):
        with pytest.raises(ConfigurationError, match="no name for a webhook"):
            check_name(name)
    assert check_name("acme-crm-2") == "acme-crm-2"
    with pytest.raises(ConfigurationError, match=r"lead.redy.* is no event: there are batch.cancelled, .*lead.ready"):
        event_types(["lead.redy"])
    with pytest.raises(ConfigurationError, match="say which events"):
        event_types([])
    assert [one.value for one in event_types(["lead.ready", "batch.paused", "lead.ready"])] == [
        "batch.paused",
        "lead.ready",
    ]
