"""The block list of a client's workspace at Instantly and our suppressions, in both directions.

Whoever is suppressed here is blocked there; what somebody blocked there is suppressed here, for that client. An entry
that was there before a connection began is taken too, once; one whose suppression a person lifted later is not taken
again. A suppression is compared in one form of its address (`ann+x@gmail.com` is `ann@gmail.com`): the very addresses
of leads that are there are blocked as well (`recovering`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.domain.sealing import opened
from enrichment_assets.domain.suppression import Identity, read_identity
from enrichment_assets.services.campaigns.calling import Workspace
from enrichment_assets.services.people.pepper import must_compare, pepper_of
from enrichment_assets.services.people.suppressing import Terms, write
from enrichment_assets.settings import Settings
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.campaigns import told as store
from enrichment_assets.store.hq import Hq

PATH = "/api/v2/block-lists-entries"
AT_ONCE = 500
"""Suppressions that are told at a time."""

BLOCKED_THERE = "blocked at Instantly"


@dataclass(frozen=True, slots=True)
class Untold:
    """Suppressions that Instantly was not told of: what to block, and the number of the last."""

    values: tuple[str, ...]
    last: int


def untold(hq: Hq, settings: Settings, client_id: int, after: int) -> Untold:
    """The next suppressions after a number. Raises `ConfigurationError` where the pepper is missing or another."""
    pepper = pepper_of(hq, settings)
    with hq.transaction() as connection:
        rows = store.suppressed_after(connection, client_id, after, AT_ONCE)
        if not rows:
            return Untold((), after)
        hasher = must_compare(connection, pepper)
    found = [opened(bytes(row.sealed), hasher) for row in rows]
    return Untold(tuple(one.value for one in found if one is not None), rows[-1].id)


async def block(there: Workspace, values: Iterable[str]) -> int:
    """Block addresses and domains there; what is blocked already stays as it is. How many were told."""
    count = 0
    for value in values:
        await there.tell("POST", PATH, {"bl_value": value})
        count += 1
    return count


@dataclass(frozen=True, slots=True)
class Blocked:
    """What is blocked there: what is new since a time, everything in small letters, and the newest entry's time."""

    new: list[str]
    all: set[str]
    newest: str


async def blocked(there: Workspace, since: str) -> Blocked:
    """What is blocked there. The list is read whole: it says nowhere that it is in order."""
    newest, new, every = since, list[str](), set[str]()
    async for entry in there.pages(PATH, {}):
        at, value = str(entry.get("timestamp_created") or ""), entry.get("bl_value")
        if not isinstance(value, str):
            continue
        every.add(value.casefold())
        if at > since:
            new.append(value)
            newest = max(newest, at)
    return Blocked(new, every, newest)


def suppress_blocked(hq: Hq, settings: Settings, client_id: int, values: Sequence[str], *, actor: Actor) -> int:
    """Suppress for a client whoever is blocked there; how many are new. What names nobody we could is left out.

    Whoever is suppressed already stays so as it is: for as long, and for every client. We had them blocked there.
    """
    named = set(_identities(values))
    if not named:
        return 0
    pepper = pepper_of(hq, settings)
    with hq.transaction() as connection:
        hasher = must_compare(connection, pepper)
        hashes = {hasher.hashed(one): one for one in named}
        known = store.suppressed(connection, client_id, list(hashes))
        found = {one for digest, one in hashes.items() if digest not in known}
        new = write(connection, hasher, found, Terms(BLOCKED_THERE), client_id, actor)
        if new:
            said = {"reason": BLOCKED_THERE, "suppressions": new}
            note_action(connection, actor, Code.SUPPRESSION_ADD, BLOCKED_THERE, client_id=client_id, after=said)
    return new


def _identities(values: Iterable[Any]) -> Iterable[Identity]:
    for value in values:
        try:
            yield read_identity(str(value))
        except ConfigurationError:  # a domain of a mail provider would suppress everybody there
            continue
