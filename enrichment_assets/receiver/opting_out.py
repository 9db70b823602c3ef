"""`/unsubscribe/{token}`: the link in a mail, and the one click of a mailbox provider (RFC 8058).

Only a POST that says `List-Unsubscribe=One-Click` changes something: programs that scan mail open every link in it. The
suppression is committed before the answer, which is the same however often it is asked for. There is no cookie and no
redirect, and what is no token of ours is told nothing.
"""

from __future__ import annotations

import asyncio
import logging
from email.parser import BytesParser
from email.policy import HTTP
from typing import TYPE_CHECKING, Protocol
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope, Send

from enrichment_assets.domain.errors import EnrichError
from enrichment_assets.domain.mail.opt_out import ONE_CLICK, PATH, is_token
from enrichment_assets.receiver import opt_out_pages as pages
from enrichment_assets.receiver.answering import answer, refuse
from enrichment_assets.receiver.bodies import Body, BodyBudget, DisconnectedError, RefusedError, read_into
from enrichment_assets.receiver.limits import ReceiverLimits
from enrichment_assets.receiver.paces import Paces, too_often
from enrichment_assets.receiver.replies import TOO_LARGE
from enrichment_assets.settings import Settings

if TYPE_CHECKING:
    from enrichment_assets.domain.mail.opt_out import OptOut
    from enrichment_assets.store.hq import Hq

logger = logging.getLogger("enrichment_assets.receiver")

MAX_BODY_BYTES = 16 * 1024
"""A one-click body has 26 bytes, as `multipart/form-data` a few hundred."""

AT_ONCE = 32
"""Requests that may wait for a thread or the database; more are asked to come again."""


class OptOuts(Protocol):
    """Who reads tokens and keeps what they say."""

    async def whom(self, token: str) -> OptOut | None:
        """Whom a token takes off. Raises `EnrichError` where that cannot be told."""
        ...

    async def keep(self, said: OptOut) -> None:
        """Suppress; committed on return. Raises `EnrichError`."""
        ...

    def shown(self, said: OptOut) -> str:
        """The address for the page."""
        ...


class KeptOptOuts:
    """The real `OptOuts`, in threads: the services load much, so they are loaded with the first link."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._hq: Hq | None = None

    async def whom(self, token: str) -> OptOut | None:
        """See `OptOuts.whom`."""

        def read() -> OptOut | None:
            from enrichment_assets.services.mail.opting_out import whom

            return whom(self._settings, token)

        return await asyncio.to_thread(read)

    async def keep(self, said: OptOut) -> None:
        """See `OptOuts.keep`."""

        def write() -> None:
            from enrichment_assets.installation.databases import open_hq
            from enrichment_assets.services.mail.opting_out import opt_out

            if self._hq is None:
                self._hq = open_hq(self._settings, most=2, patience=5.0)
            opt_out(self._hq, self._settings, said)

        await asyncio.to_thread(write)

    def shown(self, said: OptOut) -> str:
        """See `OptOuts.shown`."""
        from enrichment_assets.services.mail.opting_out import shown

        return shown(said)

    def close(self) -> None:
        """Let go of the database."""
        if self._hq is not None:
            self._hq.close()


class OptOutEndpoint:
    """ASGI application for every path below `/unsubscribe/`."""

    def __init__(self, opt_outs: OptOuts, limits: ReceiverLimits, paces: Paces) -> None:
        self._opt_outs = opt_outs
        self._limits = limits
        self._paces = paces
        self._budget = BodyBudget(limits)
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; see docs/mail-services.md for the table of answers."""
        caller = self._paces.caller(scope)
        if wait := self._paces.of_caller(caller):
            await refuse(scope, receive, send, too_often(wait))
        elif scope["method"] not in ("GET", "HEAD", "POST"):
            await refuse(scope, receive, send, pages.NOT_ALLOWED)
        elif self._under_way >= AT_ONCE:
            await answer(send, pages.AWAY)
        else:
            self._under_way += 1
            try:
                await self._answer(caller, scope, receive, send)
            finally:
                self._under_way -= 1

    async def _answer(self, caller: str, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            said = await self._whom(scope["path"])
            if said is None:
                wait = self._paces.has_guessed(caller)
                self._paces.guessed(caller)
                await refuse(scope, receive, send, too_often(wait)) if wait else await answer(send, pages.UNKNOWN)
            elif scope["method"] != "POST":
                await answer(send, pages.asking(self._opt_outs.shown(said)))
            else:
                await self._take(said, caller, scope, receive, send)
        except EnrichError as error:
            logger.error("somebody could not unsubscribe (%s): answered 503", error.code)
            await answer(send, pages.AWAY)

    async def _whom(self, path: str) -> OptOut | None:
        token = path.removeprefix(PATH)
        return await self._opt_outs.whom(token) if is_token(token) else None

    async def _take(self, said: OptOut, caller: str, scope: Scope, receive: Receive, send: Send) -> None:
        if wait := self._paces.of_token(scope["path"]):
            await refuse(scope, receive, send, too_often(wait))
            return
        held = _SmallBody(self._budget, caller)
        try:
            await read_into(held, receive, self._limits.body_seconds)
            asks = says_one_click(_content_type(scope), held.whole()[0])
        except RefusedError as refused:
            held.release()
            await refuse(scope, receive, send, refused.reply)
            return
        except DisconnectedError:
            return
        finally:
            held.release()
        if asks:
            # committed, then answered
            await self._opt_outs.keep(said)
        await answer(send, pages.DONE if asks else pages.NOT_ASKED)


class _SmallBody(Body):
    """A body that is a form of one field."""

    def add(self, chunk: bytes) -> None:
        """As `Body.add`, with the bound of such a form."""
        if self.size + len(chunk) > MAX_BODY_BYTES:
            raise RefusedError(TOO_LARGE)
        super().add(chunk)


def says_one_click(content_type: str, body: bytes) -> bool:
    """Whether a body is a form with `List-Unsubscribe=One-Click`, in either of a form's encodings (RFC 8058, 3.2)."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return any(_same(name, value) for name, value in _parts(content_type, body))
    return any(_same(name, value) for name, value in parse_qsl(body.decode("latin-1"), max_num_fields=100))


def _same(name: str, value: str) -> bool:
    return (name.strip().lower(), value.strip().lower()) == (ONE_CLICK[0].lower(), ONE_CLICK[1].lower())


def _parts(content_type: str, body: bytes) -> list[tuple[str, str]]:
    head = f"content-type: {content_type}\r\n\r\n".encode("latin-1")
    parts = BytesParser(policy=HTTP).parsebytes(head + body).walk()
    return [
        (str(part.get_param("name", "", header="content-disposition")), str(part.get_payload()))
        for part in parts
        if not part.is_multipart()
    ]


def _content_type(scope: Scope) -> str:
    found = (value.decode("latin-1") for name, value in scope["headers"] if name == b"content-type")
    return next(found, "")
