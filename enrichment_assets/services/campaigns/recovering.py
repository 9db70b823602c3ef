"""What Instantly's webhooks have not told: its list of webhook events, its inbox, and its leads are looked through.

A webhook is tried three times in half a minute and then disabled until it is resumed; meanwhile nothing is told, and
its list of events has nothing of it. So the inbox is looked through for replies, and the leads for what their records
say. What was told before has the same key, or is left out by its kind and address: nothing counts twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from enrichment_assets.domain.actors import Actor, ActorKind, name_from
from enrichment_assets.domain.delivery_events import DeliveryEvent
from enrichment_assets.domain.domains import registrable_domain
from enrichment_assets.domain.emails import normalise_email
from enrichment_assets.domain.errors import EnrichError
from enrichment_assets.domain.jsontext import json_bytes
from enrichment_assets.domain.mail_aliases import mailbox
from enrichment_assets.domain.outreach.instantly_events import read_lead, read_mail, read_try
from enrichment_assets.domain.suppression import Identity, Kind
from enrichment_assets.services.campaigns import block_list
from enrichment_assets.services.campaigns.calling import Workspace, in_workspace
from enrichment_assets.services.people.pepper import must_compare, pepper_of
from enrichment_assets.settings import Settings
from enrichment_assets.store.campaigns import told as store
from enrichment_assets.store.hq import Hq

EVENTS, MAILS, LEADS, CURSOR = "webhook-events", "emails", "leads", "cursor"
"""What a kept page is of."""

OVERLAP = timedelta(minutes=10)
"""What is asked for again: an item may be listed later than its time says."""

FIRST_DAYS = timedelta(days=30)
LEADS_EVERY = BLOCKED_EVERY = timedelta(hours=1)
SETTLED = timedelta(minutes=10)
"""For so long what a lead's record says is left to the webhook: it is tried for half a minute, and read soon after."""

MOST_ITEMS = 5_000
"""Items of one kind that one look fetches: what is older is not recovered."""

PAGE = 100
"""Items of one kept page."""


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose workspace is looked through: the connection's row, name and client."""

    source_id: int
    name: str
    client_id: int
    client: str


@dataclass(frozen=True, slots=True)
class KeptPage:
    """Items to be kept, and how far everything was looked through once they are."""

    asked: str
    body: bytes
    cursor: Mapping[str, Any] | None


class _Look:
    """One look through a workspace: each part is a method, and one that cannot be asked keeps no other back."""

    def __init__(
        self, there: Workspace, at: Mapping[str, Any], waiting: block_list.Untold, token: bytes | None, now: datetime
    ) -> None:
        self._there, self._waiting, self._token, self._now = there, waiting, token, now
        self.cursor = dict(at)
        self.pages: list[tuple[str, list[dict[str, Any]]]] = []
        self.blocked: list[str] = []
        """What was blocked there since the last look."""
        self.blocked_there: set[str] = set()
        self.leads: list[dict[str, Any]] = []
        """Leads whose records say something."""
        self.addresses: set[str] = set()
        """Addresses of all leads."""
        self.troubles: list[EnrichError] = []

    async def all(self) -> _Look:
        """Look at every part."""
        for part in (self._block, self._rearm, self._events, self._mails, self._blocked, self._all_leads):
            try:
                await part()
            except EnrichError as trouble:  # a key may lack the scope for one part: the others are looked at
                self.troubles.append(trouble)
        return self

    async def _block(self) -> None:
        """Whoever is suppressed here since the last look is blocked there."""
        await block_list.block(self._there, self._waiting.values)
        self.cursor["suppression"] = self._waiting.last

    async def _rearm(self) -> None:
        """Our webhook is resumed where it was disabled: it is ours if the last part of its address is our token."""
        if self._token is None:
            return
        async for hook in self._there.pages("/api/v2/webhooks", {}):
            last = urlsplit(str(hook.get("target_hook_url") or "")).path.rpartition("/")[2]
            if hook.get("status") == -1 and hashlib.sha256(last.encode()).digest() == self._token:
                await self._there.tell("POST", f"/api/v2/webhooks/{hook['id']}/resume", {})

    async def _events(self) -> None:
        await self._newest(EVENTS, self._there.pages("/api/v2/webhook-events", {}))

    async def _mails(self) -> None:
        await self._newest(MAILS, self._there.pages("/api/v2/emails", {"email_type": "received"}))

    async def _newest(self, asked: str, items: AsyncIterator[dict[str, Any]]) -> None:
        """Items of a list that has the newest first, back to where it was looked through before."""
        known = self.cursor.get(asked)
        since = (datetime.fromisoformat(known) - OVERLAP if known else self._now - FIRST_DAYS).isoformat()
        found, newest = list[dict[str, Any]](), str(known or "")
        async for item in items:
            at = _utc(str(item.get("timestamp_created") or item.get("timestamp_email") or ""))
            if at < since or len(found) >= MOST_ITEMS:
                break
            found.append(item)
            newest = max(newest, at)
        self.pages.append((asked, found[::-1]))
        self.cursor[asked] = newest or None

    async def _blocked(self) -> None:
        """What was blocked there since the last look is to be suppressed here."""
        if self._is_due("blocked_at", BLOCKED_EVERY):
            said = await block_list.blocked(self._there, str(self.cursor.get("blocked") or ""))
            self.blocked, self.blocked_there = said.new, said.all
            self.cursor |= {"blocked": said.newest, "blocked_at": self._now.isoformat()}

    async def _all_leads(self) -> None:
        """All leads of the workspace: a filter by status or interest is not looked at there."""
        if self._is_due("leads_at", LEADS_EVERY):
            async for lead in self._there.leads({}):
                self.addresses.add(str(lead.get("email") or ""))
                if read_lead(lead) and is_settled(lead, self._now):
                    self.leads.append(lead)
            self.cursor["leads_at"] = self._now.isoformat()

    def _is_due(self, name: str, every: timedelta) -> bool:
        before = self.cursor.get(name)
        return before is None or datetime.fromisoformat(before) + every <= self._now


