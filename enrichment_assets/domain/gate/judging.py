"""What each rule finds against a lead: pure functions over the lead, and what the warehouse and HQ know of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from enrichment_assets.domain.company_names import company_name_key
from enrichment_assets.domain.countries import region_of
from enrichment_assets.domain.domains import is_free_mail
from enrichment_assets.domain.gate.countries import Basis, Consent, rule_of
from enrichment_assets.domain.gate.rules import RULE_OF_LIST, ListKind, Policy, Refusal, Rule
from enrichment_assets.domain.name_agreement import names_differ, person_name_key

COLUMNS = (
    "first_name", "last_name", "full_name", "email", "linkedin_url", "country", "company_name", "company_domain",
    "company_website", "email_status", "email_finders", "email_sources_disagree",
)  # fmt: skip
"""Columns of `final_leads` that the rules read; the one of an owner comes on top."""


UPLOAD = "upload"
"""The source that the client's own list is."""


@dataclass(frozen=True, slots=True)
class SaidName:
    """What a source of the lead's address, or the client's own list, calls the person."""

    source: str
    first: str | None = None
    last: str | None = None
    full: str | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the warehouse knows behind a lead.

    Attributes:
        givers: Providers that gave the address.
        sayers: Providers that call it valid.
        names: What its sources call the person.
        elsewhere: Sources of the address that say that the person works at another company.
        is_named_by_hand: A person corrected the name: what sources say of it does not count.
        current: Names, as compared, of organisations where the person works by their work history.
        ended: Of those where they do not any more.
        is_active: What a freshness check says.
        heard_at: When something was last heard of the lead: its address, a verdict, a freshness check.
    """

    givers: frozenset[str] = frozenset()
    sayers: frozenset[str] = frozenset()
    names: tuple[SaidName, ...] = ()
    elsewhere: tuple[str, ...] = ()
    is_named_by_hand: bool = False
    current: frozenset[str] = frozenset()
    ended: frozenset[str] = frozenset()
    is_active: bool | None = None
    heard_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a client's list that means the lead's company or person."""

    kind: ListKind
    label: str
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Contact:
    """When the person was last contacted by this client, or is about to be (`at` None), and by what."""

    by: str
    at: datetime | None


@dataclass(slots=True)
class Known:
    """What HQ knows of a lead.

    Attributes:
        suppressed: Why nobody may write to them.
        stopped: Why nothing more is sent.
        entries: The client's lists.
        consents: Consents in force.
        contact: The last contact; None: none that counts.
        colleagues: How many other people of the company were contacted, or are about to be, in the company cap's days.
        passes: Rules that a person lets this lead pass.
    """

    suppressed: str | None = None
    stopped: str | None = None
    entries: tuple[Entry, ...] = ()
    consents: frozenset[Consent] = frozenset()
    contact: Contact | None = None
    colleagues: int = 0
    passes: frozenset[Rule] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Case:
    """All that a rule looks at.

    Attributes:
        lead: Columns of `final_leads`.
        by_email: The message goes to the lead's address.
    """

    lead: Mapping[str, Any]
    evidence: Evidence
    known: Known
    policy: Policy
    now: datetime
    by_email: bool


def refusals(case: Case) -> list[Refusal]:
    """Why the lead may not be contacted, in the order of the rules; none: it may."""
    found = []
    for rule, look in _LOOKS.items():
        if case.policy.is_on(rule) and rule not in case.known.passes:
            found += [Refusal(rule, why) for why in look(case)]
    return found


def _suppressed(case: Case) -> Iterator[str]:
    if case.known.suppressed is not None:
        yield case.known.suppressed


def _stopped(case: Case) -> Iterator[str]:
    if case.known.stopped is not None:
        yield case.known.stopped


def _listed(kind: ListKind) -> Callable[[Case], Iterator[str]]:
    def look(case: Case) -> Iterator[str]:
        entry = next((one for one in case.known.entries if one.kind is kind), None)
        if entry is not None:
            yield entry.label

    return look


def _other_owner(case: Case) -> Iterator[str]:
    """Accounts of somebody else than the owner whom the lead names; without one, of anybody."""
    column = case.policy.value(Rule.OTHER_OWNER, "field")
    said = case.lead.get(column) if column else None
    mine = said.strip().casefold() if isinstance(said, str) else None
    for entry in case.known.entries:
        if entry.kind is ListKind.OWNERS and (entry.owner or "").casefold() != mine:
            yield f"{entry.label} is {entry.owner}'s" if entry.owner else f"{entry.label} is somebody else's"
            return


@dataclass(frozen=True, slots=True)
class Wanted:
    """A consent that has to be there.

    Attributes:
        accepts: Kinds of which one is enough; none: nothing is.
        why: What is said where it is not there.
    """

    accepts: frozenset[Consent]
    why: str


