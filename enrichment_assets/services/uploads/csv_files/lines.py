"""Physical lines of a stream of UTF-8 blocks, and the way back for lines that turn out to be of another row."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator


class OverlongLine(bytes):
    """The beginning of a physical line that is longer than the bound; the rest was skipped."""


class LineFeed:
    r"""Lines ending in \n, \r\n or a lone \r, ends kept, and unread blocks behind them.

    `buffer()` and `take()` are the block view of the same stream: bytes that have not been handed out as lines.
    """

    def __init__(self, blocks: Iterator[bytes], line_bytes: int) -> None:
        self._blocks = blocks
        self._line_bytes = line_bytes
        self._pending: deque[bytes] = deque()
        self._tail = b""
        self._ended = False

    @property
    def holds_overlong(self) -> bool:
        """True while a returned line is one that `buffer()` could not give whole."""
        return any(isinstance(line, OverlongLine) for line in self._pending)

    def buffer(self, size: int) -> tuple[bytes, bool]:
        """At least `size` unread bytes (fewer at the end of the file), and whether the file ends with them."""
        if self._pending:
            self._tail = b"".join((*self._pending, self._tail))
            self._pending.clear()
        parts, length = [self._tail], len(self._tail)
        while length < size and (block := self._read()) is not None:
            parts.append(block)
            length += len(block)
        self._tail = b"".join(parts) if len(parts) > 1 else self._tail
        return self._tail, self._ended

    def take(self, size: int) -> None:
        """Drop the first `size` bytes of `buffer()`: they have been read as a block."""
        self._tail = self._tail[size:]

    def give_back(self, lines: list[bytes]) -> None:
        """Put lines back in front, in their order."""
        self._pending.extendleft(reversed(lines))

    def next_line(self) -> bytes | None:
        """The next line with its end (an `OverlongLine` has none), or None at the end of the file."""
        if not self._pending:
            self._split_more()
        return self._pending.popleft() if self._pending else None

    def _read(self) -> bytes | None:
        while not self._ended:
            block = next(self._blocks, None)
            if block is None:
                self._ended = True
            elif block:
                return block
        return None

    def _split_more(self) -> None:
        """Move whole lines from the tail to `_pending`, reading on until there is one."""
        while True:
            lines = self._tail.splitlines(keepends=True)
            whole = len(lines)
            if lines and not self._ended and not lines[-1].endswith(b"\n"):
                whole -= 1  # goes on in the next block, or its \r has its \n there
            if whole:
                self._pending.extend(lines[:whole])
                self._tail = b"".join(lines[whole:])
                return
            if len(self._tail) > self._line_bytes:
                self._pending.append(self._skip_overlong())
                return
            if (block := self._read()) is None and not self._tail:
                return
            self._tail += block or b""

    def _skip_overlong(self) -> OverlongLine:
        """Read on past the end of the line that begins in the tail, and return its beginning."""
        prefix = OverlongLine(self._tail[:65_536])
        while (block := self._tail if self._tail.endswith(b"\r") else self._read()) is not None:
            first = block.splitlines(keepends=True)[0]
            if first.endswith(b"\r") and len(first) == len(block):
                following = self._read() or b""
                self._tail = following[following.startswith(b"\n") :]
                break
            if first.endswith((b"\n", b"\r")):
                self._tail = block[len(first) :]
                break
        else:
            self._tail = b""
        return prefix
