"""What sending services tell of mails, as events: Resend, SendGrid, Mailgun, Postmark and Amazon SES.

An address is given up for a refusal for good alone, and where the service's word and the server's words disagree, for
none (`bounce_reasons`). What a service did not even try, as the address stands on a list of its own, says nothing new:
its reason came before, or it is a person's wish that the service names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from enrichment_assets.domain.delivery_events import DeliveryEvent, EventKind
from enrichment_assets.domain.mail.bounce_reasons import BounceKind, judge_refusal

Object = Mapping[str, Any]

_OF_RESEND = {
    "email.delivered": EventKind.DELIVERED,
    "email.delivery_delayed": EventKind.DEFERRED,
    "email.complained": EventKind.COMPLAINED,
    "email.opened": EventKind.OPENED,
    "email.clicked": EventKind.CLICKED,
    "email.suppressed": EventKind.BOUNCED_POLICY,
}


def of_resend(message: Object, key: str, received: datetime) -> Iterator[DeliveryEvent]:
    """A message of Resend's; `key`: its `svix-id`. Events of domains and contacts are none of a mail."""
    data = _object(message.get("data"))
    if not str(message.get("type", "")).startswith("email."):
        return
    bounce = _object(data.get("bounce"))
    kind, reason = _OF_RESEND.get(str(message["type"]), EventKind.NOTED), _text(bounce.get("message"))
    if message["type"] == "email.bounced":
        kind = EventKind.DEFERRED
        if bounce.get("type") == "Permanent":
            on_a_list = bounce.get("subType") in ("Suppressed", "OnAccountSuppressionList")
            kind = EventKind.BOUNCED_POLICY if on_a_list else _hard("", reason)
    reason = reason or _text(_object(data.get("failed")).get("reason"))
    for place, address in enumerate(_texts(data.get("to")) or [None]):
        yield DeliveryEvent(
            kind,
            _moment(message.get("created_at")) or received,
            key if place == 0 else f"{key}:{place}",
            address=address,
            external_id=_text(data.get("email_id")),
            reason=reason,
            data={"word": str(message["type"])},
        )


_OF_SENDGRID = {
    "delivered": EventKind.DELIVERED,
    "deferred": EventKind.DEFERRED,
    "open": EventKind.OPENED,
    "click": EventKind.CLICKED,
    "spamreport": EventKind.COMPLAINED,
    "unsubscribe": EventKind.UNSUBSCRIBED,
    "group_unsubscribe": EventKind.UNSUBSCRIBED,
}
_DROPPED_BY_SENDGRID = {
    "Unsubscribed Address": EventKind.UNSUBSCRIBED,
    "Spam Reporting Address": EventKind.COMPLAINED,
}
_HARD_BY_SENDGRID = frozenset({"", "Invalid Address", "Unclassified"})


def of_sendgrid(events: Sequence[Object], received: datetime) -> Iterator[DeliveryEvent]:
    """The events of one POST of SendGrid's, which has many; each has its `sg_event_id`."""
    for event in events:
        word, reason = str(event.get("event", "")), _text(event.get("reason")) or _text(event.get("response"))
        kind = _OF_SENDGRID.get(word, EventKind.NOTED)
        if word == "dropped":
            kind = _DROPPED_BY_SENDGRID.get(reason or "", EventKind.BOUNCED_POLICY)
        elif word in ("bounce", "blocked"):
            kind = _bounce_of_sendgrid(event, word, reason)
        message = _text(event.get("sg_message_id")) or ""
        yield DeliveryEvent(
            kind,
            _moment(event.get("timestamp")) or received,
            _key(event.get("sg_event_id"), f"{word}:{message}:{event.get('email')}:{event.get('timestamp')}"),
            address=_text(event.get("email")),
            external_id=message.partition(".")[0] or None,
            message_id=(_text(event.get("smtp-id")) or "").strip("<>") or None,
            reason=reason,
            data={"word": word},
        )


def _bounce_of_sendgrid(event: Object, word: str, reason: str | None) -> EventKind:
    if word == "blocked" or event.get("type") == "blocked":
        return EventKind.BOUNCED_POLICY
    status, group = str(event.get("status") or ""), str(event.get("bounce_classification") or "")
    if status.startswith("4") or group in ("Mailbox Unavailable", "Technical Failure", "Frequency or Volume Too High"):
        return EventKind.DEFERRED
    return _hard(status, reason) if group in _HARD_BY_SENDGRID else EventKind.BOUNCED_POLICY


