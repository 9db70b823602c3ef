"""One round of watching: what is so now opens incidents, what is over closes them, and what is due is told.

Any number of processes may do so at once. What changes incidents and takes notices is one transaction under a lock;
while a message is on its way nothing is locked, and its notice is claimed.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from enrichment_assets.domain.alerts.kinds import KINDS
from enrichment_assets.domain.alerts.notices import ChannelKind, Fate, Said
from enrichment_assets.domain.alerts.patience import MOST_ATTEMPTS, MOST_UNSURE, pause_after, rest_after
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.services.alerts.sentences import sentence
from enrichment_assets.settings import Settings
from enrichment_assets.store.alerts import detectors, incidents, notices, rules
from enrichment_assets.store.alerts.detectors import Finding
from enrichment_assets.store.alerts.incidents import Condition
from enrichment_assets.store.alerts.notices import Ending, Load, Taken
from enrichment_assets.store.catalog.clients import client_slugs
from enrichment_assets.store.database import Connection
from enrichment_assets.store.hq import Hq
from enrichment_assets.wire.channels import Address, opened_channel

NO_ANSWER = "no answer, twice: it may have been posted"


@dataclass(frozen=True, slots=True)
class Round:
    """What one round did: notices that became due, messages that a channel took, and that it did not."""

    due: int = 0
    sent: int = 0
    failed: int = 0


def watch(hq: Hq, settings: Settings, seconds: float) -> Round:
    """Detect, and tell what is due until so many seconds are over. One statement where there is nothing to watch."""
    until = time.monotonic() + seconds
    with hq.transaction() as connection:
        kinds, is_open = rules.kinds_in_force(connection)
    if not kinds and not is_open:
        return Round()
    with hq.transaction() as connection:
        incidents.locked(connection)
        found = conditions(connection, detectors.find(connection, kinds))
        due = incidents.note(connection, found) + incidents.close(connection)
    sent = failed = 0
    while time.monotonic() < until and (load := _take(hq)) is not None:
        taken = tell(hq, settings, load)
        sent, failed = sent + taken, failed + (not taken)
    return Round(due, sent, failed)


def conditions(connection: Connection, found: Sequence[Finding]) -> list[Condition]:
    """What was found, in words, with the time at which each may be said."""
    if not found:
        return []
    known = {rule.id: rule for rule in rules.list_rules(connection)}
    slugs = client_slugs(connection)
    now = datetime.now(UTC)
    made = []
    for one in found:
        rule, watched = known[one.rule_id], KINDS[one.kind]
        client = None if one.client_id is None else slugs.get(one.client_id)
        made.append(
            Condition(
                one.rule_id,
                one.client_id,
                one.subject,
                sentence(one.kind, client, one.facts),
                watched.is_event,
                rule.quiet.over_at(now) if rule.quiet else now,
                rule.channel_kind is ChannelKind.PAGERDUTY,
            )
        )
    return made


def _take(hq: Hq) -> Load | None:
    with hq.transaction() as connection:
        incidents.locked(connection)
        return notices.take(connection)


def tell(hq: Hq, settings: Settings, load: Load) -> bool:
    """Send what was taken and note what became of it; True: the channel took it.

    What nobody answered may have been posted. Where the channel knows a repeat it is sent again; elsewhere once more,
    and then given up.
    """
    doubtful = [] if load.channel_kind.knows_repeats else [one for one in load.taken if one.unsure >= MOST_UNSURE]
    sure = [one for one in load.taken if one not in doubtful]
    if doubtful:
        given_up = [Ending(one.id, one.attempts, False, True, 0.0, False) for one in doubtful]
        with hq.transaction() as connection:
            notices.settle(connection, given_up, NO_ANSWER)
    if not sure:
        return False
    said = send(settings, load, sure)
    is_taken, rest = said.fate is Fate.SENT, rest_after(load.failures + 1, said.retry_after)
    with hq.transaction() as connection:
        notices.settle(connection, [_ending(one, said, load.channel_kind) for one in sure], said.text)
        rules.note_answer(connection, load.channel_kind, load.variable, said.text, taken=is_taken, rest=rest)
    return is_taken


def send(settings: Settings, load: Load, taken: Sequence[Taken]) -> Said:
    """What the channel answers to the notices. One whose variable is missing or wrong here is tried again later."""
    try:
        say = opened_channel(Address(load.channel_kind, load.variable), settings.sandbox_url)
    except ConfigurationError as error:
        return Said(Fate.LATER, str(error))
    return say([one.notice for one in taken])


def _ending(one: Taken, said: Said, kind: ChannelKind) -> Ending:
    unsure = said.fate is Fate.UNSURE
    spent = one.attempts >= MOST_ATTEMPTS or (unsure and not kind.knows_repeats and one.unsure + 1 >= MOST_UNSURE)
    given_up = said.fate is Fate.REFUSED or (said.fate is not Fate.SENT and spent)
    pause = pause_after(one.attempts, said.retry_after)
    return Ending(one.id, one.attempts, said.fate is Fate.SENT, given_up, pause, unsure)
