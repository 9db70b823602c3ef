"""What is checked of a domain before mail leaves in its name: SPF, DKIM, DMARC, and for which domain they speak."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from enrichment_assets.domain.mail.dkim_keys import LEAST_BITS, USUAL_BITS, DkimError, find_key
from enrichment_assets.domain.mail.dmarc import Alignment, Dmarc, DmarcError, find_dmarc, is_aligned, may_report_to
from enrichment_assets.domain.mail.dns_names import LookupFailedError, Names, RecordType
from enrichment_assets.domain.mail.judging import Finding, Sender, Weight
from enrichment_assets.domain.mail.spf import (
    MOST_LOOKUPS,
    MOST_VOID,
    SpfStanding,
    addresses_of,
    follow_spf,
    passes_by,
    passes_for,
)


@dataclass(frozen=True, slots=True)
class Question:
    """Mail that is going to leave.

    Attributes:
        domain: Of the address in From.
        way: Through whom, as `google` or `smtp.acme.com`: checks of one domain are kept apart by it; empty: unsaid.
        sender: The service through which; None: an own server, or it was not said.
        servers: Hosts or addresses of own servers from which.
        selectors: Under which it is signed; none: those that the service always uses.
        signs_as: The domain that signs it (`d=`).
        envelope: The domain in the envelope, to which bounces go and whose SPF counts; None: the service's own.
        tls: Whether it leaves over TLS.
        receiver_url: Where the link to unsubscribe leads.
    """

    domain: str
    way: str
    sender: Sender | None
    servers: tuple[str, ...]
    selectors: tuple[str, ...]
    signs_as: str
    envelope: str | None
    tls: bool
    receiver_url: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What one of the checks says: its findings, and whether mail passes by it; None: it could not be told."""

    findings: list[Finding]
    passes: bool | None


def check_spf(asked: Question, names: Names) -> Answer:
    """Whether the envelope's domain names whom the mail comes from, and receivers can follow its record."""
    if asked.envelope is None:
        text = "bounces go to a domain of the service, whose SPF is its own: it does not stand for the domain in From"
        return Answer([Finding("spf.of_the_service", Weight.FINE, text)], passes=True)
    try:
        return _check_spf(asked, asked.envelope, names)
    except LookupFailedError as error:
        return Answer([Finding("spf.unknown", Weight.UNKNOWN, str(error), "Try again.")], None)


def _check_spf(asked: Question, envelope: str, names: Names) -> Answer:
    seen = follow_spf(envelope, names)
    if seen.record is None:
        first = seen.faults[0]
        text = f"{envelope} has no SPF record" if first.kind == "missing" else first.text
        advice = "Keep one record, with the terms of both." if first.kind == "multiple" else "Publish this record."
        said = Finding(f"spf.{first.kind}", Weight.FAULT, text, advice, _spf_record(asked, envelope))
        return Answer([said], passes=False)
    passes = _passes(asked, envelope, names)
    return Answer(_spf_findings(asked, envelope, seen, passes=passes), passes)


def _passes(asked: Question, envelope: str, names: Names) -> bool | None:
    """Whether all that the mail may come from passes; None: it was not said from where it comes."""
    if asked.sender is not None:
        return passes_by(envelope, asked.sender.includes, names)
    addresses = [one for server in asked.servers for one in _addresses(server, names)]
    if not addresses:
        return None
    return all(passes_for(envelope, address, names) for address in addresses)


def _addresses(server: str, names: Names) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    try:
        return [ipaddress.ip_address(server)]
    except ValueError:
        return addresses_of(server, names)