_OF_MAILGUN = {
    "delivered": EventKind.DELIVERED,
    "opened": EventKind.OPENED,
    "clicked": EventKind.CLICKED,
    "complained": EventKind.COMPLAINED,
    "unsubscribed": EventKind.UNSUBSCRIBED,
}
_LISTED_BY_MAILGUN = {
    "suppress-unsubscribe": EventKind.UNSUBSCRIBED,
    "suppress-complaint": EventKind.COMPLAINED,
    "suppress-bounce": EventKind.BOUNCED_POLICY,
}


def of_mailgun(message: Object, token: str, received: datetime) -> Iterator[DeliveryEvent]:
    """A message of Mailgun's. `token`, of its signature, is the event's key: the signature is of nothing else."""
    event = _object(message.get("event-data"))
    word, status = str(event.get("event", "")), _object(event.get("delivery-status"))
    reason = _text(status.get("description")) or _text(status.get("message")) or _text(event.get("reason"))
    kind = _OF_MAILGUN.get(word, EventKind.NOTED)
    if word == "failed":
        kind = EventKind.DEFERRED
        if event.get("severity") == "permanent":
            kind = _LISTED_BY_MAILGUN.get(str(event.get("reason")), EventKind.DEFERRED)
            if event.get("reason") == "bounce":
                kind = _hard(str(status.get("enhanced-code") or ""), f"{status.get('code', '')} {reason or ''}".strip())
    headers = _object(_object(event.get("message")).get("headers"))
    sent_as = (_text(headers.get("message-id")) or "").strip("<>")
    yield DeliveryEvent(
        kind,
        _moment(event.get("timestamp")) or received,
        token,
        address=_text(event.get("recipient")),
        external_id=f"<{sent_as}>" if sent_as else None,
        message_id=sent_as or None,
        reason=reason,
        data={"word": word, "id": _text(event.get("id")) or ""},
    )


_OF_POSTMARK = {
    "Delivery": EventKind.DELIVERED,
    "Open": EventKind.OPENED,
    "Click": EventKind.CLICKED,
    "SpamComplaint": EventKind.COMPLAINED,
}
_BOUNCES_OF_POSTMARK = {
    "HardBounce": EventKind.BOUNCED,
    "BadEmailAddress": EventKind.BOUNCED,
    "AutoResponder": EventKind.AUTO_REPLIED,
    "Unsubscribe": EventKind.UNSUBSCRIBED,
    "SpamComplaint": EventKind.COMPLAINED,
    "Transient": EventKind.DEFERRED,
    "SoftBounce": EventKind.DEFERRED,
    "DnsError": EventKind.DEFERRED,
    "SpamNotification": EventKind.BOUNCED_POLICY,
    "Blocked": EventKind.BOUNCED_POLICY,
    "DMARCPolicy": EventKind.BOUNCED_POLICY,
    "VirusNotification": EventKind.BOUNCED_POLICY,
}
"""Types of https://postmarkapp.com/developer/api/bounce-api#bounce-types; any other is kept, and nothing follows."""

_REASONS_OF_POSTMARK = {
    "SpamComplaint": EventKind.COMPLAINED,
    "HardBounce": EventKind.BOUNCED_POLICY,
}


def of_postmark(message: Object, received: datetime) -> Iterator[DeliveryEvent]:
    """A message of Postmark's: its bounces are of nineteen types, and machines' answers are one of them."""
    record, kind = str(message.get("RecordType", "")), EventKind.NOTED
    reason = _text(message.get("Details")) or _text(message.get("Description"))
    if record == "Bounce":
        word = str(message.get("Type", ""))
        kind = _BOUNCES_OF_POSTMARK.get(word, EventKind.NOTED)
        kind = _hard("", reason) if word == "HardBounce" else kind
    elif record == "SubscriptionChange":
        word = str(message.get("SuppressionReason") or "reactivated")
        if message.get("SuppressSending") is True:
            by_recipient = message.get("Origin") == "Recipient"
            kind = _REASONS_OF_POSTMARK.get(word, EventKind.UNSUBSCRIBED if by_recipient else EventKind.NOTED)
    else:
        word, kind = record, _OF_POSTMARK.get(record, EventKind.NOTED)
    when = next((message[name] for name in _TIMES_OF_POSTMARK if message.get(name)), None)
    sent_as, number = _text(message.get("MessageID")), message.get("ID")
    yield DeliveryEvent(
        kind,
        _moment(when) or received,
        _key(f"{record}:{number}" if number else None, f"{record}:{sent_as}:{when}:{message.get('Recipient')}"),
        address=_text(message.get("Email")) or _text(message.get("Recipient")),
        external_id=sent_as,
        reason=reason,
        data={"word": word},
    )


