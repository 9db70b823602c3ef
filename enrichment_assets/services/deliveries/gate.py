"""The send gate: which leads of a batch may be contacted, and why not; for a plan, a dry run and a list of drafts.

Leads come in pieces and in the order of their items. For each piece there are a few statements, whatever its size; what
the warehouse knows is read beside it. Leads that pass are noted when they are going (`reserves`), under a lock of their
client: two batches that are planned at the same time count each other's people.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Protocol, Self

from enrichment_assets.domain.emails import normalise_email
from enrichment_assets.domain.gate.companies import PERSON, Company, Seats, company_of
from enrichment_assets.domain.gate.countries import Consent
from enrichment_assets.domain.gate.judging import (
    COLUMNS,
    Case,
    Contact,
    Entry,
    Evidence,
    Known,
    refusals,
    wanted_consent,
)
from enrichment_assets.domain.gate.rules import ListKind, Policy, Refusal, Rule, policy_of
from enrichment_assets.domain.linkedin import linkedin_person
from enrichment_assets.domain.mail_aliases import mailbox
from enrichment_assets.domain.pipeline import BlueprintStep
from enrichment_assets.domain.suppression import Hasher, Identity, Kind, identities_of
from enrichment_assets.engine.run.context import Batch
from enrichment_assets.services.deliveries.evidence import EvidenceReader
from enrichment_assets.services.people.pepper import pepper_of
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import Connection
from enrichment_assets.store.deliveries import gate as store
from enrichment_assets.store.deliveries import stops
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.suppressions import suppressions

_WHOLE = frozenset({Kind.PHONE.value, Kind.PERSON.value})
"""Kinds of suppressions for which a lead is looked through whole; else its address, profile and domains are enough."""


class Lead(Protocol):
    """A row of `final_leads`."""

    @property
    def item_id(self) -> int:
        """Its item."""
        ...

    @property
    def values(self) -> Mapping[str, Any]:
        """Columns of it, at least those that the gate reads."""
        ...


@dataclass(frozen=True, slots=True)
class Passing:
    """Which delivery of which batch leads are to pass for.

    Attributes:
        workflow: Slug of the delivery.
        identity: Columns by which it knows leads: with `email` among them it writes to the address.
        reserves: Leads that pass are going: people and companies count them from now on.
        simulated: They go to the simulator: it counts nobody of the real world, and is counted by nobody there.
    """

    client_id: int
    client: str
    batch_id: int
    batch_key: str
    workflow: str
    identity: Sequence[str]
    reserves: bool
    simulated: bool = False


def passing_of(batch: Batch, step: BlueprintStep, *, reserves: bool) -> Passing:
    """What leads of a batch are to pass for at one of its deliveries."""
    delivery = step.workflow.delivery
    return Passing(
        batch.client_id,
        batch.client_slug,
        batch.batch_id,
        batch.batch_key,
        step.slug,
        () if delivery is None else delivery.identity,
        reserves,
        bool(batch.blueprint.simulated),
    )


@dataclass(slots=True)
class _Piece:
    """A lead with what it is compared by."""

    item_id: int
    lead: Mapping[str, Any]
    company: Company
    email: bytes | None
    profile: bytes | None
    who: bytes

    @property
    def hashes(self) -> list[bytes]:
        return [one for one in (self.email, self.profile) if one is not None]

    @property
    def person(self) -> bytes:
        """By what the person is counted; of somebody without address and profile, by the item."""
        return self.email or self.profile or self.item_id.to_bytes(8, "big")


class Gate:
    """The gate before one delivery of one batch. `with` closes its files.

    Attributes:
        policy: The rules as they are in force for the client.
        columns: Columns of `final_leads` that it reads.
    """

    def __init__(self, hq: Hq, settings: Settings, passing: Passing, only: Collection[int] | None = None) -> None:
        """Read the client's rules; leads are read when they are asked about. `only`: no other items are."""
        self._hq, self._passing = hq, passing
        pepper = pepper_of(hq, settings)
        self._hasher = None if pepper is None else Hasher(pepper)
        with hq.transaction() as connection:
            self.policy: Policy = policy_of(store.changed_rules(connection, passing.client_id))
            self._state = suppressions.state(connection)
            self._has_stops = store.has_stops(connection, passing.client_id)
            self._has_lists = store.has_lists(connection, passing.client_id)
            self._sequence = _before(store.sequence_of(connection, passing.batch_id), passing.workflow)
        owner = self.policy.value(Rule.OTHER_OWNER, "field")
        self._owner = owner if owner else None
        self._evidence = EvidenceReader(settings, passing.client, passing.batch_key, only)
        self._taken = Seats()

    @property
    def columns(self) -> frozenset[str]:
        """Columns of `final_leads` that it reads."""
        return frozenset(COLUMNS) | ({self._owner} if self._owner else frozenset())

    def __enter__(self) -> Self:
        """Nothing is opened yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the files."""
        self.close()

    def close(self) -> None:
        """Let go of the files."""
        self._evidence.close()

    def refused(self, leads: Sequence[Lead]) -> dict[int, list[Refusal]]:
        """Item -> why it may not be contacted, for those that may not; the others pass.

        Each piece is told apart in one transaction; leads within it, and of pieces before it, count for each other.
        """
        evidence = self._evidence.of([lead.item_id for lead in leads])
        pieces = [self._piece(lead) for lead in leads]
        with self._hq.transaction() as connection:
            if self._passing.reserves:
                store.lock(connection, self._passing.client_id)
            known = self._known(connection, pieces)
            seats = self._seats(connection, pieces)
            found: dict[int, list[Refusal]] = {}
            going = []
            for piece in pieces:
                one = known[piece.item_id]
                here = (piece.company, piece.person)
                one.colleagues = len(seats.others(*here) | self._taken.others(*here))
                said = refusals(self._case(piece, evidence.get(piece.item_id) or Evidence(), one))
                if said:
                    found[piece.item_id] = said
                    continue
                going.append(piece)
                target = seats if self._passing.reserves else self._taken
                target.add(piece.person, piece.company.hosts, piece.company.name)
            if self._passing.reserves and going:
                passing = self._passing
                contacts = [self._contact(piece) for piece in going]
                ids = (passing.client_id, passing.batch_id, passing.workflow)
                store.reserve(connection, *ids, contacts, simulated=passing.simulated)
        return found

    def _case(self, piece: _Piece, evidence: Evidence, known: Known) -> Case:
        by_email = "email" in self._passing.identity
        return Case(piece.lead, evidence, known, self.policy, datetime.now(UTC), by_email)

    def _piece(self, lead: Lead) -> _Piece:
        values = lead.values
        email, profile = _email(values), _profile(values)
        company = company_of(values)
        hashed = self._hashed
        return _Piece(
            lead.item_id, values, company, hashed(email), hashed(profile), self._who(values, company, email, profile)
        )

    def _hashed(self, identity: Identity | None) -> bytes | None:
        return None if identity is None or self._hasher is None else self._hasher.hashed(identity)

    def _who(
        self, values: Mapping[str, Any], company: Company, email: Identity | None, profile: Identity | None
    ) -> bytes:
        """Hashes of all by whom the lead could be suppressed or stopped."""
        if self._hasher is None or not (self._state.kinds or self._has_stops):
            return b""
        if self._state.kinds & _WHOLE:
            return self._hasher.together(identities_of([values], values, person=True))
        domains = [Identity(Kind.DOMAIN, host) for host in company.above]
        return self._hasher.together([one for one in (email, profile) if one is not None] + domains)

    def _known(self, connection: Connection, pieces: Sequence[_Piece]) -> dict[int, Known]:
        """What HQ knows of these leads."""
        client = self._passing.client_id
        found = {piece.item_id: Known() for piece in pieces}
        whos = [piece.who for piece in pieces]
        if self._state.kinds:
            for piece, reason in zip(pieces, suppressions.reasons(connection, client, whos), strict=True):
                found[piece.item_id].suppressed = reason
        if self._has_stops:
            for piece, stop in zip(pieces, stops.stopped(connection, client, whos, [None] * len(whos)), strict=True):
                # A pause is waited for: whoever is out of office is planned, and written to when they are back.
                found[piece.item_id].stopped = stop[0] if stop is not None and stop[1] is None else None
        for item, rules in store.passes_of(connection, client, list(found)).items():
            found[item].passes = frozenset(map(Rule, rules))
        hashes = [one for piece in pieces for one in piece.hashes]
        consents = store.consents_of(connection, client, hashes) if hashes else {}
        for piece in pieces:
            kinds = {kind for one in piece.hashes for kind in consents.get(one, ())}
            found[piece.item_id].consents = frozenset(map(Consent, kinds))
        self._note_entries(connection, pieces, found)
        self._note_contacts(connection, pieces, hashes, found)
        return found

    def _note_entries(self, connection: Connection, pieces: Sequence[_Piece], found: dict[int, Known]) -> None:
        if not self._has_lists:
            return
        keys = {piece.item_id: [*piece.company.keys, *person_keys(piece.hashes)] for piece in pieces}
        every = {key for listed in keys.values() for key in listed}
        rows = store.entries_of(connection, self._passing.client_id, list(every))
        by_key: dict[str, list[Entry]] = {}
        for row in rows:
            by_key.setdefault(row.key, []).append(Entry(ListKind(row.kind), row.label, row.owner))
        for item, listed in keys.items():
            found[item].entries = tuple(entry for key in listed for entry in by_key.get(key, ()))

    def _note_contacts(
        self, connection: Connection, pieces: Sequence[_Piece], hashes: Sequence[bytes], found: dict[int, Known]
    ) -> None:
        """The last contact of each person, but for this very lead and earlier steps of the same sequence."""
        if not hashes or not self.policy.is_on(Rule.RECENTLY_CONTACTED):
            return
        days = self.policy.value(Rule.RECENTLY_CONTACTED, "days")
        passing = self._passing
        rows = store.contacted(connection, passing.client_id, hashes, days, self._sequence, simulated=passing.simulated)
        by_hash: dict[bytes, list[store.ContactRow]] = {}
        for row in rows:
            for one in {bytes(row.person), *([bytes(row.profile)] if row.profile is not None else [])}:
                by_hash.setdefault(one, []).append(row)
        for piece in pieces:
            for row in (row for one in piece.hashes for row in by_hash.get(one, ())):
                if (row.item_id, row.workflow_slug) != (piece.item_id, self._passing.workflow):
                    found[piece.item_id].contact = Contact(row.workflow_slug, row.at)
                    break

    def _seats(self, connection: Connection, pieces: Sequence[_Piece]) -> Seats:
        """People of the same companies who were contacted, or are about to be; not these very leads."""
        seats = Seats()
        if not self.policy.is_on(Rule.COMPANY_CAP):
            return seats
        hosts = {host for piece in pieces for host in piece.company.hosts}
        above = {host for piece in pieces for host in piece.company.above}
        names = {piece.company.name for piece in pieces if piece.company.name is not None}
        days = self.policy.value(Rule.COMPANY_CAP, "days")
        mine = {piece.item_id for piece in pieces}
        asked = (list(hosts), list(above), list(names), days)
        passing = self._passing
        for row in store.seats_of(connection, passing.client_id, *asked, simulated=passing.simulated):
            if row.workflow_slug != passing.workflow or row.item_id not in mine:
                seats.add(bytes(row.person), row.hosts, row.company_name)
        return seats

    def _contact(self, piece: _Piece) -> store.NewContact:
        """What is noted of a lead that passed."""
        company, wanted = piece.company, wanted_consent(piece.lead, self.policy)
        return store.NewContact(
            piece.item_id,
            piece.person,
            piece.profile,
            sorted(company.hosts),
            sorted(company.above),
            company.name,
            [*company.keys, *person_keys(piece.hashes)],
            None if wanted is None else sorted(wanted.accepts),
        )


def person_keys(hashes: Iterable[bytes]) -> list[str]:
    """Keys of entries in a client's lists that mean a person, by their hashes."""
    return [f"{PERSON}{one.hex()}" for one in hashes]


def _before(sequence: Mapping[str, str], workflow: str) -> list[str]:
    """The steps of a sequence before one, the nearest first."""
    found = [workflow]
    while (before := sequence.get(found[-1])) is not None and before not in found:
        found.append(before)
    return found[1:]


def _email(values: Mapping[str, Any]) -> Identity | None:
    text = values.get("email")
    address = normalise_email(text) if isinstance(text, str) else None
    return None if address is None else Identity(Kind.EMAIL, mailbox(address))


def _profile(values: Mapping[str, Any]) -> Identity | None:
    text = values.get("linkedin_url")
    page = linkedin_person(text) if isinstance(text, str) else None
    return None if page is None else Identity(Kind.LINKEDIN, page)
