"""What follows from what came back: suppressions, stops, corrections; all in bulk, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.delivery_events import (
    NO,
    STOPS,
    DeliveryEvent,
    EventKind,
    EventSource,
    paused_until,
)
from enrichment_assets.domain.emails import normalise_email
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.linkedin import linkedin_person
from enrichment_assets.domain.mail_aliases import mailbox
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.domain.suppression import Hasher, Identity, Kind
from enrichment_assets.services.insight.editing import Correctable
from enrichment_assets.services.people.identifying import known_as
from enrichment_assets.services.people.suppressing import Terms, write
from enrichment_assets.settings import Settings
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.database import Connection
from enrichment_assets.store.deliveries import stops as stop_store
from enrichment_assets.store.deliveries.matching import About
from enrichment_assets.store.deliveries.resolving import note_deleted
from enrichment_assets.store.deliveries.stops import NewStop
from enrichment_assets.store.results import edits as edit_store
from enrichment_assets.store.results.edits import NewEdit
from enrichment_assets.store.states.transitions import wake

EMAIL_STATUS = "email_status"
BOUNCED = "bounced"
"""Instantly's and Apollo's word, which `contact_words` knows as `invalid`."""

NOBODY = "nothing: whom it is about is not known"


@dataclass(frozen=True, slots=True)
class Kept:
    """An event that is new: its number, what it is about, and when it happened."""

    id: int
    event: DeliveryEvent
    about: About
    at: datetime


@dataclass(slots=True)
class Followed:
    """What was done: words for each event of which something followed, and how much."""

    words: dict[int, str] = field(default_factory=dict)
    suppressed: int = 0
    stopped: int = 0
    edited: int = 0


def moves_people(event: DeliveryEvent) -> bool:
    """Whether somebody is suppressed or stopped by it."""
    return event.kind in NO | STOPS | {EventKind.BOUNCED, EventKind.AUTO_REPLIED}


class Following:
    """Does what follows from the events of one source."""

    def __init__(
        self, connection: Connection, hasher: Hasher, settings: Settings, source: EventSource, actor: Actor
    ) -> None:
        self._connection = connection
        self._hasher = hasher
        self._settings = settings
        self._source = source
        self._actor = actor

    def of(self, kept: Sequence[Kept]) -> Followed:
        """Do what follows from these events. The caller commits."""
        done = Followed()
        if not kept:
            return done
        people = self._people([one for one in kept if moves_people(one.event)])
        self._suppress(kept, people, done)
        self._stop(kept, people, done)
        self._edit(kept, done)
        self._delete(kept, done)
        wake(self._connection, sorted({one.about.item_id for one in kept if one.about.item_id is not None}))
        return done

    def _people(self, kept: Sequence[Kept]) -> dict[int, frozenset[Identity]]:
        """By what the person of each event is known: what the event names, and what is known of the lead."""
        items = {one.about.item_id for one in kept if one.about.item_id is not None}
        known = known_as(self._connection, sorted(items))
        return {one.id: frozenset(named(one.event)) | known.get(one.about.item_id or 0, frozenset()) for one in kept}

    def _suppress(self, kept: Sequence[Kept], people: dict[int, frozenset[Identity]], done: Followed) -> None:
        """Whoever said no, by the address that they said it of, or else by all that is known of them."""
        by_reason: dict[EventKind, set[Identity]] = {}
        for one in kept:
            if one.event.kind not in NO | {EventKind.BOUNCED}:
                continue
            whom = set(named(one.event))
            if one.event.kind is EventKind.BOUNCED:  # which says nothing of the person's profile
                whom = {who for who in whom if who.kind is Kind.EMAIL}
            if not whom and one.event.kind in NO:
                whom = set(people[one.id])
            if whom:
                by_reason.setdefault(one.event.kind, set()).update(whom)
            done.words[one.id] = "suppressed" if whom else NOBODY
        for kind, identities in by_reason.items():
            terms = Terms(f"{kind.value}: told by {self._source.name}")
            new = write(self._connection, self._hasher, identities, terms, self._source.client_id, self._actor)
            done.suppressed += new
            if new:
                said = {"reason": terms.reason, "suppressions": new}
                self._note(Code.SUPPRESSION_ADD, said)

    def _stop(self, kept: Sequence[Kept], people: dict[int, frozenset[Identity]], done: Followed) -> None:
        """Whoever answered or said no, for good; whoever is out of office, until they are back.

        A no is said of one address, which is suppressed; nothing is sent to the person's others either.
        """
        now, stops = datetime.now(UTC), list[NewStop]()
        for one in kept:
            until = paused_until(one.event) if one.event.kind is EventKind.AUTO_REPLIED else None
            if one.event.kind not in STOPS | NO and (until is None or until <= now):
                continue
            reason = "out of office" if until is not None else one.event.kind.value.replace("_", " ")
            found = [NewStop(reason, self._hasher.hashed(who), None, until, one.id) for who in sorted(people[one.id])]
            if not found and one.about.delivery_id is not None:
                found = [NewStop(reason, None, one.about.delivery_id, until, one.id)]
            stops += found
            word = "stopped" if until is None else f"put off until {until:%Y-%m-%d}"
            if one.event.kind not in NO:
                done.words[one.id] = word if found else NOBODY
        client_id, mark = self._source.client_id, self._hasher.mark
        done.stopped += stop_store.add(self._connection, client_id, str(self._actor), stops, mark=mark)

    def _edit(self, kept: Sequence[Kept], done: Followed) -> None:
        """What a person corrected at the destination, and that an address does not exist."""
        wanted = [one for one in kept if one.event.kind in (EventKind.FIELD_CHANGED, EventKind.BOUNCED)]
        found: list[tuple[int, NewEdit]] = []
        items = [one.about.item_id for one in wanted if one.about.item_id is not None]
        if not items:
            return
        leads = edit_store.correctees(self._connection, self._source.client_id, items)
        blueprints = edit_store.blueprints(self._connection, sorted({lead.batch_id for lead in leads.values()}))
        correctable: dict[int, Correctable] = {}
        for one in wanted:
            lead = leads.get(one.about.item_id or 0)
            if lead is None:
                continue
            if one.event.kind is EventKind.BOUNCED:
                found += [(one.id, edit) for edit in self._bounce(one)]
                continue
            if lead.batch_id not in correctable:
                correctable[lead.batch_id] = Correctable(self._settings, blueprints[lead.batch_id])
            try:
                value = correctable[lead.batch_id].checked(one.event.field or "", one.event.value, lead.identity)
            except ConfigurationError as error:
                done.words[one.id] = f"nothing: {error}"
                continue
            found.append((one.id, self._correction(one, one.event.field or "", value, f"told by {self._source.name}")))
        counts = edit_store.add_edits(self._connection, [edit for _, edit in found]) if found else []
        for (number, edit), does in zip(found, counts, strict=True):
            word = f"{edit.field} edited" if does else f"nothing: {edit.field} says so, or was corrected later"
            done.words[number] = f"{done.words[number]}, {word}" if number in done.words else word
        done.edited += sum(counts)
        if any(counts):
            self._note(Code.LEAD_EDIT, {"edits": sum(counts)})

    def _delete(self, kept: Sequence[Kept], done: Followed) -> None:
        """What is gone there is not made again without a person's word."""
        gone = {
            one.about.delivery_id: one
            for one in kept
            if one.event.kind is EventKind.DELETED and one.about.delivery_id is not None
        }
        if not gone:
            return
        reasons = dict.fromkeys(gone, f"taken away there, as {self._source.name} tells")
        for number in note_deleted(self._connection, self._source.client_id, reasons):
            done.words[gone[number].id] = "deleted there"

    def _bounce(self, one: Kept) -> Iterator[NewEdit]:
        """The verdict on the address that bounced, and on no other one of the lead."""
        address = None if one.event.address is None else normalise_email(one.event.address)
        if address is not None:
            yield self._correction(one, EMAIL_STATUS, BOUNCED, address)

    def _correction(self, one: Kept, column: str, value: str | None, note: str) -> NewEdit:
        who = one.event.actor
        by = f"{self._source.kind}:{who}" if who else self._source.kind
        return NewEdit(one.about.item_id or 0, column, value, by, note, one.at)

    def _note(self, code: Code, said: dict[str, object]) -> None:
        note_action(
            self._connection, self._actor, code, self._source.name, client_id=self._source.client_id, after=said
        )


def named(event: DeliveryEvent) -> Iterator[Identity]:
    """Whom an event itself names: by address and by profile."""
    if event.address is not None and (address := normalise_email(event.address)) is not None:
        yield Identity(Kind.EMAIL, mailbox(address))
    if event.linkedin_url is not None and (page := linkedin_person(event.linkedin_url)) is not None:
        yield Identity(Kind.LINKEDIN, page)
