"""What is asked of a domain before mail leaves in its name: from what somebody says, and from a mailbox's settings."""

from __future__ import annotations

from dataclasses import dataclass

from enrichment_assets.domain.domains import host_of
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.mail.dmarc import Alignment, is_aligned
from enrichment_assets.domain.mail.judging import Sender, sender_at, senders
from enrichment_assets.domain.mail.mailboxes import MailboxKind
from enrichment_assets.domain.mail.sender_checks import Question
from enrichment_assets.store.mail.mailboxes import Mailbox


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody says of the way by which mail leaves; it comes before a mailbox's settings.

    Attributes:
        service: As `google` or `sendgrid`; None: an own server, or unsaid.
        servers: Hosts or addresses of own servers.
        selectors: Under which mail is signed.
        signs_as: The domain that signs; None: that of From.
        envelope: The domain in the envelope; None: as the service does it.
    """

    service: str | None = None
    servers: tuple[str, ...] = ()
    selectors: tuple[str, ...] = ()
    signs_as: str | None = None
    envelope: str | None = None


def about_domain(domain: str, said: Said, receiver_url: str) -> Question:
    """The question of a domain. Raises `ConfigurationError` for what is no domain, and a service that is not known."""
    host = host_of(domain)
    if host is None or "@" in domain:
        raise ConfigurationError(f"{domain[:80]!r} is no domain", code="mail.not_a_domain")
    sender = _sender(said.service)
    way = sender.slug if sender else ",".join(sorted(said.servers))
    return _question(host, way, sender, said, receiver_url, tls=True)


def about_mailbox(mailbox: Mailbox, said: Said, receiver_url: str) -> Question:
    """The question of a mailbox: its domain, and whom its settings name. Raises `ConfigurationError`."""
    domain, settings = mailbox.address.rpartition("@")[2], mailbox.settings
    sender, servers = _sender(said.service) or _of_settings(mailbox), said.servers
    host = str(settings.get("host", ""))
    if sender is None and not servers and host and is_aligned(host, domain, Alignment.RELAXED):
        servers = (host,)
    dkim = settings.get("dkim") or {}
    told = Said(
        said.service,
        servers,
        said.selectors or ((str(dkim["selector"]),) if dkim else ()),
        said.signs_as or dkim.get("domain"),
        said.envelope or settings.get("envelope"),
    )
    tls = settings.get("security") != "plain"
    return _question(domain, way_of(mailbox), sender, told, receiver_url, tls=tls)


def way_of(mailbox: Mailbox) -> str:
    """Through whom a mailbox's mail leaves, as its checks are kept apart by it."""
    sender = _of_settings(mailbox)
    return sender.slug if sender else str(mailbox.settings.get("host", ""))


def _of_settings(mailbox: Mailbox) -> Sender | None:
    if mailbox.kind is MailboxKind.GMAIL:
        return senders()["google"]
    if mailbox.kind is MailboxKind.SERVICE:
        return senders().get(str(mailbox.settings.get("service", "")))
    return sender_at(str(mailbox.settings.get("host", "")))


def _sender(service: str | None) -> Sender | None:
    if service is None:
        return None
    if service not in senders():
        known = ", ".join(sorted(senders()))
        raise ConfigurationError(f"{service!r} is no service that is known: {known}", code="mail.service_unknown")
    return senders()[service]


def _question(domain: str, way: str, sender: Sender | None, said: Said, receiver_url: str, *, tls: bool) -> Question:
    usual = sender.envelope_of(domain) if sender else domain
    return Question(
        domain=domain,
        way=way,
        sender=sender,
        servers=() if sender else said.servers,
        selectors=said.selectors,
        signs_as=said.signs_as or domain,
        envelope=said.envelope or usual,
        tls=tls,
        receiver_url=receiver_url,
    )
