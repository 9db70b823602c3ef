"""E-mail by SMTP: `smtp://user:password@mail.acme.com:587?from=alerts@acme.com&to=ops@acme.com,ann@acme.com`.

`smtps://` speaks TLS from the start; `smtp://` turns to it (STARTTLS), which only a server on this machine may lack.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from urllib.parse import parse_qs, unquote, urlsplit

from enrichment_assets.domain.alerts.notices import Fate, Notice, Said, text_of, title_of
from enrichment_assets.domain.errors import ConfigurationError

SECONDS = 20.0
_LONGEST = 100_000
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_PORTS = {"smtp": 587, "smtps": 465}
_LINES = str.maketrans(dict.fromkeys("\r\n", " "))


@dataclass(frozen=True, slots=True, repr=False)
class Mailbox:
    """Which server takes the mail, and who writes to whom."""

    scheme: str
    host: str
    port: int
    user: str
    password: str
    sender: str
    recipients: tuple[str, ...]

    @property
    def is_local(self) -> bool:
        """The server is on this machine."""
        return self.host in _LOOPBACK

    @classmethod
    def parse(cls, value: str, variable: str) -> Mailbox:
        """Read the address of a mailbox.

        Raises:
            ConfigurationError: It is none; names the variable and what is wrong, and nothing of the value.
        """
        try:
            parts = urlsplit(value.strip())
            port = parts.port
        except ValueError:
            raise _refused(variable, "it is no URL") from None
        asked = parse_qs(parts.query)
        sender = asked.get("from", [""])[-1]
        recipients = tuple(one.strip() for text in asked.get("to", []) for one in text.split(",") if one.strip())
        if parts.scheme not in _PORTS or not parts.hostname:
            raise _refused(variable, "it begins with smtp:// or smtps:// and a host")
        if not recipients or not all(map(_is_address, (sender, *recipients))):
            raise _refused(variable, "it ends with ?from=ADDRESS&to=ADDRESS,ADDRESS")
        return cls(
            parts.scheme,
            parts.hostname,
            port or _PORTS[parts.scheme],
            unquote(parts.username or ""),
            unquote(parts.password or ""),
            sender,
            recipients,
        )


def _is_address(text: str) -> bool:
    name, _, domain = text.rpartition("@")
    return bool(name and domain) and parseaddr(text)[1] == text and text.isprintable()


def _refused(variable: str, what: str) -> ConfigurationError:
    return ConfigurationError(f"{variable} holds no mailbox: {what}", code="alert.mailbox")


def send_mail(mailbox: Mailbox, notices: Sequence[Notice]) -> Said:
    """One mail to all recipients. Its Message-ID is the same in every attempt; many mailboxes then show it once."""
    message = _message(mailbox, notices)
    handed_over = False
    try:
        with _connected(mailbox) as server:
            if mailbox.user:
                server.login(mailbox.user, mailbox.password)
            handed_over = True
            refused = server.send_message(message, mailbox.sender, mailbox.recipients)
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        return _by_code(max(codes), "no recipient was accepted")
    except smtplib.SMTPResponseException as error:
        return _by_code(error.smtp_code, type(error).__name__.removeprefix("SMTP"))
    except smtplib.SMTPNotSupportedError:
        return Said(Fate.REFUSED, "the server offers no TLS, or no login")
    except ssl.SSLError as error:
        return Said(Fate.LATER, f"TLS failed ({error.reason or type(error).__name__})")
    except (OSError, smtplib.SMTPException) as error:
        if handed_over:
            return Said(Fate.UNSURE, f"the server gave no answer ({type(error).__name__})")
        return Said(Fate.LATER, f"the server cannot be reached ({type(error).__name__})")
    taken = len(mailbox.recipients) - len(refused)
    return Said(Fate.SENT, f"250: accepted for {taken} of {len(mailbox.recipients)} recipients")


def _connected(mailbox: Mailbox) -> smtplib.SMTP:
    """A connection that is safe for a password; the name it says is the sender's domain, so that no DNS is asked."""
    name = mailbox.sender.rpartition("@")[2]
    tls = ssl.create_default_context()
    if mailbox.scheme == "smtps":
        return smtplib.SMTP_SSL(mailbox.host, mailbox.port, local_hostname=name, timeout=SECONDS, context=tls)
    server = smtplib.SMTP(mailbox.host, mailbox.port, local_hostname=name, timeout=SECONDS)
    try:
        server.ehlo_or_helo_if_needed()
        if server.has_extn("starttls") or not mailbox.is_local:
            server.starttls(context=tls)
    except BaseException:
        server.close()
        raise
    return server


def _message(mailbox: Mailbox, notices: Sequence[Notice]) -> EmailMessage:
    first = notices[0]
    message = EmailMessage()
    message["From"] = mailbox.sender
    message["To"] = ", ".join(mailbox.recipients)
    message["Subject"] = title_of(notices).translate(_LINES)[:200]
    message["Date"] = format_datetime(first.opened_at)
    message["Message-ID"] = f"<{first.key}.{first.action.value}@{mailbox.sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text_of(notices, _LONGEST) + "\n")
    return message


def _by_code(code: int, what: str) -> Said:
    later = 400 <= code < 500
    return Said(Fate.LATER if later else Fate.REFUSED, f"{code}: {what}")
