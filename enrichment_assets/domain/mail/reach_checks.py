"""What else is checked of a domain: that answers arrive, that its server has a name, that the opt-out is reached."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from enrichment_assets.domain.domains import is_free_mail
from enrichment_assets.domain.mail.dns_names import LookupFailedError, Names, RecordType
from enrichment_assets.domain.mail.judging import Finding, Weight
from enrichment_assets.domain.mail.opt_out import leads_here_only
from enrichment_assets.domain.mail.sender_checks import Answer, Question
from enrichment_assets.domain.mail.spf import addresses_of


def check_mx(domain: str, names: Names) -> list[Finding]:
    """Whether replies and bounces to a domain arrive (RFC 5321, 5.1; RFC 7505)."""
    try:
        hosts = [value.partition(" ")[2].strip(".") for value in names.ask(domain, RecordType.MX).values]
        if hosts and not any(hosts):
            text = f"{domain} takes no mail (null MX): replies and bounces are lost, and receivers may refuse its mail"
            return [Finding("mx.null", Weight.FAULT, text, "Publish the MX record of the mailbox's service.")]
        if not hosts:
            return _without_mx(domain, names)
        dead = [host for host in hosts if host and not _leads_somewhere(host, names)]
    except LookupFailedError as error:
        return [Finding("mx.unknown", Weight.UNKNOWN, str(error), "Try again.")]
    if len(dead) == len([host for host in hosts if host]):
        text = f"no host that takes mail of {domain} has an address: {', '.join(dead[:3])}"
        return [Finding("mx.dead", Weight.FAULT, text, "Publish the MX record of the mailbox's service.")]
    if dead:
        text = f"{', '.join(dead[:3])} has no address"
        return [Finding("mx.some_dead", Weight.WARNING, text, "Take it out of the MX records.")]
    return [Finding("mx.fine", Weight.FINE, ", ".join(sorted(hosts)[:3]))]


def _without_mx(domain: str, names: Names) -> list[Finding]:
    if addresses_of(domain, names):
        text = f"{domain} has no MX record: mail to it goes to its web server, where often nobody takes it"
        return [Finding("mx.implied", Weight.WARNING, text, "Publish the MX record of the mailbox's service.")]
    text = f"{domain} has no MX record and no address: replies and bounces are lost"
    return [Finding("mx.missing", Weight.FAULT, text, "Publish the MX record of the mailbox's service.")]


def _leads_somewhere(host: str, names: Names) -> bool:
    """An MX record names a host, never an address (RFC 5321, 5.1)."""
    return not host.replace(".", "").isdigit() and bool(addresses_of(host, names))


def check_reverse_dns(servers: tuple[str, ...], names: Names) -> Answer:
    """Whether each address of an own server has a name that leads back to it; nothing to say without one."""
    if not servers:
        return Answer([], passes=True)
    found: list[Finding] = []
    try:
        for server in servers:
            found += _of_server(server, names)
    except LookupFailedError as error:
        return Answer([Finding("ptr.unknown", Weight.UNKNOWN, str(error), "Try again.")], None)
    faults = [one for one in found if one.weight is Weight.FAULT]
    return Answer(faults or found, passes=not faults)


def _of_server(server: str, names: Names) -> list[Finding]:
    try:
        addresses = [ipaddress.ip_address(server)]
    except ValueError:
        addresses = addresses_of(server, names)
    if not addresses:
        text = f"{server} has no address"
        return [Finding("ptr.no_address", Weight.FAULT, text, "Name the server that mail leaves from.")]
    return [_of_address(address, names) for address in addresses]


def _of_address(address: ipaddress.IPv4Address | ipaddress.IPv6Address, names: Names) -> Finding:
    hosts = names.ask(str(address), RecordType.PTR).values
    advice = "Have whoever the address belongs to set its reverse DNS to the server's name."
    if not hosts:
        return Finding("ptr.missing", Weight.FAULT, f"{address} has no reverse DNS", advice)
    if not any(address in addresses_of(host, names) for host in hosts):
        text = f"{address} is called {hosts[0]}, which does not lead back to it"
        return Finding("ptr.unconfirmed", Weight.FAULT, text, advice)
    return Finding("ptr.fine", Weight.FINE, f"{address} is {hosts[0]}")


def check_way(asked: Question) -> list[Finding]:
    """What needs no lookup: TLS, whose domain it is, and where the link to unsubscribe leads."""
    found = []
    if is_free_mail(asked.domain):
        text = f"{asked.domain} is a mail provider's: receivers distrust mail of it that is sent to many"
        found.append(Finding("from.free_mail", Weight.FAULT, text, "Send from a domain of your own."))
    if not asked.tls:
        text = "mail leaves without TLS"
        found.append(Finding("tls.none", Weight.FAULT, text, "Use port 587 with STARTTLS, or 465."))
    if leads_here_only(asked.receiver_url):
        text = f"the link to unsubscribe leads to {asked.receiver_url}, which recipients do not reach"
        found.append(Finding("opt_out.unreachable", Weight.FAULT, text, "Let ENRICH_RECEIVER_URL be a public address."))
    elif urlsplit(asked.receiver_url).scheme != "https":
        text = f"the link to unsubscribe leads to {asked.receiver_url}, and one click needs https"
        found.append(Finding("opt_out.not_https", Weight.FAULT, text, "Let ENRICH_RECEIVER_URL be an https address."))
    return found
