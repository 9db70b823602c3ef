"""Handing one message to a server for submission (RFC 6409), and saying exactly what became of it.

As for HTTP (`wire.transport`) there is an answer, nothing sent, or a fate unknown. A message has left when the first
byte behind `354` is written: until then a lost connection is no loss, and from then on nobody knows. aiosmtplib's own
`data()` does both steps in one and tells a connection that was lost before from one that was lost after by nothing; so
the two are taken one after the other here, and the caller is asked in between whether the message may still leave.

A reply is an `Answer`: its code, and as JSON what the server said and to which command.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import aiosmtplib
import orjson
from aiosmtplib import SMTP, SMTPException, SMTPResponse, SMTPResponseException

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.mail.mailboxes import LOOPBACK, Security
from enrichment_assets.domain.provider import Answer, RenderedRequest
from enrichment_assets.wire.failures import trusted_authorities
from enrichment_assets.wire.transport import FateUnknown, NotSent

LONGEST_REPLY = 2_000
"""Characters of a reply that are kept."""

CONNECT_SECONDS = 20.0
NO_SMTPUTF8 = 553
"""RFC 6531, 3.5: a mailbox name that is not ASCII is not allowed there."""

_DOTS = re.compile(rb"(?m)^\.")


@dataclass(frozen=True, slots=True, repr=False)
class Login:
    """How a mailbox logs in: by password, or by an access token (XOAUTH2)."""

    user: str
    password: str | None = None
    access_token: str | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """One message on its way to a server.

    Attributes:
        url: `smtp://host:587`, or `smtps://host:465`.
        security: How the connection is made safe.
        mail_from: Envelope sender.
        rcpt_to: Envelope recipient.
        content: The message; lines end with CRLF.
        message_id: By which it is known; stands in the answer.
        needs_smtputf8: An address is not ASCII.
        login: None: the server is not logged in to.
        copy_to: A mailbox of ours that gets a copy; where the server refuses it the message goes without.
    """

    url: str
    security: Security
    mail_from: str
    rcpt_to: str
    content: bytes
    message_id: str = ""
    needs_smtputf8: bool = False
    login: Login | None = None
    copy_to: str | None = None


class _Said(Exception):
    """The server said no; what it said is an answer."""

    def __init__(self, command: str, code: int, message: str) -> None:
        super().__init__(command)
        self.answer = _answer(command, code, message)


# crash point: mail-is-submitted
async def submit(
    mail: Submission,
    timeout: float,  # noqa: ASYNC109
    *,
    turn: Callable[[], Awaitable[None]] | None = None,
    may_leave: Callable[[], None] | None = None,
) -> Answer:
    """Hand a message over once.

    Args:
        mail: What goes where.
        timeout: Seconds for the whole exchange.
        turn: Awaited when the server has taken the envelope.
        may_leave: Asked as the last thing before the first byte of the message. What either raises is raised here, and
            nothing left.

    Returns:
        The server's last reply: 250 where it has the message, 4xx and 5xx where it has not.

    Raises:
        NotSent: Nothing left: the server cannot be reached, has no TLS or no trusted certificate, or hung up early.
        FateUnknown: The message left, wholly or in part, and no reply came.
        ConfigurationError: The connection would go to another machine without TLS.
    """
    server = _client(mail)
    patience = asyncio.timeout(timeout)
    departed = [False]
    try:
        async with patience:
            return await _exchange(server, mail, departed, turn, may_leave)
    except _Said as said:
        return said.answer
    except (SMTPException, OSError, ssl.SSLError, ValueError) as error:
        if departed[0]:
            raise FateUnknown(_kind(error), timed_out=patience.expired()) from None
        if isinstance(error, SMTPResponseException) and 400 <= error.code < 600:
            return _answer("connect", error.code, error.message)
        raise NotSent(_kind(error)) from None
    finally:
        server.close()


NOTHING = Submission("smtp://invalid.invalid", Security.STARTTLS, "", "", b"")
"""Of a request that is not filled in; the name is one that nobody can have (RFC 6761)."""


@dataclass(frozen=True, slots=True)
class MailRequest(RenderedRequest):
    """A request that is a message, to be handed to its mailbox's server. It holds a login: it is in no log or table."""

    submission: Submission = field(default=NOTHING, repr=False, compare=False)

    @property
    def stays_here(self) -> bool:
        """Whether the server is on this machine."""
        return (urlsplit(self.submission.url).hostname or "") in LOOPBACK


