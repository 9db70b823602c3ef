"""Figures that are fetched from outside services: who is connected, what a sync brought, and campaigns and accounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from enrichment_assets.services.shapes.shape import Shape

if TYPE_CHECKING:
    from enrichment_assets.services.pulls import syncing
    from enrichment_assets.store.pulls import connections


@dataclass(frozen=True, slots=True)
class PullConnection(Shape):
    """A client whose figures are fetched from a service.

    Attributes:
        pull: From which, as `instantly`.
        client: Whose.
        secret: NAME of the variable with the key.
        connected_at: Since when.
        synced_at: When all was fetched last; null: never.
        synced_day: The newest day that was fetched; null: none was.
        failed_at: When the last fetch was broken off; null: it was not.
        error: Why.
    """

    pull: str
    client: str
    secret: str
    connected_at: datetime
    synced_at: datetime | None
    synced_day: date | None
    failed_at: datetime | None
    error: str | None

    @classmethod
    def of(cls, one: connections.Connected) -> PullConnection:
        """From what the services return."""
        return cls(
            one.pull,
            one.client,
            one.secret_variable,
            one.connected_at,
            one.synced_at,
            one.synced_day,
            one.failed_at,
            one.error,
        )


@dataclass(frozen=True, slots=True)
class PullSync(Shape):
    """What a sync brought.

    Attributes:
        success: Always true: one that was broken off is an error.
        synced: Rows in all.
        pull: From which service.
        client: Whose figures.
        source: `api`, or `file`.
        first_day: First of the days that were asked for.
        last_day: The last one.
        rows: Rows by table.
        pages: How many answers there were.
        unfit: Values that did not fit the type of their column; they stand in `raw`.
        without_key: Items without anything to be known by: they are left out.
        gone: Questions about something that is not there any more.
    """

    success: bool
    synced: int
    pull: str
    client: str
    source: str
    first_day: date
    last_day: date
    rows: Mapping[str, int]
    pages: int
    unfit: int
    without_key: int
    gone: int

    @classmethod
    def of(cls, done: syncing.Synced) -> PullSync:
        """From what the services return."""
        return cls(
            True,
            done.synced,
            done.pull,
            done.client,
            done.source,
            done.first_day,
            done.last_day,
            done.rows,
            done.pages,
            done.unfit,
            done.without_key,
            done.gone,
        )


@dataclass(frozen=True, slots=True)
class InstantlyCampaign(Shape):
    """A campaign and what its mails became since it began. A rate is per lead that was written to.

    Attributes:
        client: Whose it is.
        campaign_id: Its id at Instantly.
        name: Its name there.
        status_code: Instantly's code.
        status: The code in words.
        leads: Leads that it has; null, as the others: not known.
        contacted: Leads that were written to.
        sent: Mails.
        opened: Leads that opened one; null too where it does not track opens.
        replied: Leads that replied, without automatic replies.
        replied_automatically: Leads of whom an automatic reply came.
        bounced: Leads whose address bounced.
        unsubscribed: Leads that unsubscribed.
        opportunities: Leads that became an opportunity.
        open_rate: Opened per contacted.
        reply_rate: Replied per contacted.
        bounce_rate: Bounced per contacted.
        created_at: When it was made.
        pulled_at: When this was fetched.
    """

    client: str
    campaign_id: str
    name: str | None
    status_code: int | None
    status: str | None
    leads: int | None
    contacted: int | None
    sent: int | None
    opened: int | None
    replied: int | None
    replied_automatically: int | None
    bounced: int | None
    unsubscribed: int | None
    opportunities: int | None
    open_rate: float | None
    reply_rate: float | None
    bounce_rate: float | None
    created_at: datetime | None
    pulled_at: datetime

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> InstantlyCampaign:
        """From a row of the view `campaign_performance`."""
        named = {**row, "client": row["client_slug"]}
        return cls(*(named[one.name] for one in fields(cls)))


@dataclass(frozen=True, slots=True)
class InstantlyAccount(Shape):
    """A sending account, and how it fares.

    Attributes:
        client: Whose it is.
        email_account: Its address.
        status_code: Instantly's code.
        status: The code in words.
        health: `good`, `watch`, `bad` or `paused`; null: not known.
        warmup_score: Of 100.
        daily_limit: Mails a day.
        sent_30_days: Mails of the last 30 days of which there are figures; null: none were sent.
        replied_30_days: Leads that replied to them.
        replied_automatically_30_days: Leads of whom an automatic reply came.
        bounced_30_days: Mails that bounced.
        bounce_rate: Bounced per sent.
        last_sent_on: The last day on which it sent.
        pulled_at: When this was fetched.
    """

    client: str
    email_account: str
    status_code: int | None
    status: str | None
    health: str | None
    warmup_score: float | None
    daily_limit: int | None
    sent_30_days: int | None
    replied_30_days: int | None
    replied_automatically_30_days: int | None
    bounced_30_days: int | None
    bounce_rate: float | None
    last_sent_on: date | None
    pulled_at: datetime

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> InstantlyAccount:
        """From a row of the view `account_health`."""
        score = row["warmup_score"]
        named = {**row, "client": row["client_slug"], "warmup_score": None if score is None else float(score)}
        return cls(*(named[one.name] for one in fields(cls)))