def _spf_findings(asked: Question, envelope: str, seen: SpfStanding, *, passes: bool | None) -> list[Finding]:
    record = seen.record
    assert record is not None  # noqa: S101 - the caller looked
    stops = Weight.WARNING if passes else Weight.FAULT
    found = []
    if seen.lookups > MOST_LOOKUPS:
        text = f"the record costs {seen.lookups} DNS lookups, and receivers give up after {MOST_LOOKUPS}"
        found.append(Finding("spf.too_many_lookups", stops, text, "Take out what does not send for you any more."))
    if seen.void > MOST_VOID:
        text = f"{seen.void} of its lookups find nothing, and receivers give up after {MOST_VOID}"
        found.append(Finding("spf.void_lookups", stops, text, "Take out names that do not exist any more."))
    for fault in seen.faults:
        found.append(Finding(f"spf.{fault.kind}_below", stops, fault.text, "Take the term out, or mend what it names."))
    if passes is False and not any(one.weight is Weight.FAULT for one in found):
        who = asked.sender.name if asked.sender else " and ".join(asked.servers)
        text = f"{envelope} does not say that {who} may send for it"
        found.append(
            Finding(
                "spf.sender_missing",
                Weight.FAULT,
                text,
                "Publish this record.",
                _spf_record(asked, envelope, record.text),
            )
        )
    if record.ends == "+":
        text = "the record ends in +all: everybody in the world may send for the domain"
        found.append(
            Finding("spf.everybody", Weight.FAULT, text, "End it in ~all.", _spf_record(asked, envelope, record.text))
        )
    elif record.ends in ("", "?") and not record.redirect:
        text = "the record does not end in ~all or -all: it says nothing of whoever it does not name"
        found.append(Finding("spf.ends_open", Weight.WARNING, text, "End it in ~all."))
    if seen.asks_ptr:
        found.append(
            Finding("spf.ptr", Weight.WARNING, "the record uses ptr, which receivers may ignore", "Take it out.")
        )
    if passes is None and not any(one.weight is Weight.FAULT for one in found):
        text = "the record can be followed; it was not said by whom the mail leaves"
        found.append(Finding("spf.sender_unsaid", Weight.UNKNOWN, text, "Name the service, or the own server."))
    return found or [Finding("spf.fine", Weight.FINE, f"{seen.lookups} of {MOST_LOOKUPS} lookups")]


def _spf_record(asked: Question, envelope: str, text: str = "v=spf1 ~all") -> str:
    """The record with whom it lacks, before its end."""
    if asked.sender is not None:
        lacking = [f"include:{asked.sender.includes[0]}"]
    else:
        lacking = [_by_address(server) for server in asked.servers]
    terms = [term for term in text.split() if term.lower() not in ("+all", "all")]
    if not any(term.lower().lstrip("-~?") == "all" or term.lower().startswith("redirect=") for term in terms):
        terms.append("~all")
    terms[1:1] = [one for one in lacking if one not in terms]
    return f'{envelope} TXT "{" ".join(terms)}"'


def _by_address(server: str) -> str:
    try:
        return f"ip{ipaddress.ip_address(server).version}:{server}"
    except ValueError:
        return f"a:{server}"


def check_dkim(asked: Question, names: Names) -> Answer:
    """Whether the domain that signs has a key that receivers use, under one of the selectors."""
    usual = asked.sender.selectors if asked.sender else ()
    selectors = asked.selectors or usual
    try:
        if not selectors:
            return _without_selector(asked, names)
        found = [_key_finding(asked, selector, names) for selector in selectors]
    except LookupFailedError as error:
        return Answer([Finding("dkim.unknown", Weight.UNKNOWN, str(error), "Try again.")], None)
    there = [one for one in found if one is not None]
    good = [one for one in there if one.weight in (Weight.FINE, Weight.WARNING)]
    if good:
        return Answer(good, passes=True)
    if there:
        return Answer(there, passes=False)
    where = f"{selectors[0]}._domainkey.{asked.signs_as}"
    if asked.selectors:
        text = f"there is no key at {where}"
        return Answer(
            [Finding("dkim.missing", Weight.FAULT, text, "Publish the key that the sender shows.")], passes=False
        )
    name = asked.sender.name if asked.sender else ""
    text = f"{name} usually signs as {' or '.join(selectors)}, and {asked.signs_as} has no such key"
    advice = f"Set DKIM up at {name}, or say the selector: s= in DKIM-Signature of a mail that was sent."
    return Answer([Finding("dkim.not_found", Weight.UNKNOWN, text, advice)], None)


def _without_selector(asked: Question, names: Names) -> Answer:
    if not names.ask(f"_domainkey.{asked.signs_as}", RecordType.TXT).exists:
        text = f"{asked.signs_as} has no DKIM key at all"
        return Answer(
            [Finding("dkim.missing", Weight.FAULT, text, "Set DKIM up where the mail is sent.")], passes=False
        )
    text = "a key is found by its selector only, and none was said"
    advice = "Say the selector: s= in DKIM-Signature of a mail that was sent."
    return Answer([Finding("dkim.selector_unsaid", Weight.UNKNOWN, text, advice)], None)


