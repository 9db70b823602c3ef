"""`/callbacks/{token}`: read the bytes within bounds, hand them to the sink, answer what the commit says.

What belongs here: the one hot path of the receiver, as a plain ASGI application. Nothing is parsed, and nothing that
the payload says is believed. Answers are constant bytes; the token never shows in one, nor in a log.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from dataclasses import dataclass

from starlette.types import Message, Receive, Scope, Send

from enrichment_assets.receiver.headers import as_json, kept_headers
from enrichment_assets.receiver.limits import ReceiverLimits
from enrichment_assets.receiver.writer import Sink, UnavailableError
from enrichment_assets.store.inbox.callbacks import IncomingCallback, Receipt

PREFIX = "/callbacks/"

_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,128}")

LINGER_SECONDS = 2.0
"""How long an early answer stays readable before the connection is cut, while what still comes in is thrown away.

Closing at once with unread bytes would reset the connection, and the sender would never see its 413.
"""
LINGER_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Reply:
    """A constant answer, ready to send."""

    status: int
    word: str
    extra: tuple[tuple[bytes, bytes], ...] = ()
    early: bool = False

    def messages(self) -> tuple[Message, Message]:
        """The two ASGI messages. An early reply, given before the body was read, closes the connection."""
        body = b'{"status":"%s"}' % self.word.encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)), *self.extra]
        if self.early:
            headers.append((b"connection", b"close"))
        start: Message = {"type": "http.response.start", "status": self.status, "headers": headers}
        return start, {"type": "http.response.body", "body": body, "more_body": self.early}


_AGAIN = ((b"retry-after", b"2"),)
_ALLOW = ((b"allow", b"POST, GET, HEAD"),)

ACCEPTED = Reply(202, "accepted").messages()
DUPLICATE = Reply(200, "already accepted").messages()
LISTENING = Reply(200, "listening").messages()
ENOUGH = Reply(429, "enough callbacks for this call", ((b"retry-after", b"86400"),)).messages()
UNKNOWN = Reply(404, "unknown or expired").messages()
UNAVAILABLE = Reply(503, "try again later", _AGAIN).messages()

UNKNOWN_EARLY = Reply(404, "unknown or expired", early=True).messages()
NOT_ALLOWED = Reply(405, "method not allowed", _ALLOW, early=True).messages()
TOO_SLOW = Reply(408, "body came too slowly", early=True).messages()
TOO_LARGE = Reply(413, "body is too large", early=True).messages()
FULL = Reply(503, "try again later", _AGAIN, early=True).messages()

_BY_RECEIPT = {
    Receipt.STORED: ACCEPTED,
    Receipt.ALREADY_STORED: DUPLICATE,
    Receipt.REFUSED: ENOUGH,
    Receipt.UNKNOWN_TOKEN: UNKNOWN,
}


class _RefusedError(Exception):
    """The body will not be read to its end; carries the early reply."""

    def __init__(self, reply: tuple[Message, Message]) -> None:
        self.reply = reply


class _DisconnectedError(Exception):
    """The sender left before the body was whole: nothing to store, nobody to answer."""


class CallbackEndpoint:
    """ASGI application for every path below `/callbacks/`."""

    def __init__(self, sink: Sink, limits: ReceiverLimits) -> None:
        self._sink = sink
        self._limits = limits
        self._buffered = 0  # body bytes that all requests hold now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; see docs/callbacks.md for the table of answers."""
        method = scope["method"]
        token = scope["path"].rpartition("/")[2]
        if method in ("GET", "HEAD"):  # some senders ask whether the address answers before they use it
            await _answer(send, LISTENING)
        elif method != "POST":
            await _refuse(scope, receive, send, NOT_ALLOWED)
        elif scope["path"] != PREFIX + token or not _TOKEN.fullmatch(token):
            await _refuse(scope, receive, send, UNKNOWN_EARLY)
        else:
            await self._receive_callback(token, scope, receive, send)

    async def _receive_callback(self, token: str, scope: Scope, receive: Receive, send: Send) -> None:
        held = _Body(self)
        try:
            await self._take(token, held, scope, receive, send)
        except _RefusedError as refused:
            held.release()  # before lingering: a refused body must not hold others up
            await _refuse(scope, receive, send, refused.reply)
        except _DisconnectedError:
            pass
        finally:
            held.release()

    async def _take(self, token: str, held: _Body, scope: Scope, receive: Receive, send: Send) -> None:
        for name, value in scope["headers"]:
            if name == b"content-length" and (not value.isdigit() or int(value) > self._limits.max_body_bytes):
                raise _RefusedError(TOO_LARGE)
        await self._read(held, receive)
        callback = IncomingCallback(token, as_json(kept_headers(scope["headers"])), *held.whole())
        try:
            # guard: acknowledged-after-commit
            reply = _BY_RECEIPT[await self._sink.submit(callback)]
        except UnavailableError:
            reply = UNAVAILABLE
        await _answer(send, reply)

    async def _read(self, held: _Body, receive: Receive) -> None:
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise _DisconnectedError
                    held.add(message.get("body", b""))
                    if not message.get("more_body", False):
                        return
        except TimeoutError:
            raise _RefusedError(TOO_SLOW) from None

    def reserve(self, size: int, so_far: int) -> None:
        """Count `size` more bytes of a body that has `so_far`; raises the refusal when a bound is passed."""
        if so_far + size > self._limits.max_body_bytes:
            raise _RefusedError(TOO_LARGE)
        if self._buffered + size > self._limits.max_buffered_bytes:
            raise _RefusedError(FULL)
        self._buffered += size

    def give_back(self, size: int) -> None:
        """Count bytes as no longer held."""
        self._buffered -= size


class _Body:
    """The bytes of one request, hashed chunk by chunk so that a big body never stalls the others."""

    def __init__(self, endpoint: CallbackEndpoint) -> None:
        self._endpoint = endpoint
        self._chunks: list[bytes] = []
        self._hash = hashlib.sha256()
        self._size = 0

    def add(self, chunk: bytes) -> None:
        if chunk:
            self._endpoint.reserve(len(chunk), self._size)
            self._size += len(chunk)
            self._hash.update(chunk)
            self._chunks.append(chunk)

    def whole(self) -> tuple[bytes, bytes]:
        chunks, self._chunks = self._chunks, []
        return (chunks[0] if len(chunks) == 1 else b"".join(chunks)), self._hash.digest()

    def release(self) -> None:
        self._chunks = []
        self._endpoint.give_back(self._size)
        self._size = 0


async def _answer(send: Send, messages: tuple[Message, Message]) -> None:
    await send(messages[0])
    await send(messages[1])


async def _refuse(scope: Scope, receive: Receive, send: Send, messages: tuple[Message, Message]) -> None:
    """Answer before the body was read, linger for a moment, close the connection."""
    await _answer(send, messages)
    if not any(name == b"expect" for name, _ in scope["headers"]):  # who asked first has sent no body
        await _linger(receive)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _linger(receive: Receive) -> None:
    left = LINGER_BYTES
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return
    except TimeoutError:
        return
