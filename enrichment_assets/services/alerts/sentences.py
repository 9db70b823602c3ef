"""What an incident says, by the facts that were found: names of clients, batches and steps; no value of a person."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from enrichment_assets.domain.alerts.kinds import Kind
from enrichment_assets.domain.alerts.notices import LONGEST_SUMMARY
from enrichment_assets.domain.money import Money

Facts = Mapping[str, Any]

_CAUSES = {
    "auth": "refuses its key",
    "quota": "has no quota left",
    "payment": "wants to be paid",
}
_HOW = {
    "due": "it has been due since {since}, and nothing runs it",
    "left": "its run died at {since}, and nothing goes on with it",
    "called back": "callbacks have waited since {since}, and nothing takes them in",
    "worked on": "a run works on it, and no step has moved since {since}",
}


def sentence(kind: Kind, client: str | None, facts: Facts) -> str:
    """One sentence without a full stop, bounded, on one line."""
    said = f"{client}: {SENTENCES[kind](facts)}" if client else SENTENCES[kind](facts)
    one_line = " ".join(said.split())
    return one_line if len(one_line) <= LONGEST_SUMMARY else f"{one_line[: LONGEST_SUMMARY - 1]}…"


def _finished(facts: Facts) -> str:
    left = [
        f"{facts[name]} steps {word}"
        for name, word in (("failed", "failed"), ("ambiguous", "are to be decided"))
        if facts[name]
    ]
    return f"batch {facts['batch']} has finished{', ' + ' and '.join(left) if left else ''}"


def _stuck(facts: Facts) -> str:
    return f"batch {facts['batch']} is stuck: {_HOW[facts['how']].format(since=_minute(facts['since']))}"


def _paused(facts: Facts) -> str:
    of = f"{facts['workflow']} of batch" if facts["workflow"] else "batch"
    why = f": {facts['reason']}" if facts["reason"] else ""
    return f"{of} {facts['batch']} was paused by {facts['actor']}{why}"


def _errors(facts: Facts) -> str:
    share = Decimal(100 * facts["failed"]) / facts["ended"]
    return (
        f"{share:.0f} % of {facts['workflow']} failed in batch {facts['batch']} "
        f"({facts['failed']} of {facts['ended']} answers)"
    )


def _stopped(facts: Facts) -> str:
    batches, key = facts["batches"], f", variable {facts['variable']}" if facts["variable"] else ""
    where = f"{batches} batch{'' if batches == 1 else 'es'} wait{'s' if batches == 1 else ''}"
    return f"{facts['provider']} {_CAUSES[facts['cause']]}{key}: {', '.join(facts['workflows'])} of {where}"


def _budget(facts: Facts) -> str:
    amount, used = Decimal(facts["amount"]), Decimal(facts["used"])
    of = "".join(f" of {word} {facts[word]}" for word in ("batch", "workflow") if facts[word])
    share = f" ({used / amount * 100:.0f} %)" if amount else ""
    is_reached = amount and used >= amount * Decimal(str(facts["percent"])) / 100
    spent = f"{Money(used, '').shown()} of {Money(amount, '').shown()}{share} spent or set aside"
    return f"the budget{of}: {spent}{'' if is_reached else ', and batches pause for it'}"


def _dead(facts: Facts) -> str:
    count = facts["callbacks"]
    return f"{count} callback{' that' if count == 1 else 's that'} could not be read"


def _overdue(what: str) -> Callable[[Facts], str]:
    def said(facts: Facts) -> str:
        if facts["is_never"]:
            return f"there is no {what} yet, {facts['hours']} hours after the client was added"
        return f"the newest {what} is of {_minute(facts['since'])}, more than {facts['hours']} hours ago"

    return said


def _behind(facts: Facts) -> str:
    return f"batch {facts['batch']} finished at {_minute(facts['since'])}, and its tables are not made of it"


def _suppressed(facts: Facts) -> str:
    items = facts["items"]
    return f"batch {facts['batch']} has {items} row{'' if items == 1 else 's'} of people who said no: nobody is asked"


def _undelivered(facts: Facts) -> str:
    said = f"no message has arrived at the webhook {facts['name']} since {_minute(facts['since'])}"
    why = f": {facts['error']}" if facts["error"] else ""
    return f"{said}{why}" if facts["disabled"] is None else f"{said}, and it is disabled: {facts['disabled']}"


def _family(facts: Facts) -> str:
    count, rows = facts["families"], facts["rows"]
    named = f"row{'' if count == 1 else 's'} {', '.join(map(str, rows))}{' ...' if count > len(rows) else ''}"
    if facts["how"] == "unwritten":
        return f"tables of batch {facts['batch']} could not be written for {count} of its families: {named}"
    return f"{count} of the families of batch {facts['batch']} failed ({facts['what']}): {named}"


def _replied(facts: Facts) -> str:
    who = f"lead {facts['item']} of batch {facts['batch']}" if facts["item"] is not None else "somebody"
    said = "is interested" if facts["kind"] == "interested" else "has answered"
    return f"{who} {said}, as {facts['source']} tells"


def _unread(facts: Facts) -> str:
    count = facts["messages"]
    return f"{count} message{' that' if count == 1 else 's that'} came back could not be read"


def _mailbox(facts: Facts) -> str:
    return f"nothing leaves from the mailbox {facts['mailbox']}: {facts['reason']}"


def _minute(moment: str) -> str:
    """`2026-11-29 03:15 UTC`, of what Postgres writes into JSON in the time zone of its session."""
    return f"{datetime.fromisoformat(moment).astimezone(UTC):%Y-%m-%d %H:%M} UTC"


SENTENCES: Mapping[Kind, Callable[[Facts], str]] = {
    Kind.BATCH_FINISHED: _finished,
    Kind.BATCH_STUCK: _stuck,
    Kind.BATCH_PAUSED: _paused,
    Kind.BATCH_ERRORS: _errors,
    Kind.PROVIDER_STOPPED: _stopped,
    Kind.BUDGET_USED: _budget,
    Kind.CALLBACK_DEAD: _dead,
    Kind.CLIENT_OVERDUE: _overdue("batch"),
    Kind.TABLE_OVERDUE: _overdue("table"),
    Kind.TABLE_BEHIND: _behind,
    Kind.SUPPRESSION_HIT: _suppressed,
    Kind.DELIVERY_FAILED: _undelivered,
    Kind.FAMILY_FAILED: _family,
    Kind.CONTACT_REPLIED: _replied,
    Kind.EVENT_DEAD: _unread,
    Kind.MAILBOX_PAUSED: _mailbox,
}
"""How each kind is put into words."""
