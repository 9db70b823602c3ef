"""Mails get their places in mailboxes' days: who may leave today and tomorrow, from where, and at what moment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from enrichment_assets.domain.countries import region_of
from enrichment_assets.domain.mail.addresses import MailAddress, mail_address
from enrichment_assets.domain.mail.mailboxes import LOOPBACK
from enrichment_assets.domain.mail.refusals import MailRefusedError
from enrichment_assets.domain.mail.schedule import Box, Day, Desk, Place, Wanted, next_look
from enrichment_assets.domain.mail.zones import zone_of
from enrichment_assets.providers import PROVIDERS
from enrichment_assets.services.mail.domain_standing import refusal
from enrichment_assets.store.database import Connection
from enrichment_assets.store.mail import mailboxes, places
from enrichment_assets.store.mail.mailboxes import Mailbox, Usage
from enrichment_assets.store.mail.places import Held, Waiting

MOST = 5_000
"""Mails that are given places in one transaction."""

LOOKED_AT_AGAIN = 200
"""Days after which a mail without a place is looked at again at the latest, however long the queue is."""


def mail_providers(names: Iterable[str]) -> list[str]:
    """Those of these providers whose deliveries leave from mailboxes."""
    known = (PROVIDERS.get(name) for name in dict.fromkeys(names))
    return [one.name for one in known if one is not None and one.mailboxes is not None]


WITHOUT_MAILBOX = timedelta(hours=6)
"""Until mails look again that have no mailbox to leave from; one that is added or resumed wakes them at once."""


@dataclass(frozen=True, slots=True)
class Given:
    """How many mails got a place, and how many have to wait for a later day."""

    placed: int
    later: int


# crash point: mails-get-places
def place_mails(connection: Connection, client_id: int, providers: Sequence[str], now: datetime) -> Given:
    """Give a client's mails that are due their places for today and tomorrow; the caller commits.

    Args:
        connection: HQ database, in a transaction: the client's mailboxes stay locked until it ends.
        client_id: Whose.
        providers: Providers whose mails leave from mailboxes.
        now: When it is.
    """
    boxes = mailboxes.listed(connection, client_id, lock=True)
    places.settle(connection, client_id)
    places.give_back(connection, [one.id for one in boxes if one.paused_at is not None], now)
    places.give_back_held(connection, client_id, now)
    places.give_back_corrected(connection, client_id)
    wanting = places.waiting(connection, client_id, providers, now, MOST)
    if not wanting:
        return Given(0, 0)
    desk_boxes = _boxes(connection, boxes, now)
    given, later = _placed(Desk(desk_boxes, now), wanting)
    places.take(connection, client_id, given)
    places.look_later(connection, [(one, _next_look(desk_boxes, now, rank)) for rank, one in enumerate(later)])
    return Given(len(given), len(later))


def _next_look(boxes: Sequence[Box], now: datetime, rank: int) -> datetime:
    """When a mail looks again that found no place and has so many before it: as the day begins on which it may."""
    if not boxes:
        return now + WITHOUT_MAILBOX
    a_day = max(1, sum(box.cap(box.today(now), box.today(now)) for box in boxes))
    return next_look(boxes[0].zone, now, min(1 + rank // a_day, LOOKED_AT_AGAIN))


def foreseen(
    connection: Connection, client_id: int, providers: Sequence[str], now: datetime, days: int
) -> list[tuple[Waiting, Place | None]]:
    """Where every planned mail of a client would go if nothing changed, in so many days; None: not within them.

    Nothing is written.
    """
    boxes = mailboxes.listed(connection, client_id)
    desk = Desk(_boxes(connection, boxes, now), now, days)
    wanting = places.waiting(connection, client_id, providers, now, MOST, due=False)
    return [(one, desk.place(wanted)) for one, wanted in _wanted(wanting)]


def _boxes(connection: Connection, boxes: Iterable[Mailbox], now: datetime) -> list[Box]:
    """The mailboxes that mail may leave from, with what is taken of their days."""
    active = [one for one in boxes if held_back(connection, one) is None]
    ids = [one.id for one in active]
    used, taken = mailboxes.usage(connection, ids, now), places.held(connection, ids, now)
    return [_box(one, used[one.id], [place for place in taken if place.mailbox_id == one.id]) for one in active]


def held_back(connection: Connection, mailbox: Mailbox) -> str | None:
    """Why no mail leaves from a mailbox; None: it does. One whose server is on this machine needs no check of DNS."""
    if mailbox.paused_at is not None:
        return f"paused: {mailbox.paused_reason}"
    if str(mailbox.settings.get("host", "")).lower() in LOOPBACK:
        return None
    return refusal(connection, mailbox)


def _box(one: Mailbox, used: Usage, taken: Iterable[Held]) -> Box:
    days: dict[date, Day] = {}
    for place in taken:
        days.setdefault(place.day, Day()).taken[place.slot] = (place.moment, place.domain)
    return Box(
        id=one.id,
        address=one.address,
        zone=one.time_zone,
        country=one.country,
        window=(one.window_from, one.window_until),
        daily_cap=one.daily_cap,
        domain_cap=one.domain_cap,
        ramp=one.ramp,
        days_sent=used.days_sent,
        days=days,
    )


def _placed(desk: Desk, wanting: Iterable[Waiting]) -> tuple[list[tuple[Waiting, Place, str]], list[Waiting]]:
    given, later = [], []
    for one, wanted in _wanted(wanting):
        place = desk.place(wanted)
        if place is None:
            later.append(one)
        else:
            given.append((one, place, wanted.domain))
    return given, later


def _wanted(wanting: Iterable[Waiting]) -> Iterable[tuple[Waiting, Wanted]]:
    zones: dict[tuple[str | None, str | None, str | None], str | None] = {}
    for one in wanting:
        where = (one.country, one.state, one.city)
        if where not in zones:
            zones[where] = zone_of(*where)
        yield (
            one,
            Wanted(
                key=one.item_id,
                domain=receiving_domain(one.recipient),
                not_before=one.not_before,
                zone=zones[where],
                country=region_of(one.country),
                mailbox=one.mailbox_id,
            ),
        )


def receiving_domain(address: str) -> str:
    """Where an address goes; of one that is none what stands behind its @: the message will be refused."""
    try:
        found: MailAddress = mail_address(address)
    except MailRefusedError:
        return address.rpartition("@")[2][:253]
    return found.domain
