"""A mail server on a free port of this machine: aiosmtpd, which keeps what it takes and fails as it is told."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

Hangs = Callable[[Session], None]


@dataclass(frozen=True)
class Taken:
    """A message as it came."""

    mail_from: str
    rcpt_to: list[str]
    content: bytes


@dataclass
class Server:
    """What it has taken, and how it is to behave.

    Attributes:
        port: Where it listens.
        taken: Messages that it said 250 to, and those that it hung up on.
        replies: Command -> replies that it gives instead of its own, in turn; `hang-up` closes the connection.
        refused: Recipient -> what it always says to them.
        greylisted: Recipient -> what it says to them once.
        lost: Recipients whose mail it takes, and hangs up on.
    """

    port: int = 0
    taken: list[Taken] = field(default_factory=list)
    replies: dict[str, list[str]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    greylisted: dict[str, str] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)

    def next(self, command: str) -> str | None:
        """The reply that a command gets instead of the usual one."""
        waiting = self.replies.get(command)
        return waiting.pop(0) if waiting else None


class _Handler:
    def __init__(self, server: Server) -> None:
        self.server = server

    async def _said(self, smtp: SMTP, command: str) -> str | None:
        reply = self.server.next(command)
        if reply == "hang-up":
            smtp.transport.abort()
            await asyncio.sleep(0)
        return reply

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, smtp: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return await self._said(smtp, "MAIL") or "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, smtp: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        reply = (
            self.server.refused.get(address)
            or self.server.greylisted.pop(address, None)
            or await self._said(smtp, "RCPT")
        )
        if reply is None:
            envelope.rcpt_tos.append(address)
        return reply or "250 OK"

    async def handle_DATA(self, smtp: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        reply = self.server.next("message") or ("take-and-hang-up" if self.server.lost & {*envelope.rcpt_tos} else None)
        if reply is None or reply == "take-and-hang-up":
            assert envelope.mail_from is not None and isinstance(envelope.original_content, bytes)
            self.server.taken.append(Taken(envelope.mail_from, envelope.rcpt_tos, envelope.original_content))
        if reply is not None and reply.endswith("hang-up"):
            smtp.transport.abort()
            return "250 never seen"
        return reply or "250 2.0.0 queued"


@contextmanager
def serving(
    *,
    password: str | None = None,
    tls: ssl.SSLContext | None = None,
    first_tls: bool = False,
    smtputf8: bool = True,
    eight_bit: bool = True,
) -> Iterator[Server]:
    """A server of these abilities; `password`: of everybody."""
    server = Server()

    def authenticated(_server: SMTP, _session: Session, _envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        ok = isinstance(data, LoginPassword) and data.password.decode() == password
        return AuthResult(success=ok, handled=ok or mechanism not in ("LOGIN", "PLAIN"))

    class _Smtp(SMTP):
        async def push(self, status: str | bytes) -> None:
            """Take out what the server is not to offer."""
            text = status if isinstance(status, str) else status.decode()
            if not eight_bit and text.startswith("250-8BITMIME"):
                return
            await super().push(status)

        async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
            reply = server.next("DATA")
            if reply == "hang-up":
                self.transport.abort()
                return
            if reply is not None:
                await self.push(reply)
                return
            await super().smtp_DATA(arg)

        async def auth_XOAUTH2(self, _server: SMTP, args: list[str]) -> AuthResult:  # noqa: N802
            """Google's and Microsoft's: `user=...^Aauth=Bearer ...^A^A`."""
            import base64

            said = base64.b64decode(args[1]).decode()
            ok = said == f"user=ann@acme.example\x01auth=Bearer {password}\x01\x01"
            return AuthResult(success=ok, handled=ok)

    class _Controller(Controller):
        def factory(self) -> SMTP:
            return _Smtp(self.handler, **self.SMTP_kwargs)

        def _trigger_server(self) -> None:
            """It knows no port 0: the one that it got is set before it connects to itself."""
            assert self.server is not None
            self.port = server.port = self.server.sockets[0].getsockname()[1]
            super()._trigger_server()

    controller = _Controller(
        _Handler(server),
        hostname="127.0.0.1",
        port=0,
        server_hostname="mx.test",
        enable_SMTPUTF8=smtputf8,
        authenticator=authenticated if password else None,
        auth_required=password is not None,
        auth_require_tls=False,
        ssl_context=tls if first_tls else None,
        tls_context=None if first_tls else tls,
        require_starttls=tls is not None and not first_tls,
    )
    controller.start()
    try:
        yield server
    finally:
        controller.stop()
