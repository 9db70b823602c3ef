"""The outreach of one invented workspace: campaigns, sending accounts, and what became of each day's mails.

Everything is summed from the smallest figures, those of one campaign, one account and one day, so that a campaign's
days, an account's days, a campaign's totals and the overview agree with each other. A day's figures follow from the
seed, the key and the day alone; campaigns begin with a month, two months back and more, so that there is always a past.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, lru_cache
from uuid import UUID

from enrichment_assets.sandbox.seeded_random import SeededRandom, digest

ACCOUNTS = 24
_PLANS = (
    ("Wealth managers, Northeast", 1, 2),
    ("Accounting firms, Midwest", 1, 3),
    ("Equipment financing, Texas", 2, 3),
    ("Insurance agencies, South", 3, 4),
    ("Financial advisors, West", -1, 2),
    ("Real estate, Florida", -2, 2),
    ("Venture capital, coasts", 4, 3),
    ("Golf courses, spring", 0, None),
    ("Partners, new list", 1, None),
    ("Suspended pilot", -99, 4),
)
"""Name, status code, and how many months ago it began to send; None: it never has."""

_DOMAINS = ("try-harborline.example", "get-harborline.example", "harborline-team.example")
_FIRST = ("ana", "ben", "cara", "dev", "elif", "finn", "gina", "hugo")
_ENDED = {2: 20, 3: 35, -99: 60}
"""Status code of a campaign that sends no more -> days before today on which it stopped."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """One campaign; `first`: the first day on which it sent, `last` the last; None: it never has."""

    id: str
    name: str
    status: int
    tracks_opens: bool
    accounts: tuple[str, ...]
    first: date | None
    last: date | None


@dataclass(frozen=True, slots=True)
class Account:
    """One mailbox."""

    email: str
    status: int
    warmup_score: int
    daily_limit: int


@dataclass(slots=True)
class Figures:
    """What became of mails: of one day, or summed. Unique figures count a lead once a day."""

    sent: int = 0
    contacted: int = 0
    new_leads: int = 0
    opened: int = 0
    unique_opened: int = 0
    replies: int = 0
    unique_replies: int = 0
    automatic: int = 0
    unique_automatic: int = 0
    clicks: int = 0
    unique_clicks: int = 0
    bounced: int = 0
    opportunities: int = 0
    unsubscribed: int = 0

    def add(self, other: Figures) -> None:
        """Sum another one into this."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(frozen=True)
class Workspace:
    """The workspace of an API key, on a day."""

    seed: int
    key: str
    today: date
    _cells: dict[tuple[str, str, date], Figures] = field(default_factory=dict, compare=False)

    def rng(self, *identity: object) -> SeededRandom:
        """Draws for something of this workspace."""
        return SeededRandom(self.seed, "instantly", self.key, *identity)

    def uuid(self, *identity: object) -> str:
        """An id of something of this workspace."""
        return str(UUID(bytes=digest(self.seed, "instantly", self.key, *identity, size=16), version=4))

    @cached_property
    def accounts(self) -> list[Account]:
        """The mailboxes, by address."""
        made = []
        for number in range(ACCOUNTS):
            rng = self.rng("account", number)
            email = f"{_FIRST[number % len(_FIRST)]}{number}@{_DOMAINS[number % len(_DOMAINS)]}"
            status = {5: 2, 11: -1, 14: -2, 20: -3}.get(number, 1)
            score = rng.between(40, 70) if status < 0 else rng.between(82, 100)
            made.append(Account(email, status, score, 30 if number % 3 else 40))
        return sorted(made, key=lambda account: account.email)

    @cached_property
    def campaigns(self) -> list[Campaign]:
        """The campaigns, the newest first, as the service lists them."""
        return [self._campaign(number, *plan) for number, plan in enumerate(_PLANS)]

    def _campaign(self, number: int, name: str, status: int, months: int | None) -> Campaign:
        mailboxes = [account.email for account in self.accounts]
        mine = tuple(self.rng("accounts of", number).some(mailboxes, 6))
        first = None if months is None else _months_before(self.today, months)
        last = None if first is None else self.today - timedelta(days=_ENDED.get(status, 0))
        return Campaign(self.uuid("campaign", number), name, status, number % 3 != 1, mine, first, last)

    def day_of_campaign(self, campaign: Campaign, day: date) -> Figures | None:
        """What its mails of a day became; None: it sent none."""
        return _summed(self._cell(campaign, account, day) for account in campaign.accounts)

    def day_of_account(self, email: str, day: date) -> Figures | None:
        """The same of a mailbox, over all campaigns."""
        mine = (campaign for campaign in self.campaigns if email in campaign.accounts)
        return _summed(self._cell(campaign, email, day) for campaign in mine)

    def total(self, campaign: Campaign) -> Figures | None:
        """The same of a campaign since it began; None: it has sent nothing."""
        if campaign.first is None or campaign.last is None:
            return None
        return _summed(self.day_of_campaign(campaign, day) for day in days(campaign.first, campaign.last))

    def _cell(self, campaign: Campaign, email: str, day: date) -> Figures | None:
        sends = campaign.first is not None and campaign.last is not None and campaign.first <= day <= campaign.last
        if not sends or day.weekday() > 4:
            return None
        known = self._cells.get((campaign.id, email, day))
        if known is None:
            known = self._cells[campaign.id, email, day] = self._drawn(campaign, email, day)
        return known

    def _drawn(self, campaign: Campaign, email: str, day: date) -> Figures:
        rng = self.rng("mails", campaign.id, email, day.isoformat())
        sent = rng.between(9, 15)
        new = rng.between(4, 7)
        share = 0.09 if campaign.status == -2 else 0.018
        bounced = _some(rng, new, share)
        opened = _some(rng, sent - bounced, 0.22) if campaign.tracks_opens else 0
        replied = _some(rng, sent - bounced, 0.04)
        automatic = _some(rng, sent - bounced, 0.02)
        clicked = _some(rng, opened, 0.1)
        return Figures(
            sent=sent,
            contacted=sent,
            new_leads=new,
            opened=opened + _some(rng, opened, 0.3),
            unique_opened=opened,
            replies=replied + _some(rng, replied, 0.2),
            unique_replies=replied,
            automatic=automatic + _some(rng, automatic, 0.2),
            unique_automatic=automatic,
            clicks=clicked + _some(rng, clicked, 0.2),
            unique_clicks=clicked,
            bounced=bounced,
            opportunities=_some(rng, replied, 0.3),
            unsubscribed=_some(rng, sent, 0.002),
        )


@lru_cache(maxsize=16)
def workspace_of(seed: int, key: str, today: date) -> Workspace:
    """The workspace of a key; its sums are kept for the next question."""
    return Workspace(seed, key, today)


def today() -> date:
    """The day that it is, in UTC, as the service counts days."""
    return datetime.now(UTC).date()


def days(first: date, last: date) -> Iterator[date]:
    """Every day of a span, both ends included."""
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def summed(figures: Iterable[Figures | None]) -> Figures:
    """The sum of what there is."""
    return _summed(figures) or Figures()


def _summed(figures: Iterable[Figures | None]) -> Figures | None:
    found = [one for one in figures if one is not None]
    total = Figures()
    for one in found:
        total.add(one)
    return total if found else None


def _some(rng: SeededRandom, of: int, share: float) -> int:
    return sum(rng.chance(share) for _ in range(of))


def _months_before(day: date, months: int) -> date:
    number = day.year * 12 + day.month - 1 - months
    return date(number // 12, number % 12 + 1, 1)
