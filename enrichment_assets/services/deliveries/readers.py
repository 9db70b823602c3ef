"""The kinds of connections by which events come, and what each has to say for itself.

A kind is a module in `services/deliveries/reading` with a `READER`, loaded when something of it is to be read. What
belongs to a kind: whether a message was signed by who it says, which events it tells, and, where a service is asked as
well, the questions. Everything else (keeping bytes, what is dead, what follows) is the same for all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from enrichment_assets.domain.delivery_events import DeliveryEvent
from enrichment_assets.domain.errors import ConfigurationError, EnrichError
from enrichment_assets.domain.suggestions import did_you_mean
from enrichment_assets.services.deliveries import reading
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import Connection
from enrichment_assets.store.deliveries.inbox import POLLED
from enrichment_assets.store.deliveries.sources import Connected
from enrichment_assets.store.hq import Hq


class UnreadableError(EnrichError):
    """A message is none of its kind: it is kept as dead, and may be read again when the reader was mended."""

    default_code = "event.unreadable"


@dataclass(frozen=True, slots=True)
class Received:
    """A message as its reader sees it.

    Attributes:
        inbox_id: Its number: events name it (`DeliveryEvent.inbox_id` is filled in by whoever calls the reader).
        source: The connection, with its settings.
        headers: Kept headers by lower-case name.
        body: The bytes, content encoding undone; signatures are of `raw`.
        raw: The bytes as they came.
        received_at: When they were committed.
        secret: What the connection's variable holds; None: it names none.
    """

    inbox_id: int
    source: Connected
    headers: Mapping[str, str]
    body: bytes
    raw: bytes
    received_at: datetime
    secret: str | None

    @property
    def polled(self) -> str | None:
        """What was asked for, where we fetched the message ourselves: it has no signature. None: it was posted."""
        return self.headers.get(POLLED)


@dataclass(frozen=True, slots=True)
class Page:
    """An answer that a poll fetched: it is kept with the cursor, then read as any message.

    Attributes:
        asked: What was asked for, as the reader knows it again (`Received.polled`).
        body: The bytes.
        cursor: How far it was asked when this page is kept; None: as far as before.
        content_type: What the bytes are.
    """

    asked: str
    body: bytes
    cursor: Mapping[str, Any] | None = None
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a service said when it was told our address.

    Attributes:
        settings: What the connection has to know from then on, as the number of a webhook.
        secret: By which its messages are signed; shown once and kept nowhere.
    """

    settings: Mapping[str, str]
    secret: str


@dataclass(frozen=True, slots=True)
class Reader:
    """How messages of one kind are read.

    Attributes:
        says: What connects so, for a list.
        read: The events of a message, in their order. Raises `UnreadableError`; whatever else it raises makes the
            message dead as well. None: `look_up` reads it.
        is_authentic: Whether a posted message was signed by who it says; None: nobody signs, the address is the secret.
        needs_secret: Whether a connection of this kind has to name a variable.
        is_posted: Whether it has an address to which messages are posted.
        poll: Fetches pages, oldest first, from `source.cursor` on; each is kept before the next is asked for. None:
            nobody is asked. Raises `EnrichError` where the service cannot be asked now.
        poll_seconds: How often it is asked, unless the connection says otherwise.
        check: Raises `ConfigurationError` for settings that it has no use for.
        look_up: As `read`, of a message that says whom it is about only to who knows what was sent.
        subscribe: Tells the service an address to which it is to post, by its API; with the connection's settings.
            None: a person does, on the service's own pages. Raises `EnrichError` where it refuses.
    """

    says: str
    read: Callable[[Received], Iterable[DeliveryEvent]] | None = None
    is_authentic: Callable[[Received], bool] | None = None
    needs_secret: bool = False
    is_posted: bool = True
    poll: Callable[[Hq, Settings, Connected, str | None], Iterable[Page]] | None = None
    poll_seconds: int = 300
    check: Callable[[Mapping[str, Any]], None] | None = None
    look_up: Callable[[Connection, Received], Iterable[DeliveryEvent]] | None = None
    subscribe: Callable[[Settings, Mapping[str, Any], str], Subscription] | None = None


@cache
def kinds() -> tuple[str, ...]:
    """Names of all kinds."""
    return tuple(sorted(module.name for module in iter_modules(reading.__path__)))


def reader_of(kind: str) -> Reader:
    """The reader of a kind; raises `ConfigurationError` for one that there is not."""
    if kind not in kinds():
        raise ConfigurationError(
            f"events of {kind[:80]!r} cannot be read{did_you_mean(kind, kinds())}: there are {', '.join(kinds())}",
            code="event_source.unknown_kind",
        )
    found: Reader = import_module(f"{reading.__name__}.{kind}").READER
    return found
