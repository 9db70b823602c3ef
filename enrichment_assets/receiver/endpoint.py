"""`/callbacks/{token}`, `/events/{token}`: read the bytes within bounds, hand them to the sink, answer what it says.

What belongs here: the one hot path of the receiver, as a plain ASGI application. Nothing is parsed, and nothing that
the payload says is believed. Answers are constant bytes; the token never shows in one, nor in a log.
"""

from __future__ import annotations

import re

from starlette.types import Receive, Scope, Send

from enrichment_assets.receiver.answering import answer, refuse
from enrichment_assets.receiver.bodies import Body, BodyBudget, DisconnectedError, RefusedError, read_into
from enrichment_assets.receiver.headers import as_json, kept_headers
from enrichment_assets.receiver.limits import ReceiverLimits
from enrichment_assets.receiver.paces import Paces, too_often
from enrichment_assets.receiver.replies import (
    ACCEPTED,
    DUPLICATE,
    ENOUGH,
    FULL,
    LISTENING,
    NOT_ALLOWED,
    TAKEN,
    TOO_LARGE,
    UNAVAILABLE,
    UNKNOWN,
    UNKNOWN_EARLY,
)
from enrichment_assets.receiver.writer import Sink, UnavailableError
from enrichment_assets.store.deliveries.inbox import IncomingEvents
from enrichment_assets.store.inbox.callbacks import IncomingCallback, Receipt

PREFIX = "/callbacks/"
EVENTS = "/events/"

_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,128}")

_BY_RECEIPT = {
    Receipt.STORED: ACCEPTED,
    Receipt.ALREADY_STORED: DUPLICATE,
    Receipt.REFUSED: ENOUGH,
    Receipt.UNKNOWN_TOKEN: UNKNOWN,
}
_OF_EVENTS = {**_BY_RECEIPT, Receipt.STORED: TAKEN}
"""Postmark sends again what is answered with anything but 200."""


class CallbackEndpoint:
    """ASGI application for every path below `/callbacks/`."""

    prefix = PREFIX
    incoming: type[IncomingCallback] | type[IncomingEvents] = IncomingCallback
    answers = _BY_RECEIPT

    def __init__(self, sink: Sink, limits: ReceiverLimits, paces: Paces) -> None:
        self._sink = sink
        self._limits = limits
        self._paces = paces
        self._budget = BodyBudget(limits)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; see docs/callbacks.md for the table of answers."""
        method = scope["method"]
        token = scope["path"].rpartition("/")[2]
        caller = self._paces.caller(scope)
        if wait := self._paces.of_caller(caller):
            await refuse(scope, receive, send, too_often(wait))
        elif method in ("GET", "HEAD"):  # some senders ask whether the address answers before they use it
            await answer(send, LISTENING)
        elif method != "POST":
            await refuse(scope, receive, send, NOT_ALLOWED)
        elif scope["path"] != self.prefix + token or not _TOKEN.fullmatch(token):
            wait = self._paces.has_guessed(caller)
            self._paces.guessed(caller)
            await refuse(scope, receive, send, too_often(wait) if wait else UNKNOWN_EARLY)
        else:
            await self._receive_callback(token, caller, scope, receive, send)

    async def _receive_callback(self, token: str, caller: str, scope: Scope, receive: Receive, send: Send) -> None:
        held = Body(self._budget, caller)
        try:
            await self._take(token, caller, held, scope, receive, send)
        except RefusedError as refused:
            held.release()  # before lingering: a refused body must not hold others up
            await refuse(scope, receive, send, refused.reply)
        except DisconnectedError:
            pass
        finally:
            held.release()

    async def _take(self, token: str, caller: str, held: Body, scope: Scope, receive: Receive, send: Send) -> None:
        for name, value in scope["headers"]:
            if name == b"content-length" and (not value.isdigit() or int(value) > self._limits.max_body_bytes):
                raise RefusedError(TOO_LARGE)
        if wait := self._paces.of_token(token):
            raise RefusedError(too_often(wait))
        if wait := self._paces.has_guessed(caller):
            await self._must_know(token, wait)
        await read_into(held, receive, self._limits.body_seconds)
        callback = self.incoming(token, as_json(kept_headers(scope["headers"])), *held.whole())
        try:
            # guard: acknowledged-after-commit
            receipt = await self._sink.submit(callback)
        except UnavailableError:
            await answer(send, UNAVAILABLE)
            return
        if receipt is Receipt.UNKNOWN_TOKEN:
            self._paces.guessed(caller)
        await answer(send, self.answers[receipt])

    async def _must_know(self, token: str, wait: float) -> None:
        """Raise the refusal unless the token names a call."""
        try:
            if not await self._sink.knows(token):
                raise RefusedError(too_often(wait))
        except UnavailableError:
            raise RefusedError(FULL) from None


class EventEndpoint(CallbackEndpoint):
    """ASGI application for every path below `/events/`: what comes back of deliveries, by a connection's token."""

    prefix = EVENTS
    incoming = IncomingEvents
    answers = _OF_EVENTS
