"""The send gate: rules of a client, its lists, and what is said of single leads and people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from enrichment_assets.services.shapes.shape import Shape

if TYPE_CHECKING:
    from enrichment_assets.services.deliveries.gate_lists import ListReport
    from enrichment_assets.services.deliveries.gate_rules import ShownRule
    from enrichment_assets.store.deliveries.gate_settings import ListRow
    from enrichment_assets.store.deliveries.stops import Stop


@dataclass(frozen=True, slots=True)
class GateRule(Shape):
    """A rule as it is in force for a client.

    Attributes:
        rule: Its name.
        refuses: What it refuses.
        on: Whether it is looked at.
        settings: Its numbers and words.
        changed: Whether the client changed something of it.
        changed_by: Who did; null: nobody.
        changed_at: When.
    """

    rule: str
    refuses: str
    on: bool
    settings: Mapping[str, Any]
    changed: bool
    changed_by: str | None
    changed_at: datetime | None

    @classmethod
    def of(cls, one: ShownRule) -> GateRule:
        """From what the services return."""
        return cls(one.rule.value, one.says, one.setting.is_on, one.setting.settings, one.changed, one.by, one.at)


@dataclass(frozen=True, slots=True)
class GateEntry(Shape):
    """An entry of a client's list.

    Attributes:
        kind: `customers`, `open_deals`, `competitors` or `owners`.
        key: `domain:` with a host, `name:` with a name as it is compared, or `person:` with a hash.
        label: As it is shown.
        owner: Of an account: whose it is; null: not said.
        source: The file or system that it comes from.
        added_by: Who added it.
        added_at: When.
    """

    kind: str
    key: str
    label: str
    owner: str | None
    source: str
    added_by: str
    added_at: datetime

    @classmethod
    def of(cls, one: ListRow) -> GateEntry:
        """From what the services return."""
        return cls(one.kind, one.key, one.label, one.owner, one.source, one.actor, one.added_at)


@dataclass(frozen=True, slots=True)
class GateFault(Shape):
    """A row of a list that names no company and nobody.

    Attributes:
        line: Its line in the file.
        reason: Why.
    """

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class GateList(Shape):
    """What adding to a list, or taking out of it, came to.

    Attributes:
        rows: Rows that were read.
        added: Entries that are new.
        removed: Entries that were taken out.
        not_understood: Rows that name no company and nobody.
        faults: The first of those.
    """

    rows: int
    added: int
    removed: int
    not_understood: int
    faults: tuple[GateFault, ...]

    @classmethod
    def of(cls, one: ListReport) -> GateList:
        """From what the services return."""
        faults = tuple(GateFault(line, reason) for line, reason in one.faults)
        return cls(one.rows, one.added, one.removed, one.not_understood, faults)


@dataclass(frozen=True, slots=True)
class GatePass(Shape):
    """Rules that one lead passes, or does not any more.

    Attributes:
        item_id: The lead.
        rules: Those that changed.
    """

    item_id: int
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GateChange(Shape):
    """Whether something was said of a person that did not stand there before.

    Attributes:
        changed: How many consents or stops changed.
    """

    changed: int


@dataclass(frozen=True, slots=True)
class ContactStop(Shape):
    """Something that is not sent any more.

    Attributes:
        id: Its number.
        client: Whose contacts it stops.
        of: `person`, or `delivery`.
        delivery_id: Of one delivery: which; null: of all to a person.
        reason: Why.
        stopped_by: Who said so.
        event_id: The event that stopped it; null: a person.
        stopped_at: When.
        until: Until when; null: for good.
        lifted_at: When somebody let it go on; null: it stands.
    """

    id: int
    client: str
    of: str
    delivery_id: int | None
    reason: str
    stopped_by: str
    event_id: int | None
    stopped_at: datetime
    until: datetime | None
    lifted_at: datetime | None

    @classmethod
    def from_store(cls, one: Stop) -> ContactStop:
        """From what the services return."""
        what = "person" if one.of_person else "delivery"
        return cls(
            one.id,
            one.client,
            what,
            one.delivery_id,
            one.reason,
            one.actor,
            one.event_id,
            one.stopped_at,
            one.until,
            one.lifted_at,
        )
