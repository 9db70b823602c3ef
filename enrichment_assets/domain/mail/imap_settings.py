"""How a mailbox is read over IMAP: what a connection of kind `imap` is set up with."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.mail.mailboxes import LOOPBACK, Host, Security
from enrichment_assets.domain.model_errors import described

INBOX = "INBOX"
MOST_FOLDERS = 20

Folder = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class ImapLogin(StrEnum):
    """What the connection's secret is."""

    PASSWORD = "password"  # noqa: S105 - a kind of login, not one
    XOAUTH2 = "xoauth2"
    """An access token, as Google and Microsoft give out."""


class ImapSettings(BaseModel):
    """How a server is reached, and what is read there (RFC 9051)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: Host
    port: int | None = Field(default=None, ge=1, le=65_535, description="default: 993, or 143 with starttls and plain")
    security: Security = Security.TLS
    user: str = Field(min_length=1, max_length=320)
    login: ImapLogin = ImapLogin.PASSWORD
    folders: list[Folder] | None = Field(
        default=None, min_length=1, max_length=MOST_FOLDERS, description="default: INBOX and those of spam"
    )
    since: date | None = Field(
        default=None, description="older mail is not read; default: since the connection is there"
    )

    @model_validator(mode="after")
    def _only_here_without_tls(self) -> ImapSettings:
        if self.security is Security.PLAIN and self.host.lower() not in LOOPBACK:
            raise ValueError("a connection without TLS may only go to this machine (127.0.0.1, ::1, localhost)")
        return self

    @property
    def port_used(self) -> int:
        """The port that is meant."""
        return self.port or (993 if self.security is Security.TLS else 143)


def imap_settings(settings: dict[str, Any]) -> ImapSettings:
    """Read them; raises `ConfigurationError` for what cannot be used."""
    try:
        return ImapSettings.model_validate(settings)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, place)) or 'settings'}: {said}" for place, said in described(error, ImapSettings, None)
        )
        raise ConfigurationError(f"the mailbox's settings: {faults}", code="event_source.imap_settings") from None
