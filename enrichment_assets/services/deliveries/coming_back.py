"""What came back of deliveries is kept, each once, and what follows from it is done in the same transaction.

Whoever says no is suppressed for this client; an address that does not exist is not written to again; a reply stops
what would follow, an auto-reply puts it off; a rep's correction is an edit. `services.deliveries.following` says how.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from enrichment_assets.domain.actors import Actor, ActorKind, name_from
from enrichment_assets.domain.delivery_events import DeliveryEvent, EventSource, happened_at, kept_data, kept_text
from enrichment_assets.domain.delivery_keys import identities_of_lead
from enrichment_assets.domain.suppression import Hasher
from enrichment_assets.services.deliveries.following import Following, Kept, named
from enrichment_assets.services.people.pepper import must_compare, pepper_of
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import Connection
from enrichment_assets.store.deliveries import events as store
from enrichment_assets.store.deliveries.matching import About, Asked, find
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.outgoing.events import tell_of_events

AT_ONCE = 1_000
"""Events that are taken in one transaction."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of events.

    Attributes:
        new: Events that were not known.
        known: Events that had come before; nothing follows from them.
        suppressed: Suppressions that they made.
        stopped: Stops that they made.
        edited: Corrections that count.
    """

    new: int = 0
    known: int = 0
    suppressed: int = 0
    stopped: int = 0
    edited: int = 0

    def __add__(self, other: Taken) -> Taken:
        """Both together."""
        return Taken(
            self.new + other.new,
            self.known + other.known,
            self.suppressed + other.suppressed,
            self.stopped + other.stopped,
            self.edited + other.edited,
        )


def take(hq: Hq, settings: Settings, source: EventSource, events: Sequence[DeliveryEvent]) -> Taken:
    """Keep events and do what follows from those that are new; doing it again changes nothing.

    Args:
        hq: The databases.
        settings: The installation.
        source: Where they come from; only leads and people of its client are touched.
        events: In the order in which they happened, as far as that is known.

    Raises:
        ConfigurationError: The pepper is missing or another: nobody could be known. Nothing was kept.
    """
    pepper = pepper_of(hq, settings)
    done = Taken()
    for start in range(0, len(events), AT_ONCE):
        with hq.transaction() as connection:
            hasher = must_compare(connection, pepper)
            done += take_in(connection, hasher, settings, source, events[start : start + AT_ONCE])
    return done


# crash point: events-are-taken
def take_in(
    connection: Connection,
    hasher: Hasher,
    settings: Settings,
    source: EventSource,
    events: Sequence[DeliveryEvent],
) -> Taken:
    """`take` within a transaction of the caller's, who holds the lock of suppressions (`pepper.must_compare`)."""
    now = datetime.now(UTC)
    abouts = find(connection, source.client_id, [_asked(event) for event in events])
    rows = [_row(event, about, hasher, now) for event, about in zip(events, abouts, strict=True)]
    ids = store.add(connection, source.client_id, source.name, rows)
    new = list(_first_of_each(events, abouts, ids, now))
    following = Following(connection, hasher, settings, source, Actor(ActorKind.EVENT, name_from(source.name)))
    done = following.of(new)
    store.note_followed(connection, done.words)
    tell_of_events(connection, source.client_id, list(ids.values()))
    return Taken(len(ids), len(events) - len(ids), done.suppressed, done.stopped, done.edited)


def _first_of_each(
    events: Sequence[DeliveryEvent], abouts: Sequence[About], ids: dict[str, int], now: datetime
) -> Iterator[Kept]:
    """The new events in their order; of several with one key the first."""
    left = dict(ids)
    for event, about in zip(events, abouts, strict=True):
        if (number := left.pop(event.key, None)) is not None:
            yield Kept(number, event, about, happened_at(event, now))


def _asked(event: DeliveryEvent) -> Asked:
    named = {"email": event.address, "linkedin_url": event.linkedin_url}
    return Asked(
        event.delivery_id,
        kept_text(event.destination),
        kept_text(event.external_id),
        kept_text(event.message_id),
        event.item_id,
        [one.sha256 for one in identities_of_lead(list(named), named)],
    )


def _row(event: DeliveryEvent, about: About, hasher: Hasher, now: datetime) -> store.NewEvent:
    who = next(named(event), None)
    return store.NewEvent(
        key=event.key,
        kind=event.kind.value,
        happened_at=happened_at(event, now),
        delivery_id=about.delivery_id,
        batch_id=about.batch_id,
        item_id=about.item_id,
        destination=about.destination or kept_text(event.destination),
        external_id=about.external_id or kept_text(event.external_id),
        hash=None if who is None else hasher.hashed(who),
        actor=kept_text(event.actor),
        data=_data(event),
        inbox_id=event.inbox_id,
    )


def _data(event: DeliveryEvent) -> dict[str, Any]:
    """What is kept of an event beside what it is about: only what it says."""
    said = {
        "address": kept_text(event.address),
        "field": kept_text(event.field),
        "value": kept_text(event.value),
        "until": None if event.until is None else event.until.isoformat(),
        "reason": kept_text(event.reason),
    }
    return {**kept_data(event.data), **{name: value for name, value in said.items() if value is not None}}