def wanted_consent(lead: Mapping[str, Any], policy: Policy) -> Wanted | None:
    """The consent that a lead's country asks for; None: it asks for none, or the client does not look at it."""
    if not policy.is_on(Rule.COUNTRY):
        return None
    text = lead.get("country")
    code = region_of(text) if isinstance(text, str) else None
    if code is None:
        done = policy.value(Rule.COUNTRY, "unknown")
        if done == "refuse":
            return Wanted(frozenset(), "no country is known")
        agreed = Wanted(frozenset(Consent), "no country is known, and no consent is recorded")
        return agreed if done == "consent" else None
    rule = rule_of(code)
    basis = rule.private if _is_private(lead.get("email")) else rule.basis
    why = f"{code} asks for consent ({rule.statute}), and none is recorded"
    return Wanted(rule.accepts, why) if basis is Basis.CONSENT else None


def _country(case: Case) -> Iterator[str]:
    wanted = wanted_consent(case.lead, case.policy)
    if wanted is not None and not case.known.consents & wanted.accepts:
        yield wanted.why


def _is_private(email: Any) -> bool:
    return isinstance(email, str) and is_free_mail(email.rpartition("@")[2])


def _right_person(case: Case) -> Iterator[str]:
    lead, evidence = case.lead, case.evidence
    if evidence.names and not evidence.is_named_by_hand:
        own = person_name_key(*(_text(lead.get(name)) for name in ("first_name", "last_name", "full_name")))
        for said in evidence.names if own is not None else ():
            other = person_name_key(said.first, said.last, said.full)
            if own is not None and other is not None and names_differ(own, other):
                yield f"{said.source} knows the {'lead' if said.source == UPLOAD else 'address'} as somebody else's"
                return
    if evidence.elsewhere:
        yield f"{evidence.elsewhere[0]} knows the person at another company"


def _role_current(case: Case) -> Iterator[str]:
    if case.evidence.is_active is False:
        yield "a freshness check found that they have left"
        return
    company = company_name_key(_text(case.lead.get("company_name")))
    if company is not None and company in case.evidence.ended and company not in case.evidence.current:
        yield "by their work history they work there no more"


def _email_verified(case: Case) -> Iterator[str]:
    if not case.by_email or not case.lead.get("email"):
        return
    status, evidence = case.lead.get("email_status"), case.evidence
    if status == "accept_all":
        finders, wanted = case.lead.get("email_finders") or 0, case.policy.value(Rule.EMAIL_VERIFIED, "finders")
        if finders < wanted:
            yield f"its host takes mail for any name, and {finders or 'nobody'} of {wanted} found it"
    elif status != "valid":
        is_said = status not in (None, "unknown")
        yield f"the address is called {status}" if is_said else "nobody has verified the address"
    elif case.lead.get("email_sources_disagree"):
        yield "one source says that the address can be written to, another that it cannot"
    elif not evidence.sayers:
        yield "nobody has verified the address"
    elif len(evidence.givers | evidence.sayers) < 2 and evidence.givers:
        yield f"{next(iter(evidence.sayers))} alone found and verified the address"


def _fresh(case: Case) -> Iterator[str]:
    days = case.policy.value(Rule.FRESH, "days")
    heard = case.evidence.heard_at
    if heard is not None and heard < case.now - timedelta(days=days):
        yield f"nothing was heard of the lead since {heard:%Y-%m-%d}, {days} days are allowed"


def _recently_contacted(case: Case) -> Iterator[str]:
    contact = case.known.contact
    if contact is not None:
        yield f"by {contact.by} on {contact.at:%Y-%m-%d}" if contact.at else f"{contact.by} is about to"


def _company_cap(case: Case) -> Iterator[str]:
    people = case.policy.value(Rule.COMPANY_CAP, "people")
    if case.known.colleagues >= people:
        days = case.policy.value(Rule.COMPANY_CAP, "days")
        yield f"{case.known.colleagues} others of the company within {days} days, {people} are allowed"


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


_LOOKS: Mapping[Rule, Callable[[Case], Iterator[str]]] = {
    Rule.SUPPRESSED: _suppressed,
    Rule.STOPPED: _stopped,
    **{rule: _listed(kind) for kind, rule in RULE_OF_LIST.items()},
    Rule.OTHER_OWNER: _other_owner,
    Rule.COUNTRY: _country,
    Rule.RIGHT_PERSON: _right_person,
    Rule.ROLE_CURRENT: _role_current,
    Rule.EMAIL_VERIFIED: _email_verified,
    Rule.FRESH: _fresh,
    Rule.RECENTLY_CONTACTED: _recently_contacted,
    Rule.COMPANY_CAP: _company_cap,
}
