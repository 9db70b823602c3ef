"""What callers make of one invented Instantly workspace: campaigns, leads, blocked addresses, webhooks and mails.

Everything is kept in memory until the sandbox is reset; ids follow from the seed, the key and the order of asking.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from enrichment_assets.sandbox.seeded_random import digest

Record = dict[str, Any]


@dataclass(slots=True)
class Outreach:
    """The state of one workspace.

    Attributes:
        seed: Of the sandbox.
        key: The workspace's API key, without its scopes.
        campaigns: id -> campaign, in the order of making; one of the invented ones once it was changed.
        deleted: Ids of campaigns that are gone.
        leads: id -> lead, in the order of adding.
        custom: Lead id -> the variables that the caller made up for it.
        members: (campaign or list id, address) -> lead id.
        blocked: Address or domain -> its entry of the block list.
        webhooks: id -> webhook.
        events: Tries to tell a webhook something, the oldest first.
        emails: Mails of the inbox, the oldest first.
        jobs: id -> background job.
        lists: Ids of lead lists that leads were added to.
    """

    seed: int
    key: str
    campaigns: dict[str, Record] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    leads: dict[str, Record] = field(default_factory=dict)
    custom: dict[str, Record] = field(default_factory=dict)
    members: dict[tuple[str, str], str] = field(default_factory=dict)
    blocked: dict[str, Record] = field(default_factory=dict)
    webhooks: dict[str, Record] = field(default_factory=dict)
    events: list[Record] = field(default_factory=list)
    emails: list[Record] = field(default_factory=list)
    jobs: dict[str, Record] = field(default_factory=dict)
    lists: set[str] = field(default_factory=set)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def uuid(self, kind: str) -> str:
        """A new id."""
        name = (self.seed, "instantly made", self.key, kind, next(self._numbers))
        return str(UUID(bytes=digest(*name, size=16), version=4))

    def is_blocked(self, address: str) -> bool:
        """Whether nobody is to write to an address: it is blocked, or its domain."""
        folded = address.casefold()
        return folded in self.blocked or folded.rpartition("@")[2] in self.blocked

    def leads_of(self, address: str, campaign: str | None = None) -> list[Record]:
        """The leads with an address, of one campaign or all."""
        folded = address.casefold()
        return [
            lead
            for lead in self.leads.values()
            if lead["email"].casefold() == folded and campaign in {None, lead["campaign"]}
        ]
