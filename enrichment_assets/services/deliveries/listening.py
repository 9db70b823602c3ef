"""Reading what came: connections are asked, kept messages are read, and what they tell is taken.

A message is kept before anything else, and read from what was kept. One that cannot be read is dead, and says why; it
is read again when somebody says so (`connections.replay`). Reading a message twice changes nothing: events have keys.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import psycopg

from enrichment_assets.domain.bodies import BodyEncodingError, plain_body
from enrichment_assets.domain.delivery_events import DeliveryEvent, EventSource
from enrichment_assets.domain.errors import EnrichError, NotFoundError
from enrichment_assets.domain.suggestions import did_you_mean
from enrichment_assets.services.deliveries.coming_back import AT_ONCE, Taken, take_in
from enrichment_assets.services.deliveries.readers import Reader, Received, UnreadableError, reader_of
from enrichment_assets.services.people.pepper import must_compare, pepper_of
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import Connection
from enrichment_assets.store.deliveries import inbox, sources
from enrichment_assets.store.deliveries.sources import Connected
from enrichment_assets.store.hq import Hq

MESSAGES = 100
"""Messages that are begun together."""

NOT_SIGNED = "it is not signed by the connection's secret"
TOO_OFTEN = "reading it has ended the process each time"


@dataclass(slots=True)
class Listened:
    """What was done: messages read and dead, and what became of their events.

    Attributes:
        read: Messages that were read.
        dead: Messages that could not be.
        asked: Connections that were asked.
        taken: What became of the events.
        troubles: Connection -> why it could not be asked, or its messages wait.
    """

    read: int = 0
    dead: int = 0
    asked: int = 0
    taken: Taken = field(default_factory=Taken)
    troubles: dict[str, str] = field(default_factory=dict)


def listen(hq: Hq, settings: Settings, seconds: float, *, name: str | None = None) -> Listened:
    """Ask connections that are due (or one of this name, due or not), and read what is kept, for some seconds.

    Raises:
        NotFoundError: There is no connection of that name.
        ConfigurationError: The pepper is missing or another: nobody could be known. Messages wait.
    """
    until, done = time.monotonic() + seconds, Listened()
    with hq.transaction() as connection:
        asked = sources.due(connection) if name is None else [existing(connection, name)]
    for source in asked:
        if time.monotonic() < until:
            _ask(hq, settings, source, until, done)
    only = asked[0].id if name is not None and asked else None
    blocked: set[int] = set()
    while time.monotonic() < until:
        with hq.transaction() as connection:
            messages = inbox.begin(connection, MESSAGES, only)
        if not [one for one in messages if one.source_id not in blocked]:
            _put_back(hq, messages)
            break
        blocked |= _read(hq, settings, messages, blocked, done)
    return done


def existing(connection: Connection, name: str, *, lock: bool = False, client: str | None = None) -> Connected:
    """The connection of that name; `client`: only where it is theirs. Raises `NotFoundError`."""
    found = sources.find(connection, name, lock=lock)
    if found is None or client not in (None, found.client):
        known = [one.name for one in sources.listed(connection) if client in (None, one.client)]
        raise NotFoundError(
            f"events come by no connection {name[:80]!r}{did_you_mean(name, known)}", code="event_source.not_found"
        )
    return found


def secret_of(source: Connected, environment: Mapping[str, str] | None = None) -> str | None:
    """What the connection's variable holds; None: it names none.

    Raises `EnrichError` where it is not set: its messages wait.
    """
    if source.secret_variable is None:
        return None
    found = (os.environ if environment is None else environment).get(source.secret_variable, "")
    if not found:
        raise EnrichError(
            f"the environment variable {source.secret_variable} is not set", code="event_source.secret_missing"
        )
    return found


def _ask(hq: Hq, settings: Settings, source: Connected, until: float, done: Listened) -> None:
    """Keep what a connection answers, page by page with the cursor; what broke off goes on from there."""
    reader = reader_of(source.kind)
    if reader.poll is None:
        return
    done.asked += 1
    error = None
    try:
        for page in reader.poll(hq, settings, source, secret_of(source)):
            with hq.transaction() as connection:
                inbox.keep_polled(connection, source.id, source.client_id, [(page.asked, page.body)], page.content_type)
                sources.note_asked(connection, source.id, page.cursor, None)
            if time.monotonic() > until:
                return
    except EnrichError as trouble:
        error = str(trouble)
        done.troubles[source.name] = error
    with hq.transaction() as connection:
        sources.note_asked(connection, source.id, None, error)


def _read(hq: Hq, settings: Settings, messages: Sequence[inbox.Message], blocked: set[int], done: Listened) -> set[int]:
    """Read messages that were begun; connections whose messages have to wait."""
    with hq.transaction() as connection:
        known = sources.by_id(connection, sorted({one.source_id for one in messages}))
    waiting: set[int] = set()
    for source_id, source in known.items():
        mine = [one for one in messages if one.source_id == source_id]
        if source_id in blocked:
            _put_back(hq, mine)
            continue
        try:
            secret = secret_of(source)
        except EnrichError as trouble:
            waiting.add(source_id)
            done.troubles[source.name] = str(trouble)
            with hq.transaction() as connection:
                sources.note_trouble(connection, source.id, str(trouble))
            _put_back(hq, mine)
            continue
        _take(hq, settings, source, secret, mine, done)
    return waiting


def _take(
    hq: Hq,
    settings: Settings,
    source: Connected,
    secret: str | None,
    messages: Sequence[inbox.Message],
    done: Listened,
) -> None:
    """Read messages of one connection and take their events: what is read is marked with what follows from it."""
    reader, pepper = reader_of(source.kind), pepper_of(hq, settings)
    origin = EventSource(source.client_id, source.name, source.kind, source.id)
    left = list(messages)
    try:
        while left:
            error, events = _events(hq, reader, source, secret, left[0])
            taken = Taken()
            with hq.transaction() as connection:
                hasher = must_compare(connection, pepper)
                for start in range(0, len(events), AT_ONCE):
                    taken += take_in(connection, hasher, settings, origin, events[start : start + AT_ONCE])
                inbox.mark(connection, [(left[0].id, error)])
                if reader.poll is None:  # a poll notes itself how it fared
                    sources.note_trouble(connection, source.id, None)
            done.taken += taken
            done.read += error is None
            done.dead += error is not None
            left.pop(0)
    except EnrichError:  # the platform's own trouble: it is nothing that this message did
        _put_back(hq, left)
        raise
    except Exception:
        _put_back(hq, left[1:])
        raise


def _events(
    hq: Hq, reader: Reader, source: Connected, secret: str | None, message: inbox.Message
) -> tuple[str | None, list[DeliveryEvent]]:
    """The events of a message, or why it is dead."""
    if message.readings > inbox.MOST_READINGS:
        return TOO_OFTEN, []
    try:
        received = Received(
            message.id,
            source,
            message.headers,
            plain_body(message.body, message.headers.get("content-encoding")),
            message.body,
            message.received_at,
            secret,
        )
        if received.polled is None and reader.is_authentic is not None and not reader.is_authentic(received):
            return NOT_SIGNED, []
        return None, [replace(event, inbox_id=message.id) for event in _bounded(_told(hq, reader, received))]
    except (UnreadableError, BodyEncodingError) as error:
        return str(error), []
    except psycopg.Error:  # what is known could not be looked up: that is nothing of the message's
        raise
    except Exception as error:  # a reader that fails makes a dead message, and no connection that stands still
        return f"the reader failed: {type(error).__name__}", []


def _told(hq: Hq, reader: Reader, received: Received) -> Iterable[DeliveryEvent]:
    """What a message tells, to a reader who looks at what was sent where its kind needs that."""
    if reader.look_up is not None:
        with hq.transaction() as connection:
            return list(reader.look_up(connection, received))
    return reader.read(received) if reader.read is not None else ()


def _bounded(events: Iterable[DeliveryEvent]) -> Iterable[DeliveryEvent]:
    """Of a message at most so many events: SendGrid posts some thousands, and nobody a million."""
    for count, event in enumerate(events):
        if count >= MOST_EVENTS:
            raise UnreadableError(f"it has more than {MOST_EVENTS} events")
        yield event


MOST_EVENTS = 50_000


def _put_back(hq: Hq, messages: Sequence[inbox.Message]) -> None:
    if messages:
        with hq.transaction() as connection:
            inbox.put_back(connection, [one.id for one in messages])
