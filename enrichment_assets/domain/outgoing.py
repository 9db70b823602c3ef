"""What the platform tells a client's server: kinds of events, when a message is tried again, and how it is written.

Standard Webhooks 1.0.0 says what a message looks like: `{"type": ..., "timestamp": ..., "data": ...}` with the headers
`webhook-id`, `webhook-timestamp` and `webhook-signature`. The schedule is that of Svix, who wrote the standard:
https://docs.svix.com/retries (at once, then after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h and 10 h: 27 h 35 min in all; an
endpoint that has failed for 5 days is disabled).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import orjson

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.signatures import standard_webhooks_key, standard_webhooks_signature


class EventType(StrEnum):
    """What can be told."""

    BATCH_FINISHED = "batch.finished"
    """All steps of a batch have ended, and its tables are published."""
    BATCH_PAUSED = "batch.paused"
    BATCH_RESUMED = "batch.resumed"
    BATCH_CANCELLED = "batch.cancelled"
    BUDGET_EXHAUSTED = "budget.exhausted"
    """A call did not leave because a budget has no room; once for each amount of a budget."""
    LEAD_READY = "lead.ready"
    """All steps of a lead have ended, and it is published: the first that is heard of it."""
    LEAD_CHANGED = "lead.changed"
    """A lead that was told of is published with other content."""
    CONTACT_REPLIED = "contact.replied"
    """Somebody whom a delivery reached has answered."""
    CONTACT_INTERESTED = "contact.interested"
    CONTACT_SAID_NO = "contact.said_no"
    """Somebody has unsubscribed, or called a message spam."""
    CONTACT_BOUNCED = "contact.bounced"
    """An address does not exist, says the server that was to take a message for it."""


class MessageState(StrEnum):
    """Where a message stands."""

    WAITING = "waiting"
    """To be sent, or sent again."""
    ARRIVED = "arrived"
    GIVEN_UP = "given_up"
    """No attempt of the schedule arrived."""
    WITHHELD = "withheld"
    """There is nothing left to tell: whoever it was about has said no, or was erased."""


LEAD_TYPES = frozenset({EventType.LEAD_READY, EventType.LEAD_CHANGED})
TEST_TYPE = "webhook.test"
"""Of the message that `enrich webhook test` sends."""

RETRY_AFTER = tuple(float(seconds) for seconds in (5, 300, 1_800, 7_200, 18_000, 36_000, 36_000))
"""Seconds between one attempt and the next; after the last one a message is given up."""

DISABLED_AFTER = timedelta(days=5)
"""A webhook none of whose messages arrived for so long is disabled."""

LONGEST_REST = 86_400.0
"""Seconds of a `Retry-After` that are respected."""

LARGEST_MESSAGE = 262_144
"""Bytes of `data` after which leads go into the next message."""

LARGEST_LEAD = 65_536
"""Bytes of one lead; its longest fields are left out until it fits, and named in `left_out`."""

MOST_LEADS = 100
"""Leads that a webhook may ask for in one message."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_SECRET_BYTES = range(24, 65)
"""Standard Webhooks 1.0.0: between 24 and 64 random bytes."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event as it is told.

    Attributes:
        id: Its number; later ones have higher ones.
        type: As `lead.ready`.
        occurred_at: When.
        data: What of.
    """

    id: int
    type: str
    occurred_at: datetime
    data: Mapping[str, Any]


def check_name(name: str) -> str:
    """The name of a webhook; raises `ConfigurationError` for what cannot be one."""
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"{name[:80]!r} is no name for a webhook: small letters, digits and -, as in acme-crm",
            code="webhook.name_invalid",
        )
    return name


def event_types(names: Sequence[str]) -> tuple[EventType, ...]:
    """`lead.ready` and the others by their names, in one order; raises `ConfigurationError` for one that is none."""
    known = {one.value for one in EventType}
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        what = f"{unknown[0][:80]!r} is no event" if unknown else "say which events"
        raise ConfigurationError(f"{what}: there are {', '.join(sorted(known))}", code="webhook.event_unknown")
    return tuple(one for one in EventType if one.value in names)


def check_secret(variable: str, secret: str) -> None:
    """Raise `ConfigurationError` for a secret that Standard Webhooks does not allow. The message holds none of it."""
    try:
        length = len(standard_webhooks_key(secret))
    except ValueError:
        length = 0
    if length not in _SECRET_BYTES:
        raise ConfigurationError(
            f"{variable} is no secret of Standard Webhooks: whsec_ and 24 to 64 random bytes in base64",
            code="webhook.secret_invalid",
        )


def delay_after(attempts: int) -> float | None:
    """Seconds until the next attempt after so many failed ones; None: there is none."""
    return RETRY_AFTER[attempts - 1] if 0 < attempts <= len(RETRY_AFTER) else None


def body_of(client: str, events: Sequence[Event]) -> bytes:
    """The body of a message: one event, or leads of one type. The same for every attempt.

    Args:
        client: Slug of the client whom it is about.
        events: In their order, at least one, all of one type.
    """
    first = events[0]
    data: dict[str, Any] = {"client": client}
    if first.type in LEAD_TYPES:
        data["leads"] = [{"event_id": event.id, **event.data} for event in events]
    else:
        data |= {"event_id": first.id, **first.data}
    message = {"type": first.type, "timestamp": written_time(first.occurred_at), "data": data}
    return orjson.dumps(message)


def signed_headers(message_id: str, sent_at: datetime, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """The headers of one attempt: a signature by each of the secrets, the current one first.

    While a secret is replaced the receiver may still know the earlier one only; it accepts any signature that fits.
    """
    timestamp = str(int(sent_at.timestamp()))
    signatures = [standard_webhooks_signature(secret, message_id, timestamp, body) for secret in secrets]
    return {
        "content-type": "application/json",
        "user-agent": "enrichment-assets",
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(signatures),
    }


def fitting(lead: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    """A lead within `LARGEST_LEAD`, and its bytes: the longest fields are left out, and named in `left_out`."""
    sizes = {name: len(orjson.dumps(value)) + len(name) + 4 for name, value in lead.items()}
    total = sum(sizes.values())
    left_out = []
    for name in sorted(sizes, key=sizes.__getitem__, reverse=True):
        if total <= LARGEST_LEAD:
            break
        left_out.append(name)
        total -= sizes[name]
    fields = {name: value for name, value in lead.items() if name not in left_out}
    return (fields | {"left_out": sorted(left_out)} if left_out else fields), total


def written_time(moment: datetime) -> str:
    """`2026-11-29T04:05:06.789Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