def _key_finding(asked: Question, selector: str, names: Names) -> Finding | None:
    """What there is to say of a selector's key; None: there is no such key."""
    try:
        key = find_key(asked.signs_as, selector, names)
    except DkimError as error:
        return Finding(f"dkim.{error.kind}", Weight.FAULT, str(error), "Publish the key that the sender shows.")
    if key is None:
        return None
    if key.algorithm == "ed25519":
        text = f"{selector} is an ed25519 key, which big receivers do not check (RFC 8463 asks for RSA beside it)"
        return Finding("dkim.only_ed25519", Weight.FAULT, text, "Sign with an RSA key too, and name its selector.")
    if key.bits < LEAST_BITS:
        text = f"the key of {selector} has {key.bits} bits, and under {LEAST_BITS} it does not count"
        return Finding("dkim.short_key", Weight.FAULT, text, f"Make one of {USUAL_BITS} bits.")
    if key.testing:
        text = f"{selector} says t=y: receivers may treat signed mail like unsigned mail"
        return Finding("dkim.testing", Weight.WARNING, text, "Take t=y out.")
    if key.bits < USUAL_BITS:
        text = f"the key of {selector} has {key.bits} bits"
        return Finding("dkim.shortish_key", Weight.WARNING, text, f"Make one of {USUAL_BITS} bits.")
    return Finding("dkim.fine", Weight.FINE, f"{selector}, {key.bits} bits")


@dataclass(frozen=True, slots=True)
class DmarcAnswer:
    """What is said of DMARC. `found`: the record that counts. `known`: it could be looked up."""

    findings: list[Finding]
    found: Dmarc | None
    known: bool = True


def check_dmarc(asked: Question, names: Names) -> DmarcAnswer:
    """Whether a record counts for the domain in From, and whether somebody reads its reports."""
    record = f'_dmarc.{asked.domain} TXT "v=DMARC1; p=none; rua=mailto:dmarc@{asked.domain}"'
    try:
        found = find_dmarc(asked.domain, names)
        if found is None:
            text = f"{asked.domain} has no DMARC record"
            return DmarcAnswer([Finding("dmarc.missing", Weight.FAULT, text, "Publish this record.", record)], None)
        strangers = [to for to in found.reports_to if not may_report_to(found.at, to, names)]
    except DmarcError as error:
        return DmarcAnswer([Finding("dmarc.invalid", Weight.FAULT, str(error), "Keep one record.", record)], None)
    except LookupFailedError as error:
        return DmarcAnswer([Finding("dmarc.unknown", Weight.UNKNOWN, str(error), "Try again.")], None, known=False)
    notes = []
    if not found.reports_to:
        text = "nobody is sent reports of who sends in the domain's name"
        notes.append(Finding("dmarc.no_reports", Weight.WARNING, text, f"Add rua=mailto:dmarc@{asked.domain}."))
    for to in strangers:
        other = to.rpartition("@")[2]
        text = f"reports to {to} are not sent: {other} does not say that it takes them"
        allow = f'{found.at}._report._dmarc.{other} TXT "v=DMARC1"'
        notes.append(
            Finding("dmarc.reports_not_taken", Weight.WARNING, text, f"Have {other} publish this record.", allow)
        )
    fine = Finding("dmarc.fine", Weight.FINE, f"p={found.policy}, of {found.at}")
    return DmarcAnswer(notes or [fine], found)


def check_alignment(asked: Question, spf: bool | None, dkim: bool | None, dmarc: Dmarc | None) -> Answer:
    """Whether SPF or DKIM passes for the domain in From (RFC 7489, 3.1): without it DMARC fails."""
    how_spf, how_dkim = (dmarc.spf, dmarc.dkim) if dmarc else (Alignment.RELAXED, Alignment.RELAXED)
    by_spf = spf and asked.envelope is not None and is_aligned(asked.envelope, asked.domain, how_spf)
    by_dkim = dkim and is_aligned(asked.signs_as, asked.domain, how_dkim)
    if by_spf or by_dkim:
        ways = [name for name, held in (("SPF", by_spf), ("DKIM", by_dkim)) if held]
        return Answer([Finding("align.fine", Weight.FINE, f"{' and '.join(ways)} for {asked.domain}")], passes=True)
    if by_spf is None or by_dkim is None:
        return Answer([], None)
    strict = [name for name, how in (("aspf", how_spf), ("adkim", how_dkim)) if how is Alignment.STRICT]
    why = f" ({' and '.join(strict)} ask for the very same domain)" if strict else ""
    envelope = asked.envelope or "the service"
    text = f"neither SPF (for {envelope}) nor DKIM (for {asked.signs_as}) passes for {asked.domain}{why}"
    policy = f"; p={dmarc.policy} tells receivers to stop such mail" if dmarc and dmarc.policy != "none" else ""
    advice = f"Sign as {asked.domain}, or send with an envelope of it."
    return Answer([Finding("align.none", Weight.FAULT, text + policy, advice)], passes=False)
