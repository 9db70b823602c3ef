"""Alerts: rules, channels, incidents, and what a channel answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from enrichment_assets.domain.alerts.kinds import KINDS, Kind, Shipped
from enrichment_assets.services.shapes.shape import Shape

if TYPE_CHECKING:
    from enrichment_assets.domain.alerts.notices import Said
    from enrichment_assets.store.alerts import incidents, rules
    from enrichment_assets.store.alerts.rules import Channel as AddressedChannel


@dataclass(frozen=True, slots=True)
class AlertRule(Shape):
    """What is watched, and where it is told.

    Attributes:
        id: Its number; null: it is one of the shipped set, and off.
        kind: What it watches, as `batch.stuck`.
        says: The same in words.
        severity: `critical`, `error`, `warning` or `info`.
        threshold: In its unit; null: it has none.
        unit: `minutes`, `hours`, `%` or `callbacks`.
        client: Whose; null: every client's.
        channel: Where it is told, as `slack:OPS_SLACK_URL`; null: it is off.
        quiet: When nothing is said, as `22:00-07:00 Europe/Berlin`.
        open: Incidents of it that are open.
    """

    id: int | None
    kind: str
    says: str
    severity: str
    threshold: str | None
    unit: str | None
    client: str | None
    channel: str | None
    quiet: str | None
    open: int

    @classmethod
    def of(cls, rule: rules.Rule) -> AlertRule:
        """From a rule in force."""
        channel = f"{rule.channel_kind.value}:{rule.variable}"
        quiet = None if rule.quiet is None else str(rule.quiet)
        return cls._of(rule.id, rule.kind, rule.threshold, rule.client, channel, quiet, rule.open)

    @classmethod
    def off(cls, one: Shipped) -> AlertRule:
        """From one of the shipped set that nobody watches."""
        return cls._of(None, one.kind, one.threshold, None, None, None, 0)

    @classmethod
    def _of(
        cls,
        number: int | None,
        kind: Kind,
        threshold: Decimal | None,
        client: str | None,
        channel: str | None,
        quiet: str | None,
        open_: int,
    ) -> AlertRule:
        watched = KINDS[kind]
        unit = watched.threshold.unit if watched.threshold else None
        shown = None if threshold is None else f"{threshold:f}"
        return cls(number, kind.value, watched.says, watched.severity.value, shown, unit, client, channel, quiet, open_)


@dataclass(frozen=True, slots=True)
class AlertChannel(Shape):
    """Where alerts go, and how that went.

    Attributes:
        channel: As rules name it, `slack:OPS_SLACK_URL`: how it is spoken to, and the variable with its address.
        rules: Rules in force that tell it.
        failures: Attempts in a row that failed.
        rests_until: Nothing is sent before; null: it does not rest.
        said: What it answered last.
        said_at: When.
        sent_at: When it last took a message.
        waiting: Notices that are still to be sent.
        given_up: Notices of the last seven days that it was not told.
    """

    channel: str
    rules: int
    failures: int
    rests_until: datetime | None
    said: str | None
    said_at: datetime | None
    sent_at: datetime | None
    waiting: int
    given_up: int

    @classmethod
    def of(cls, one: AddressedChannel) -> AlertChannel:
        """From what the services return."""
        return cls(
            f"{one.kind.value}:{one.variable}",
            one.rules,
            one.failures,
            one.rests_until,
            one.said,
            one.said_at,
            one.sent_at,
            one.waiting,
            one.given_up,
        )


@dataclass(frozen=True, slots=True)
class AlertIncident(Shape):
    """What came to pass.

    Attributes:
        id: Its number.
        kind: What was watched.
        client: Whom it concerns; null: no single client.
        summary: A sentence.
        channel: Where it is told.
        opened_at: When it was found.
        closed_at: When it was over; null: it is open.
        told: What became of saying that it began: `sent`, `waits` or `given up`.
        said: What the channel answered to that.
    """

    id: int
    kind: str
    client: str | None
    summary: str
    channel: str
    opened_at: datetime
    closed_at: datetime | None
    told: str
    said: str | None

    @classmethod
    def of(cls, one: incidents.Incident) -> AlertIncident:
        """From what the services return."""
        return cls(
            one.id, one.kind, one.client, one.summary, one.channel, one.opened_at, one.closed_at, one.told, one.said
        )


@dataclass(frozen=True, slots=True)
class AlertAnswer(Shape):
    """What a channel answered to a test message.

    Attributes:
        channel: Which one.
        fate: `sent`; `refused`: it will never take it; `later`: it may, another time; `unsure`: it gave no answer.
        said: In its words.
    """

    channel: str
    fate: str
    said: str

    @classmethod
    def of(cls, channel: str, said: Said) -> AlertAnswer:
        """From what the services return."""
        return cls(channel, said.fate.value, said.text)
