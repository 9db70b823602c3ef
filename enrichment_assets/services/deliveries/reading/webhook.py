"""Messages of any tool that posts JSON, by settings that say where what stands.

    {"events": "@", "kind": "event_type", "kinds": {"EMAIL_REPLY": "replied", "LEAD_UNSUBSCRIBED": "unsubscribed"},
     "key": "id", "at": "occurred_at", "address": "to_email"}

Each setting but `kinds` is a JMESPath: `events` over the message, the others over one event. An event whose word
`kinds` does not know is kept as `noted`. Events without an id are told apart by what they say: what says the same is
the same event. With a secret, messages are signed by Standard Webhooks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import jmespath
import orjson
from jmespath.exceptions import JMESPathError

from enrichment_assets.domain.delivery_events import LONGEST_KEY, DeliveryEvent, EventKind
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.signatures import SignatureScheme, is_authentic
from enrichment_assets.domain.suggestions import did_you_mean
from enrichment_assets.services.deliveries.readers import Reader, Received, UnreadableError

TEXTS = ("address", "linkedin_url", "destination", "external_id", "message_id", "actor", "field", "value", "reason")
"""Settings whose values become attributes of the same name (`domain.delivery_events.DeliveryEvent`)."""

PATHS = ("events", "kind", "key", "at", "until", "item_id", *TEXTS)
EARLIEST, LATEST = 946_684_800.0, 4_102_444_800.0
"""2000 and 2100: a number outside of it as seconds is one of milliseconds, or no time."""


def check(settings: Mapping[str, Any]) -> None:
    """Raise `ConfigurationError` for a setting that is unknown, no JMESPath, or a kind that there is not."""
    unknown = sorted(settings.keys() - {*PATHS, "kinds"})
    if unknown:
        hint = did_you_mean(unknown[0], (*PATHS, "kinds"))
        raise ConfigurationError(
            f"{unknown[0]!r} is no setting{hint}: there are {', '.join((*PATHS, 'kinds'))}",
            code="event_source.setting_unknown",
        )
    if "kind" not in settings or not isinstance(settings.get("kinds"), dict):
        raise ConfigurationError(
            "say where an event's kind stands (`kind`), and what each word of it means (`kinds`)",
            code="event_source.kind_missing",
        )
    for name in PATHS:
        if name in settings:
            _compiled(name, settings[name])
    for word, kind in settings["kinds"].items():
        if kind not in set(EventKind):
            raise ConfigurationError(
                f"`kinds`: {word!r} cannot mean {kind!r}{did_you_mean(str(kind), tuple(EventKind))}: "
                f"there are {', '.join(EventKind)}",
                code="event_source.event_unknown",
            )


def read(message: Received) -> Iterator[DeliveryEvent]:
    """The events of a message, by the connection's settings."""
    settings = message.source.settings
    try:
        document = orjson.loads(message.body)
    except orjson.JSONDecodeError as error:
        raise UnreadableError(f"the message is no JSON: {error}") from None
    found = _compiled("events", settings.get("events", "@")).search(document)
    listed = found if isinstance(found, list) else [found]
    for entry in listed:
        if not isinstance(entry, Mapping):
            raise UnreadableError("an event of it is no object")
        yield _event(message, settings, entry)


def _event(message: Received, settings: Mapping[str, Any], entry: Mapping[str, Any]) -> DeliveryEvent:
    def said(name: str) -> Any:
        return None if name not in settings else _compiled(name, settings[name]).search(entry)

    word = said("kind")
    texts: dict[str, Any] = {name: _text(said(name)) for name in TEXTS}
    kind = EventKind(settings["kinds"].get(str(word), EventKind.NOTED))
    if (kind is EventKind.FIELD_CHANGED and not texts["field"]) or (
        kind is EventKind.STATUS_CHANGED and not texts["value"]
    ):
        kind = EventKind.NOTED
    item = said("item_id")
    return DeliveryEvent(
        kind,
        moment(said("at")) or message.received_at,
        _key(said("key"), entry),
        item_id=int(item) if str(item).isascii() and str(item).isdigit() and len(str(item)) <= 18 else None,
        until=moment(said("until")),
        data={} if word is None else {"word": str(word)[:200]},
        **texts,
    )


def _key(given: Any, entry: Mapping[str, Any]) -> str:
    text = _text(given)
    if text is None:
        return hashlib.sha256(orjson.dumps(entry, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return text if len(text) <= LONGEST_KEY else hashlib.sha256(text.encode()).hexdigest()


def moment(value: Any) -> datetime | None:
    """A point in time as tools write it: ISO 8601 (without a zone: UTC), or seconds or milliseconds since 1970."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str) and not value.strip().lstrip("-").replace(".", "", 1).isdigit():
        try:
            found = datetime.fromisoformat(value.strip())
        except ValueError:
            return None
        return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        return None
    seconds = seconds / 1000 if seconds > LATEST else seconds
    return datetime.fromtimestamp(seconds, UTC) if EARLIEST <= seconds <= LATEST else None


def _text(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value).strip() or None


def _compiled(name: str, path: Any) -> Any:
    if not isinstance(path, str):
        raise ConfigurationError(f"`{name}` is a JMESPath, and not {path!r}", code="event_source.path_invalid")
    try:
        return jmespath.compile(path)
    except JMESPathError as error:
        raise ConfigurationError(f"`{name}` is no JMESPath: {error}", code="event_source.path_invalid") from None


def _is_signed(message: Received) -> bool:
    if message.secret is None:
        return True
    scheme = SignatureScheme.STANDARD_WEBHOOKS
    return is_authentic(scheme, message.secret, message.headers, message.raw, message.received_at)


READER = Reader("any tool that posts JSON, by settings that say where what stands", read, _is_signed, check=check)
