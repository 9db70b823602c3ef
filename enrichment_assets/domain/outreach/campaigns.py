"""A campaign of a service that sends for us, as a file: who sends when, and the mails of the sequence.

    name: Golf, spring
    accounts: [ana@try-acme.example]
    schedule: {time_zone: America/New_York, days: [mon, tue, wed, thu], from: "09:00", to: "16:30"}
    steps:
      - {subject: "The greens of {{companyName}}", body: "{{starter}} ..."}
      - {wait: 3d, body: "Did my note reach you?"}

`wait` is the time before a step, as everybody thinks of it. Instantly's `delay` of a step is the time after it, before
the next one: `instantly_body` says it so. A mail without a subject goes into the thread of the one before.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from enrichment_assets.domain.durations import Seconds
from enrichment_assets.domain.emails import normalise_email
from enrichment_assets.domain.outreach.time_zones import INSTANTLY_ZONES, choose_zone
from enrichment_assets.domain.parts import Part


class CampaignState(StrEnum):
    """Whether a campaign is at its service; stored in `outreach_campaigns`."""

    INTENDED = "intended"
    """It is to be made: it may be there already."""
    MADE = "made"
    UNKNOWN = "unknown"
    """It was asked for, and the answer was lost: the service is asked for it by name before anything is made."""


Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WORKING_DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri")
_NUMBERS: dict[Day, str] = {"sun": "0", "mon": "1", "tue": "2", "wed": "3", "thu": "4", "fri": "5", "sat": "6"}
"""Instantly's numbers of the days: a week begins with Sunday."""

_UNITS = (("days", 86_400), ("hours", 3_600), ("minutes", 60))
_VARIABLE = re.compile(r"\{\{\s*([^{}|]+?)\s*(\|[^{}]*)?\}\}")
_PREFIX = "sendingaccount"

OWN_VARIABLES = frozenset(
    {"email", "firstName", "lastName", "companyName", "jobTitle", "phone", "website", "personalization"}
)
"""What Instantly calls a lead's own members in the text of a mail."""


def _clock(value: object) -> object:
    """YAML 1.1 reads an unquoted 9:00 as a number of minutes: said, not guessed."""
    if isinstance(value, int):
        raise ValueError('write a time of day in quotes: "09:00"')
    return value


