"""Mailboxes that mail leaves from: how their server is reached, how many a day they send, and when they stop.

A mailbox is data: a row that names its secrets by variables. What a kind needs of settings is a model here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.model_errors import described

DAILY_CAP = 20
"""Mails a day and mailbox unless somebody says otherwise."""

LARGEST_CAP = 500
RAMP_FROM, RAMP_STEP = 5, 2
"""A new mailbox begins with five a day, and sends two more on each further day on which it sends."""

MOST_TO_A_DOMAIN = 5
"""Mails a day from one mailbox to one receiving domain."""

JUDGED_DAYS = 30
"""For so long bounces and complaints count."""

BOUNCES, COMPLAINTS = 0.02, 0.001
LEAST = 2
"""One bounce or complaint stops no mailbox, however few mails it has sent: a share needs a number."""

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class MailboxKind(StrEnum):
    """How mail leaves a mailbox."""

    SMTP = "smtp"
    GMAIL = "gmail"
    SERVICE = "service"


class MessageState(StrEnum):
    """Where a mail stands."""

    PLANNED = "planned"
    """It has its place in a mailbox's day."""
    SENDING = "sending"
    SENT = "sent"
    REFUSED = "refused"
    """The server said no for good, or no message could be made."""
    UNKNOWN = "unknown"
    """It was handed over and no answer came."""
    DROPPED = "dropped"
    """It does not leave: it was stopped, or moved."""


HOLDS_A_PLACE = (MessageState.PLANNED, MessageState.SENDING, MessageState.SENT, MessageState.UNKNOWN)
"""These count in the cap of their day."""


class Security(StrEnum):
    """How a connection to a mail server is made safe."""

    STARTTLS = "starttls"
    TLS = "tls"
    PLAIN = "plain"


Host = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=253, pattern=r"^[A-Za-z0-9.:_-]+$")
]
Label = Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9._-]+$")]


class Dkim(BaseModel):
    """By which key messages are signed here; `selector._domainkey.domain` in DNS has its public half."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    selector: Label
    domain: Label
    key_file: str | None = Field(default=None, max_length=4_096, description="PEM; else the secret dkim_key has it")


class SmtpSettings(BaseModel):
    """How a server for submission is reached (RFC 6409)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: Host
    port: int | None = Field(default=None, ge=1, le=65_535, description="default: 587, or 465 with tls")
    security: Security = Security.STARTTLS
    user: str | None = Field(default=None, min_length=1, max_length=320, description="default: the mailbox's address")
    dkim: Dkim | None = None
    bcc: str | None = Field(default=None, max_length=254, description="a mailbox of ours that gets a copy")

    @model_validator(mode="after")
    def _only_here_without_tls(self) -> SmtpSettings:
        if self.security is Security.PLAIN and self.host.lower() not in LOOPBACK:
            raise ValueError("a connection without TLS may only go to this machine (127.0.0.1, ::1, localhost)")
        return self

    @property
    def url(self) -> str:
        """`smtp://host:587`, or `smtps://host:465` where TLS comes first."""
        scheme, usual = ("smtps", 465) if self.security is Security.TLS else ("smtp", 587)
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port or usual}"


class GmailSettings(BaseModel):
    """A mailbox of Google's is reached through its API, and needs nothing but its grant (docs/mail-services.md)."""

    model_config = ConfigDict(extra="forbid", frozen=True)


SETTINGS: dict[MailboxKind, type[BaseModel]] = {MailboxKind.SMTP: SmtpSettings, MailboxKind.GMAIL: GmailSettings}
"""What each kind is set up with; a kind that is not here cannot be used."""

SECRETS: dict[MailboxKind, frozenset[str]] = {
    MailboxKind.SMTP: frozenset({"password", "access_token", "dkim_key"}),
    MailboxKind.GMAIL: frozenset({"credentials"}),
}
"""Purposes of the secrets that a kind may name: of `password` and `access_token` (XOAUTH2) one at most."""


def checked_settings(kind: MailboxKind, settings: dict[str, Any], secrets: dict[str, str]) -> dict[str, Any]:
    """The settings of a mailbox as they are kept.

    Raises:
        ConfigurationError: The kind is not known here, a setting or a secret's purpose is wrong, or the DKIM key has
            no place.
    """
    model = SETTINGS.get(kind)
    if model is None:
        raise ConfigurationError(f"no mailbox of kind {kind} can be used", code="mailbox.kind")
    try:
        found = model.model_validate(settings)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, place))}: {said}" for place, said in described(error, model, None))
        raise ConfigurationError(f"the mailbox's settings: {faults}", code="mailbox.settings") from None
    if strange := sorted(secrets.keys() - SECRETS[kind]):
        raise ConfigurationError(
            f"a mailbox of kind {kind} has no secret {strange[0]!r}: it may have {', '.join(sorted(SECRETS[kind]))}",
            code="mailbox.secret",
        )
    if kind is MailboxKind.GMAIL and "credentials" not in secrets:
        raise ConfigurationError(
            "a mailbox of kind gmail needs the secret credentials: the grant that Google's tools write",
            code="mailbox.no_credentials",
        )
    if {"password", "access_token"} <= secrets.keys():
        raise ConfigurationError(
            "a mailbox logs in with a password or an access token, not with both", code="mailbox.two_logins"
        )
    dkim = getattr(found, "dkim", None)
    if dkim is not None and (dkim.key_file is None) == ("dkim_key" not in secrets):
        raise ConfigurationError(
            "DKIM needs its key: a key_file, or the secret dkim_key, one of them", code="mailbox.dkim_key"
        )
    return found.model_dump(mode="json", exclude_none=True)


@dataclass(frozen=True, slots=True)
class Ramp:
    """How a mailbox comes to its cap: `start` on its first day of sending, `step` more on each further one."""

    start: int
    step: int


def cap_on(daily_cap: int, ramp: Ramp | None, days_sent: int) -> int:
    """How many mails leave on a day, after so many earlier days on which some did."""
    return daily_cap if ramp is None else min(daily_cap, ramp.start + ramp.step * days_sent)


def unhealthy(sent: int, bounced: int, complained: int) -> str | None:
    """Why a mailbox has to stop by what came back of so many sent; None: it may go on."""
    if bounced >= LEAST and bounced > BOUNCES * sent:
        return f"{bounced} of {sent} mails bounced, more than {BOUNCES:.0%}"
    if complained >= LEAST and complained > COMPLAINTS * sent:
        return f"{complained} of {sent} recipients complained, more than {COMPLAINTS:.1%}"
    return None