async def _exchange(
    server: SMTP,
    mail: Submission,
    departed: list[bool],
    turn: Callable[[], Awaitable[None]] | None,
    may_leave: Callable[[], None] | None,
) -> Answer:
    await server.connect()
    await _log_in(server, mail.login)
    await _envelope(server, mail)
    if turn is not None:
        await turn()
    await _command(server, "DATA", b"DATA", expected=354)
    protocol = server.protocol
    if protocol is None:
        raise aiosmtplib.SMTPServerDisconnected("the connection was lost")
    if may_leave is not None:
        may_leave()
    departed[0] = True
    protocol.write(_DOTS.sub(b"..", mail.content) + b".\r\n")
    reply = await protocol.read_response()
    if reply.code // 100 not in (2, 4, 5):
        raise FateUnknown("the server gave no reply that is one", timed_out=False)
    return _answer("message", *reply, message_id=mail.message_id)


async def _log_in(server: SMTP, login: Login | None) -> None:
    await server.ehlo()
    if login is None:
        return
    try:
        if login.access_token is not None:
            await server.auth_xoauth2(login.user, login.access_token)
        else:
            await server.login(login.user, login.password or "")
    except SMTPResponseException as refused:
        raise _Said("AUTH", refused.code, refused.message) from None


async def _envelope(server: SMTP, mail: Submission) -> None:
    """Name sender and recipient. A copy that is refused stops no message; a recipient that is refused stops all."""
    if mail.needs_smtputf8 and not server.supports_extension("smtputf8"):
        raise _Said("EHLO", NO_SMTPUTF8, "5.6.7 the server takes no address that is not ASCII (SMTPUTF8)")
    options = [b"SMTPUTF8"] if mail.needs_smtputf8 else []
    if mail.needs_smtputf8 and server.supports_extension("8bitmime"):
        options.append(b"BODY=8BITMIME")
    await _command(server, "MAIL", b"MAIL", b"FROM:" + _path(mail.mail_from), *options, expected=250)
    await _command(server, "RCPT", b"RCPT", b"TO:" + _path(mail.rcpt_to), expected=250)
    if mail.copy_to is not None:
        await server.execute_command(b"RCPT", b"TO:" + _path(mail.copy_to))


async def _command(server: SMTP, name: str, *words: bytes, expected: int) -> SMTPResponse:
    reply = await server.execute_command(*words)
    # 251: not local, will be forwarded (RFC 5321, 4.2.3)
    if reply.code != expected and not (expected == 250 and reply.code == 251):
        raise _Said(name, *reply)
    return reply


def _client(mail: Submission) -> SMTP:
    where = urlsplit(mail.url)
    host = where.hostname or ""
    if mail.security is Security.PLAIN and host not in LOOPBACK:
        raise ConfigurationError(
            "mail goes to another machine by TLS only: the mailbox's security is starttls or tls", code="mail.plain"
        )
    return SMTP(
        hostname=host,
        port=where.port,
        local_hostname=mail.mail_from.rpartition("@")[2],  # no name of this machine, and no question to DNS
        timeout=CONNECT_SECONDS if where.port is None else None,
        use_tls=mail.security is Security.TLS,
        start_tls=mail.security is Security.STARTTLS,
        tls_context=trusted_authorities(),
    )


def _path(address: str) -> bytes:
    return f"<{address}>".encode()


def _answer(command: str, code: int, message: str, *, message_id: str = "") -> Answer:
    said = message.encode("utf-8", "replace").decode().replace("\0", "")[:LONGEST_REPLY]
    body = orjson.dumps(
        {"command": command, "code": code, "message": said, "message_id": message_id.strip("<>") or None}
    )
    return Answer(code, {"content-type": "application/json"}, body)


def _kind(error: BaseException) -> str:
    """A failure in words that can be kept: none of the server's, none of a library's that may quote an address."""
    match error:
        case ssl.SSLCertVerificationError():
            return "the server's certificate is not trusted"
        case ssl.SSLError():
            return "TLS failed"
        case TimeoutError():
            return "time-out"
        case ConnectionRefusedError() | aiosmtplib.SMTPConnectError():
            return "the server cannot be reached"
        case aiosmtplib.SMTPServerDisconnected() | ConnectionError():
            return "the server closed the connection"
        case aiosmtplib.SMTPNotSupported():
            return "the server offers no such login"
        case SMTPResponseException():
            return "the server's reply is none"
        case SMTPException():
            return "the server offers no TLS"
        case _:
            return type(error).__name__
