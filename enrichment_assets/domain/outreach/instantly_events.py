"""What Instantly tells of a lead, as events of ours; the same one has the same key, whichever way it comes.

Its bodies are flat, have no id, and hold every variable of the lead beside the fixed members (docs of its API, its
starter kit, reports from the field). A mail has an id (`email_id`), which the inbox knows too: by it is a reply known.
What is no mail is known by its name, lead, campaign and time. What a lead's own record says (it bounced, it is
unsubscribed) has no event and so no time; it is known by the lead.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from enrichment_assets.domain.delivery_events import DeliveryEvent, EventKind
from enrichment_assets.domain.emails import normalise_email
from enrichment_assets.domain.errors import ContractError

FIXED = frozenset(
    {
        *("timestamp", "event_type", "workspace", "campaign_id", "campaign_name", "unibox_url", "email_account"),
        *("lead_email", "email", "step", "variant", "email_id", "is_first"),
        *("reply_subject", "reply_text", "reply_html", "reply_text_snippet"),
    }
)
"""Members of its own; a lead's variable of such a name would stand in the same place, and nobody knows which wins."""

_KINDS: Mapping[str, EventKind] = {
    "email_sent": EventKind.SENT,
    "email_opened": EventKind.OPENED,
    "email_link_clicked": EventKind.CLICKED,
    "link_clicked": EventKind.CLICKED,
    "reply_received": EventKind.REPLIED,
    "auto_reply_received": EventKind.AUTO_REPLIED,
    "lead_out_of_office": EventKind.AUTO_REPLIED,
    "email_bounced": EventKind.BOUNCED,
    "lead_unsubscribed": EventKind.UNSUBSCRIBED,
    "lead_interested": EventKind.INTERESTED,
    "lead_meeting_booked": EventKind.INTERESTED,
    "lead_meeting_completed": EventKind.INTERESTED,
    "lead_closed": EventKind.INTERESTED,
    "lead_not_interested": EventKind.NOT_INTERESTED,
    "lead_wrong_person": EventKind.NOT_INTERESTED,
    "lead_no_show": EventKind.STATUS_CHANGED,
    "lead_neutral": EventKind.STATUS_CHANGED,
    "campaign_completed": EventKind.NOTED,
    "account_error": EventKind.NOTED,
    "supersearch_enrichment_completed": EventKind.NOTED,
}
"""Its names, as they are subscribed to and as they arrive. Any other is a label that the workspace made up."""

_MAILS = frozenset({EventKind.SENT, EventKind.REPLIED, EventKind.AUTO_REPLIED})
"""What has a mail of its own, with an id."""

INTERESTS: Mapping[int, str] = {
    0: "lead_out_of_office",
    1: "lead_interested",
    2: "lead_meeting_booked",
    3: "lead_meeting_completed",
    4: "lead_closed",
    -1: "lead_not_interested",
    -2: "lead_wrong_person",
    -3: "lead_lost",
    -4: "lead_no_show",
}
"""`lt_interest_status` of a lead. Null is none at all, and 0 is out of office, not that."""

BOUNCED, UNSUBSCRIBED = -1, -2
"""`status` of a lead."""


def read_webhook(body: Any, inbox_id: int | None = None) -> list[DeliveryEvent]:
    """What one call of a webhook says; so does the `payload` of an item of the list of webhook events.

    Args:
        body: The JSON.
        inbox_id: The kept bytes that it was read from.

    Raises:
        ContractError: It is no event of Instantly's: it has no name or no time.
    """
    body = body if isinstance(body, Mapping) else {}
    name = _text(body.get("event_type"))
    at = _time(body.get("timestamp"))
    if name is None or at is None:
        raise ContractError("an event of Instantly's has an event_type and a timestamp", code="event.not_as_agreed")
    kind = _KINDS.get(name, EventKind.STATUS_CHANGED)
    address = normalise_email(_text(body.get("lead_email")) or _text(body.get("email")))
    mail = _text(body.get("email_id")) if kind in _MAILS and name != "lead_out_of_office" else None
    said = {member: body[member] for member in ("campaign_id", "campaign_name", "step", "variant") if body.get(member)}
    return [
        DeliveryEvent(
            kind=kind,
            at=at,
            key=_mail_key(kind, mail) if mail else _key(name, address, body.get("campaign_id"), at),
            address=address,
            actor=_text(body.get("email_account")),
            value=_label(name) if kind is EventKind.STATUS_CHANGED else None,
            reason=_text(body.get("reply_text")) or _text(body.get("reply_text_snippet")) or _why(name, kind),
            data={"event": name, **said},
            inbox_id=inbox_id,
        )
    ]