Clock = Annotated[str, BeforeValidator(_clock), Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class Variant(Part):
    """One wording of a mail; of several each lead gets one."""

    subject: str = Field(default="", max_length=500)
    body: str = Field(min_length=1, max_length=100_000)


class Step(Part):
    """One mail of the sequence. `wait`: from the mail before it; the first one waits for nothing."""

    wait: Seconds = Field(default=0.0, le=365 * 86_400)
    subject: str = Field(default="", max_length=500)
    body: str = Field(min_length=1, max_length=100_000)
    variants: tuple[Variant, ...] = Field(default=(), max_length=25, description="other wordings of the same mail")

    @property
    def wordings(self) -> tuple[Variant, ...]:
        """All of them, its own first."""
        return (Variant(subject=self.subject, body=self.body), *self.variants)


class Schedule(Part):
    """When mails go out, by the clock of `time_zone`."""

    time_zone: str
    days: tuple[Day, ...] = Field(default=WORKING_DAYS, min_length=1)
    from_: Clock = Field(default="09:00", alias="from")
    to: Clock = "17:00"
    starts_on: date | None = None
    ends_on: date | None = None

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Schedule:
        if self.from_ >= self.to:
            raise ValueError(f"the day ends at {self.to}, before it begins at {self.from_}")
        if self.starts_on and self.ends_on and self.ends_on < self.starts_on:
            raise ValueError(f"it ends on {self.ends_on}, before it begins on {self.starts_on}")
        return self


class CampaignFile(Part):
    """A campaign as its file says it. Opens and clicks are not tracked unless it says so."""

    name: str = Field(min_length=1, max_length=150)
    service: Literal["instantly"] = "instantly"
    accounts: tuple[str, ...] = Field(default=(), max_length=1_000, description="addresses that it is sent from")
    schedule: Schedule
    steps: tuple[Step, ...] = Field(min_length=1, max_length=20)
    daily_limit: int | None = Field(default=None, ge=1, le=100_000, description="mails a day")
    new_leads_a_day: int | None = Field(default=None, ge=1, le=100_000)
    stop_on_reply: bool = True
    stop_on_auto_reply: bool = False
    stop_for_company: bool = Field(default=False, description="a reply stops everybody of its company")
    track_opens: bool = False
    track_links: bool = False
    text_only: bool = False
    unsubscribe_header: bool = True

    @field_validator("accounts")
    @classmethod
    def _are_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if strange := next((one for one in value if normalise_email(one) is None), None):
            raise ValueError(f"{strange!r} is no address")
        return value

    @field_validator("name")
    @classmethod
    def _is_one_line(cls, value: str) -> str:
        if not value.isprintable() or value != value.strip():
            raise ValueError("a name is one line without blanks at its ends")
        return value

    @model_validator(mode="after")
    def _waits_between(self) -> CampaignFile:
        if self.steps[0].wait:
            raise ValueError("steps.0: the first mail follows nothing: remove its `wait`")
        if not self.steps[0].subject:
            raise ValueError("steps.0: the first mail needs a `subject`")
        for number, step in enumerate(self.steps[1:], 1):
            if step.wait < 60 or step.wait % 60:
                raise ValueError(f"steps.{number}: `wait` says how long after the mail before it, in whole minutes")
        return self

    @property
    def variables(self) -> frozenset[str]:
        """What its mails want to know of a lead, by name."""
        return frozenset(name for name, _ in self._variables())

    @property
    def needed_variables(self) -> frozenset[str]:
        """Those that somewhere stand without words in their place: a lead that has no value gets a hole."""
        return frozenset(name for name, has_other_words in self._variables() if not has_other_words)

    def _variables(self) -> Iterator[tuple[str, bool]]:
        """Name, and whether the mail says what stands there where a lead has none (`{{companyName|you}}`)."""
        for step in self.steps:
            for wording in step.wordings:
                for text in (wording.subject, wording.body):
                    for found in _VARIABLE.finditer(text):
                        name = found.group(1)
                        if not name.casefold().startswith((_PREFIX, "accountsignature", "unsubscribe")):
                            yield name, found.group(2) is not None


@dataclass(frozen=True, slots=True)
class InstantlyCampaign:
    """A campaign as Instantly takes it, and what a person should know about it."""

    body: dict[str, Any]
    warnings: tuple[str, ...]


def campaign_key(client: str, campaign: CampaignFile) -> str:
    """Our key of a campaign: eight characters that stand in its name there, the same whenever it is made."""
    return hashlib.sha256("\0".join((client, campaign.service, campaign.name)).encode()).hexdigest()[:8]


def remote_name(campaign: CampaignFile, key: str) -> str:
    """What a campaign is called there: its name and our key, by which it is looked for after a lost answer."""
    return f"{campaign.name} [{key}]"


def instantly_body(campaign: CampaignFile, key: str, today: date) -> InstantlyCampaign:
    """A campaign as the body of `POST /api/v2/campaigns`.

    Args:
        campaign: The file.
        key: Ours (`campaign_key`).
        today: From when on the clocks of two time zones have to agree.

    Raises:
        ConfigurationError: Instantly has no time zone with this clock.
    """
    zone = choose_zone(campaign.schedule.time_zone, INSTANTLY_ZONES, today)
    waits = [step.wait for step in campaign.steps[1:]] + [0.0]
    days = {number: day in campaign.schedule.days for day, number in _NUMBERS.items()}
    dates = {"start_date": campaign.schedule.starts_on, "end_date": campaign.schedule.ends_on}
    limits = {"daily_limit": campaign.daily_limit, "daily_max_leads": campaign.new_leads_a_day}
    body: dict[str, Any] = {
        "name": remote_name(campaign, key),
        "campaign_schedule": {
            "schedules": [
                {
                    "name": "As its file says",
                    "timing": {"from": campaign.schedule.from_, "to": campaign.schedule.to},
                    "days": days,
                    "timezone": zone.zone,
                }
            ],
            **{name: day.isoformat() for name, day in dates.items() if day is not None},
        },
        "sequences": [{"steps": [_step(step, wait) for step, wait in zip(campaign.steps, waits, strict=True)]}],
        "email_list": list(campaign.accounts),
        "stop_on_reply": campaign.stop_on_reply,
        "stop_on_auto_reply": campaign.stop_on_auto_reply,
        "stop_for_company": campaign.stop_for_company,
        "open_tracking": campaign.track_opens,
        "link_tracking": campaign.track_links,
        "text_only": campaign.text_only,
        "insert_unsubscribe_header": campaign.unsubscribe_header,
        **{name: number for name, number in limits.items() if number is not None},
    }
    return InstantlyCampaign(body, tuple(_warnings(campaign, zone.warning)))


def _step(step: Step, wait_after: float) -> dict[str, Any]:
    delay, unit = _delay(wait_after)
    return {
        "type": "email",
        "delay": delay,
        "delay_unit": unit,
        "variants": [{"subject": one.subject, "body": one.body} for one in step.wordings],
    }


def _delay(seconds: float) -> tuple[int, str]:
    """A wait in the largest unit in which it is a whole number."""
    whole = round(seconds)
    return next(((whole // size, unit) for unit, size in _UNITS if whole % size == 0), (whole // 60, "minutes"))


def _warnings(campaign: CampaignFile, zone: str | None) -> Iterator[str]:
    if zone is not None:
        yield zone
    if not campaign.accounts:
        yield "it has no accounts: it sends nothing until it has some"
    if not campaign.unsubscribe_header:
        yield "its mails have no List-Unsubscribe header: mailbox providers ask for one"
    if not campaign.stop_on_reply:
        yield "it goes on after a reply"