def look(hq: Hq, settings: Settings, whose: Whose, cursor: Mapping[str, Any] | None) -> Iterator[KeptPage]:
    """Look through a client's workspace, and bring its block list and our suppressions together.

    Args:
        hq: The databases.
        settings: The installation.
        whose: The connection.
        cursor: How far it was looked through before; None: never.

    Yields:
        Pages to be kept, the oldest items first, then read as any message.

    Raises:
        EnrichError: Something could not be asked; everything else was, and is kept.
    """
    now, at = datetime.now(UTC), dict(cursor or {})
    waiting = block_list.untold(hq, settings, whose.client_id, int(at.get("suppression", 0)))
    with hq.transaction() as connection:
        token = store.token_of(connection, whose.source_id)
    found = in_workspace(hq, settings, whose.client, lambda there: _Look(there, at, waiting, token, now).all())
    actor = Actor(ActorKind.EVENT, name_from(whose.name))
    block_list.suppress_blocked(hq, settings, whose.client_id, found.blocked, actor=actor)
    if found.addresses:
        fresh, suppressed = _compared(hq, settings, whose, found)
        with hq.transaction() as connection:
            unread = store.is_unread(connection, whose.source_id)
        if unread:  # what they say may be what these messages tell: another look will see
            found.cursor.pop("leads_at")
        else:
            found.pages.append((LEADS, fresh))
        if suppressed:
            in_workspace(hq, settings, whose.client, lambda there: block_list.block(there, suppressed))
    for asked, items in found.pages:
        for start in range(0, len(items), PAGE):
            yield KeptPage(asked, json_bytes({"items": items[start : start + PAGE]}), None)
    yield KeptPage(CURSOR, json_bytes({"items": []}), found.cursor)
    if found.troubles:
        raise found.troubles[0]


def is_settled(lead: Mapping[str, Any], now: datetime) -> bool:
    """Whether a lead's record has stood as it is for a while, so that what it says was told, or was not."""
    changed = _utc(str(lead.get("timestamp_updated") or lead.get("timestamp_created") or ""))
    return changed <= (now - SETTLED).isoformat()


def _compared(hq: Hq, settings: Settings, whose: Whose, found: _Look) -> tuple[list[dict[str, Any]], list[str]]:
    """Leads that say what no event has told, and addresses of leads that are suppressed here and not blocked there."""
    pepper = pepper_of(hq, settings)
    with hq.transaction() as connection:
        hasher = must_compare(connection, pepper)
    ways = {one: [hasher.hashed(way) for way in _ways(one)] for one in found.addresses}
    hashes = [way for each in ways.values() for way in each]
    with hq.transaction() as connection:
        suppressed = store.suppressed(connection, whose.client_id, hashes)
        known = store.told(connection, whose.client_id, hashes)
    known |= {(hasher.hashed(_mailbox(event.address)), event.kind.value) for event in _found(found) if event.address}
    fresh = [
        lead
        for lead in found.leads
        if any((ways[str(lead["email"])][0], event.kind.value) not in known for event in read_lead(lead))
    ]
    named = [one for one, each in ways.items() if suppressed.intersection(each)]
    return fresh, sorted(one for one in named if one.casefold() not in found.blocked_there)


def _found(found: _Look) -> Iterator[DeliveryEvent]:
    """What the same look found in the list of webhook events and the inbox."""
    for asked, items in found.pages:
        for item in items:
            if asked == EVENTS:
                yield from read_try(item)
            elif asked == MAILS and (event := read_mail(item)) is not None:
                yield event


def _mailbox(address: str) -> Identity:
    return Identity(Kind.EMAIL, mailbox(address))


def _ways(address: str) -> Iterator[Identity]:
    """By what a lead could be suppressed: its mailbox, then its host and the domain that this is registered below."""
    known = normalise_email(address)
    if known is not None:
        yield _mailbox(known)
        host = known.rpartition("@")[2]
        yield from (Identity(Kind.DOMAIN, one) for one in {host, registrable_domain(host) or host})


def _utc(text: str) -> str:
    """A time as ISO 8601 in UTC, so that texts compare as times do; what is none is the oldest of all."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return ""
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