def read_try(item: Mapping[str, Any]) -> list[DeliveryEvent]:
    """What an item of the list of webhook events says: a try to tell a webhook something, whatever came of it.

    One whose payload is none of an event's (a test, an older form) says nothing.
    """
    payload = item.get("payload")
    if not isinstance(payload, Mapping) or not payload.get("event_type") or _time(payload.get("timestamp")) is None:
        return []
    return read_webhook(payload)


def read_mail(mail: Mapping[str, Any]) -> DeliveryEvent | None:
    """A mail of the inbox that came from a lead; None: it is none of those.

    `i_status` 0 and `is_auto_reply` 1 are a machine's; either may be left out.
    """
    at = _time(mail.get("timestamp_email") or mail.get("timestamp_created"))
    name, address = _text(mail.get("id")), normalise_email(_text(mail.get("lead")))
    if mail.get("ue_type") != 2 or at is None or name is None or address is None:
        return None
    is_auto = mail.get("is_auto_reply") == 1 or (type(mail.get("i_status")) is int and mail["i_status"] == 0)
    kind = EventKind.AUTO_REPLIED if is_auto else EventKind.REPLIED
    body = mail.get("body")
    text = _text(body.get("text")) if isinstance(body, Mapping) else None
    data = {"event": "email", **{key: mail[key] for key in ("campaign_id", "thread_id", "step") if mail.get(key)}}
    account = _text(mail.get("eaccount"))
    return DeliveryEvent(kind, at, _mail_key(kind, name), address=address, actor=account, reason=text, data=data)


def read_lead(lead: Mapping[str, Any]) -> list[DeliveryEvent]:
    """What a lead's own record says that no event may have told: it bounced, it is unsubscribed, how interested it is.

    The interest is known by its time (`timestamp_last_interest_change`), as an event would be; where that is missing it
    is not taken.
    """
    address, name = normalise_email(_text(lead.get("email"))), _text(lead.get("id"))
    changed = _time(lead.get("timestamp_updated") or lead.get("timestamp_created"))
    if address is None or name is None or changed is None:
        return []
    data = {"event": "lead", "campaign_id": lead.get("campaign")}
    found = []
    if lead.get("status") in (BOUNCED, UNSUBSCRIBED):
        kind = EventKind.BOUNCED if lead["status"] == BOUNCED else EventKind.UNSUBSCRIBED
        found.append(DeliveryEvent(kind, changed, f"lead:{kind}:{name}", address=address, external_id=name, data=data))
    interest, at = lead.get("lt_interest_status"), _time(lead.get("timestamp_last_interest_change"))
    event = INTERESTS.get(interest) if isinstance(interest, int) and not isinstance(interest, bool) else None
    if event is not None and at is not None:
        kind = _KINDS.get(event, EventKind.STATUS_CHANGED)
        value = _label(event) if kind is EventKind.STATUS_CHANGED else None
        key = _key(event, address, lead.get("campaign"), at)
        found.append(
            DeliveryEvent(
                kind,
                at,
                key,
                address=address,
                external_id=name,
                value=value,
                reason=_why(event, kind),
                data={**data, "event": event},
            )
        )
    return found


def _mail_key(kind: EventKind, mail: str) -> str:
    """By a mail's id and which way it went: whether a machine wrote it, the inbox and a webhook may differ on."""
    return f"mail {'sent' if kind is EventKind.SENT else 'received'}:{mail}"[:200]


def _key(name: str, address: str | None, campaign: Any, at: datetime) -> str:
    told = "\0".join((name, address or "", str(campaign or ""), at.isoformat()))
    return f"{name[:80]}:{hashlib.sha256(told.encode()).hexdigest()[:40]}"


def _why(name: str, kind: EventKind) -> str | None:
    """What the kind alone does not say."""
    return _label(name) if kind in (EventKind.INTERESTED, EventKind.NOT_INTERESTED) else None


def _label(name: str) -> str:
    """`lead_no_show` as words; a workspace's own label as it is."""
    return name.removeprefix("lead_").replace("_", " ") if name in _KINDS or name in INTERESTS.values() else name


def _text(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _time(value: Any) -> datetime | None:
    """A time with its zone; one that does not say which is in UTC, as all of Instantly's are."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found if found is None or found.tzinfo is not None else found.replace(tzinfo=UTC)
