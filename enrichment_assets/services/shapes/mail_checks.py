"""Checks of the domains from which mail leaves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from enrichment_assets.services.shapes.shape import Shape

if TYPE_CHECKING:
    from enrichment_assets.domain.mail import judging
    from enrichment_assets.services.mail.domain_standing import Checked
    from enrichment_assets.store.mail.domain_checks import StoredCheck


@dataclass(frozen=True, slots=True)
class MailFinding(Shape):
    """One thing that a check says.

    Attributes:
        code: What it is, as `spf.missing`.
        weight: `fault`, `unknown` (it could not be looked up), `warning` or `fine`.
        text: What was found.
        advice: What to do; may be empty.
        record: The DNS record to publish; may be empty.
    """

    code: str
    weight: str
    text: str
    advice: str
    record: str

    @classmethod
    def of(cls, found: judging.Finding) -> MailFinding:
        """The shape of one."""
        return cls(found.code, found.weight.value, found.text, found.advice, found.record)


@dataclass(frozen=True, slots=True)
class MailReceiver(Shape):
    """What one of the big receivers would do with mail of the domain.

    Attributes:
        receiver: Its name.
        few: Of a few mails a day: `delivered`, `spam`, `rejected` or `unknown`.
        many: Of many.
        many_is: What the receiver calls many.
        missing: What is missing, with the receiver's reply where it names one.
        source: Where it says so.
    """

    receiver: str
    few: str
    many: str
    many_is: str
    missing: tuple[str, ...]
    source: str

    @classmethod
    def of(cls, one: judging.Outcome) -> MailReceiver:
        """The shape of one."""
        return cls(one.receiver, one.usual, one.bulk, one.from_when, one.why, one.source)


@dataclass(frozen=True, slots=True)
class MailCheck(Shape):
    """What the records of a domain say of mail in its name.

    Attributes:
        domain: Of the address in From.
        way: Through whom mail leaves, as `google` or `smtp.acme.com`; may be empty.
        passed: Whether nothing stands against it.
        accepted: Whether somebody accepted all that stands against it.
        checked_at: When; null: it was not kept, being asked for no client.
        stops: Codes that stand against it.
        findings: All that was found.
        receivers: What the big ones would do.
    """

    domain: str
    way: str
    passed: bool
    accepted: bool
    checked_at: datetime | None
    stops: tuple[str, ...]
    findings: tuple[MailFinding, ...]
    receivers: tuple[MailReceiver, ...]

    @classmethod
    def of(cls, found: Checked) -> MailCheck:
        """The shape of one."""
        one = found.check
        return cls(
            domain=one.domain,
            way=one.way,
            passed=not one.stops,
            accepted=found.accepted,
            checked_at=found.checked_at,
            stops=one.stops,
            findings=tuple(map(MailFinding.of, one.findings)),
            receivers=tuple(map(MailReceiver.of, one.outcomes)),
        )


@dataclass(frozen=True, slots=True)
class MailAcceptance(Shape):
    """What somebody accepted of a domain.

    Attributes:
        domain: Of the address in From.
        way: Through whom mail leaves.
        stops: The codes that were accepted; more than these stops again.
        reason: Why.
        actor: By whom.
    """

    domain: str
    way: str
    stops: tuple[str, ...]
    reason: str
    actor: str

    @classmethod
    def of(cls, stored: StoredCheck) -> MailAcceptance:
        """The shape of one."""
        return cls(
            stored.domain,
            stored.way,
            tuple(stored.accepted_stops or ()),
            stored.accepted_reason or "",
            stored.accepted_by or "",
        )