_TIMES_OF_POSTMARK = ("BouncedAt", "DeliveredAt", "ChangedAt", "ReceivedAt")

_OF_SES = {
    "Delivery": (EventKind.DELIVERED, "delivery"),
    "DeliveryDelay": (EventKind.DEFERRED, "deliveryDelay"),
    "Open": (EventKind.OPENED, "open"),
    "Click": (EventKind.CLICKED, "click"),
    "Complaint": (EventKind.COMPLAINED, "complaint"),
    "Bounce": (EventKind.DEFERRED, "bounce"),
    "Subscription": (EventKind.NOTED, "subscription"),
}


def of_ses(message: Object, key: str, received: datetime) -> Iterator[DeliveryEvent]:
    """What SES publishes of a mail, as an event or as a notification; one event for each recipient.

    `key`: the number of SNS's message, or SES's own of a bounce or complaint.
    """
    word = str(message.get("eventType") or message.get("notificationType") or "")
    kind, part = _OF_SES.get(word, (EventKind.NOTED, ""))
    mail, said = _object(message.get("mail")), _object(message.get(part))
    people = next(
        (said[name] for name in _RECIPIENTS_OF_SES if isinstance(said.get(name), list)), mail.get("destination")
    )
    own = _text(said.get("feedbackId")) or key
    listed = people if isinstance(people, list) else []
    for place, one in enumerate(listed or [None]):
        person = one if isinstance(one, Mapping) else {"emailAddress": one}
        reason = _text(person.get("diagnosticCode")) or _text(person.get("status"))
        yield DeliveryEvent(
            _bounce_of_ses(said, person, reason) if word == "Bounce" else kind,
            _moment(said.get("timestamp")) or _moment(mail.get("timestamp")) or received,
            own if place == 0 else f"{own}:{place}",
            address=_text(person.get("emailAddress")),
            external_id=_text(mail.get("messageId")),
            reason=reason,
            data={"word": word, "type": _text(said.get("bounceType")) or ""},
        )


_RECIPIENTS_OF_SES = ("bouncedRecipients", "complainedRecipients", "delayedRecipients", "recipients")


def _bounce_of_ses(bounce: Object, person: Object, reason: str | None) -> EventKind:
    if bounce.get("bounceType") != "Permanent":
        return EventKind.DEFERRED
    if bounce.get("bounceSubType") in ("Suppressed", "OnAccountSuppressionList", "UnsubscribedRecipient"):
        return EventKind.BOUNCED_POLICY
    return _hard(str(person.get("status") or ""), reason)


def _hard(status: str, reason: str | None) -> EventKind:
    """What a service calls a bounce for good, unless the server's words say that it is none of the address."""
    kinds = {
        BounceKind.POLICY: EventKind.BOUNCED_POLICY,
        BounceKind.SOFT: EventKind.DEFERRED,
        BounceKind.DELAYED: EventKind.DEFERRED,
    }
    return kinds.get(judge_refusal(status, reason or "").kind, EventKind.BOUNCED)


def _moment(value: Any) -> datetime | None:
    """A time as services write it: ISO 8601 (up to nanoseconds), or seconds since 1970."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        found = datetime.fromisoformat(str(value))
    except (ValueError, OverflowError, OSError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _key(given: Any, otherwise: str) -> str:
    plain = "".join(character for character in str(given or otherwise) if character.isprintable())
    return plain[:200]


def _object(value: Any) -> Object:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str | None:
    return str(value).strip() or None if isinstance(value, str | int) and not isinstance(value, bool) else None


def _texts(value: Any) -> list[str | None]:
    return [text for one in (value if isinstance(value, list) else [value]) if (text := _text(one)) is not None]
