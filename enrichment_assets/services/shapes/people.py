"""People: who may not be bought, called or written to, where somebody stands, and who was erased."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from enrichment_assets.services.shapes.shape import Shape

if TYPE_CHECKING:
    from enrichment_assets.services.insight import golden
    from enrichment_assets.services.people import access, importing, suppressing


@dataclass(frozen=True, slots=True)
class Suppression(Shape):
    """Somebody who said no.

    Attributes:
        id: Its number.
        client: For whom; null: for every client.
        kind: `email`, `domain`, `phone`, `linkedin` or `person`.
        value: Whom: masked, but with `--plain`; null: an erased person's hash alone, or sealed with another pepper.
        reason: Why.
        actor: Who said so.
        created_at: When.
        expires_at: Until when; null: for good.
    """

    id: int
    client: str | None
    kind: str
    value: str | None
    reason: str
    actor: str
    created_at: datetime
    expires_at: datetime | None

    @classmethod
    def of(cls, one: suppressing.Suppressed) -> Suppression:
        """From what the services return."""
        return cls(one.id, one.client, one.kind, one.value, one.reason, one.actor, one.created_at, one.expires_at)


@dataclass(frozen=True, slots=True)
class SuppressionChange(Shape):
    """Somebody was suppressed, or may be asked about again.

    Attributes:
        kind: What names them.
        client: For whom; null: for every client.
        suppressions: How many were added or removed; 0: they were suppressed before.
    """

    kind: str
    client: str | None
    suppressions: int


@dataclass(frozen=True, slots=True)
class SuppressionFault(Shape):
    """A row of which nobody can be suppressed.

    Attributes:
        line: Its line in the file.
        reason: Why.
    """

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class SuppressionImport(Shape):
    """What a list of people who said no came to.

    Attributes:
        rows: Rows that were read.
        added: Identities that were not suppressed before.
        known: Identities that were.
        kinds: Kind to identities of the list.
        not_understood: Rows that name nobody.
        faults: The first of those.
    """

    rows: int
    added: int
    known: int
    kinds: Mapping[str, int]
    not_understood: int
    faults: tuple[SuppressionFault, ...]

    @classmethod
    def of(cls, report: importing.ImportReport) -> SuppressionImport:
        """From what the services return."""
        faults = tuple(SuppressionFault(fault.line, fault.reason) for fault in report.faults)
        return cls(report.rows, report.added, report.known, report.kinds, report.not_understood, faults)


@dataclass(frozen=True, slots=True)
class PersonTrace(Shape):
    """Where a person stands.

    Attributes:
        place: `HQ`, `uploads`, `workspace`, `warehouse`, `Dagster` or `files`.
        where: Its table, model, or kind of file.
        rows: Rows (of files: files) that are theirs or name them.
    """

    place: str
    where: str
    rows: int


@dataclass(frozen=True, slots=True)
class PersonLeft(Shape):
    """Something of a person's that somebody has to look after.

    Attributes:
        where: A path, a table or a webhook.
        why: Why it is not done by the platform.
    """

    where: str
    why: str


@dataclass(frozen=True, slots=True)
class PersonFound(Shape):
    """Who somebody is here, and where they stand. No value of theirs is in it.

    Attributes:
        items: Numbers of their items.
        known_by: Kind to how many identities: `email`, `linkedin`, `person`.
        shared: Addresses and numbers of theirs that others have too: by those nothing is looked for.
        traces: Where they stand.
        left: What somebody has to look after.
    """

    items: tuple[int, ...]
    known_by: Mapping[str, int]
    shared: int
    traces: tuple[PersonTrace, ...]
    left: tuple[PersonLeft, ...]

    @classmethod
    def of(cls, found: access.Found) -> PersonFound:
        """From what the services return."""
        kinds = Counter(one.kind.value for one in found.person.identities)
        traces = tuple(PersonTrace(one.place, one.where, one.rows) for one in found.traces.found)
        left = tuple(PersonLeft(one.where, one.why) for one in found.traces.left)
        return cls(found.person.items, dict(sorted(kinds.items())), found.person.shared, traces, left)


@dataclass(frozen=True, slots=True)
class PersonExport(Shape):
    """A person's data was written to a file.

    Attributes:
        path: The file.
        rows: How many rows it has.
    """

    path: str
    rows: int


@dataclass(frozen=True, slots=True)
class Certificate(Shape):
    """What an erasure did. It holds counts, times and hashes, and no value of the person.

    Attributes:
        erasure: Its number.
        subject: What the log of changes calls the person: the beginning of a keyed hash.
        client: For whom; null: for every client.
        reason: Why.
        actor: Who said so.
        requested_at: When it was asked for.
        finished_at: When it was done.
        identities: By how many hashes the person is kept out.
        items: How many items are without a person.
        shared: Addresses and numbers of theirs that others have too: by those nothing was looked for.
        places: Place to what was done there, and when.
        still_found: Where something was found after it.
        left_to_a_person: What somebody has to look after.
    """

    erasure: int
    subject: str
    client: str | None
    reason: str
    actor: str
    requested_at: str
    finished_at: str
    identities: int
    items: int
    shared: int
    places: Mapping[str, Any]
    still_found: tuple[PersonTrace, ...]
    left_to_a_person: tuple[PersonLeft, ...]

    @classmethod
    def of(cls, certificate: Mapping[str, Any]) -> Certificate:
        """From what the services return."""
        still = tuple(PersonTrace(**one) for one in certificate["still_found"])
        left = tuple(PersonLeft(**one) for one in certificate["left_to_a_person"])
        return cls(**{**certificate, "still_found": still, "left_to_a_person": left})


@dataclass(frozen=True, slots=True)
class KnownPerson(Shape):
    """A golden record of a person.

    Attributes:
        client: Whose leads they are.
        person_id: Stable id of the record.
        confidence: `HIGH`, `MEDIUM`, `LOW` or `HOLD`.
        hold_reason: Why it was joined with nobody; null: it is not held.
        full_name: Best known name.
        email: Best known address.
        linkedin_url: Best known profile.
        company_name: Best known company.
        sources_disagree: Fields for which sources give different values.
        batches: Keys of the batches that the person is in.
        leads: Leads that are theirs.
        cost: Currency to what was paid for those.
        first_seen: When the first of them came.
        last_seen: When the last of them came.
    """

    client: str
    person_id: str
    confidence: str
    hold_reason: str | None
    full_name: str | None
    email: str | None
    linkedin_url: str | None
    company_name: str | None
    sources_disagree: tuple[str, ...]
    batches: tuple[str, ...]
    leads: int
    cost: Mapping[str, Decimal]
    first_seen: datetime
    last_seen: datetime

    @classmethod
    def of(cls, found: golden.KnownPerson) -> KnownPerson:
        """From what the services return."""
        return cls(**{name: getattr(found, name) for name in cls.__dataclass_fields__})
