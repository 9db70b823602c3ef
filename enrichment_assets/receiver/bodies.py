"""The bytes of requests that are being read: hashed piece by piece, counted for all and for each address.

Of a body what is over 1 MiB goes to an unnamed temporary file until the body is whole, so that a body that turns out to
be too large has cost no memory.
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections import Counter
from collections.abc import Callable
from typing import IO

from starlette.types import Message, Receive

from enrichment_assets.receiver.limits import MIB, ReceiverLimits
from enrichment_assets.receiver.replies import FULL, TOO_LARGE, TOO_MUCH_AT_ONCE, TOO_SLOW

IN_MEMORY = MIB


class RefusedError(Exception):
    """The body will not be read to its end; carries the early reply."""

    def __init__(self, reply: tuple[Message, Message]) -> None:
        self.reply = reply


class DisconnectedError(Exception):
    """The sender left before the body was whole: nothing to store, nobody to answer."""


class BodyBudget:
    """How many bytes of bodies are held now, by all requests and by each address."""

    def __init__(self, limits: ReceiverLimits) -> None:
        self._limits = limits
        self._held = 0
        self._of: Counter[str] = Counter()

    def reserve(self, caller: str, size: int, so_far: int) -> None:
        """Count `size` more bytes of a body that has `so_far`; raises the refusal when a bound is passed."""
        if so_far + size > self._limits.max_body_bytes:
            raise RefusedError(TOO_LARGE)
        if self._held + size > self._limits.max_buffered_bytes:
            raise RefusedError(FULL)
        if self._of[caller] + size > self._limits.max_buffered_bytes_per_address:
            raise RefusedError(TOO_MUCH_AT_ONCE)
        self._held += size
        self._of[caller] += size

    def give_back(self, caller: str, size: int) -> None:
        """Count bytes as no longer held."""
        self._held -= size
        self._of[caller] -= size
        if not self._of[caller]:
            del self._of[caller]


class Body:
    """The bytes of one request. `release` it in the end; twice is fine."""

    def __init__(self, budget: BodyBudget, caller: str) -> None:
        self._budget = budget
        self._caller = caller
        self._chunks: list[bytes] = []
        self._file: IO[bytes] | None = None
        self._hash = hashlib.sha256()
        self._size = 0

    @property
    def size(self) -> int:
        """Bytes so far."""
        return self._size

    def add(self, chunk: bytes) -> None:
        """Take the next piece. Raises `RefusedError`."""
        if not chunk:
            return
        self._budget.reserve(self._caller, len(chunk), self._size)
        self._size += len(chunk)
        self._hash.update(chunk)
        if self._size <= IN_MEMORY:
            self._chunks.append(chunk)
        else:
            _on_disk(lambda: self._spill(chunk))

    def whole(self) -> tuple[bytes, bytes]:
        """All bytes, and their SHA-256. Raises `RefusedError`."""
        if self._file is not None:
            _on_disk(self._fetch)
        chunks, self._chunks = self._chunks, []
        return (chunks[0] if len(chunks) == 1 else b"".join(chunks)), self._hash.digest()

    def release(self) -> None:
        """Hold nothing any more."""
        self._chunks = []
        if self._file is not None:
            self._file.close()
            self._file = None
        self._budget.give_back(self._caller, self._size)
        self._size = 0

    def _spill(self, chunk: bytes) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by release
            self._file.writelines(self._chunks)
            self._chunks = []
        self._file.write(chunk)

    def _fetch(self) -> None:
        assert self._file is not None  # noqa: S101 - for the type checker
        self._file.seek(0)
        self._chunks = [self._file.read()]


async def read_into(body: Body, receive: Receive, seconds: float) -> None:
    """Read a request's body to its end. Raises `RefusedError`, also after `seconds`, and `DisconnectedError`."""
    try:
        async with asyncio.timeout(seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise DisconnectedError
                body.add(message.get("body", b""))
                if not message.get("more_body", False):
                    return
    except TimeoutError:
        raise RefusedError(TOO_SLOW) from None


def _on_disk(work: Callable[[], None]) -> None:
    """A disk that is full is told as any bound that is passed: come again later."""
    try:
        work()
    except OSError:
        raise RefusedError(FULL) from None
