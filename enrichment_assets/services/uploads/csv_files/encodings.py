"""Which encoding a file has, judged by all of its bytes and not by a lucky sample.

A byte order mark decides. Without one, a file that decodes as UTF-8 from end to end is UTF-8. Any other is what its
words are likeliest in (`guessing`). UTF-8 is among the candidates, and then rows with broken bytes are rejections:
reading them as Windows-1252 would turn every accent of the good rows into two wrong characters without a word.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from enrichment_assets.services.uploads.csv_files.guessing import UTF8, Guess, guess_encoding

_BOMS = (  # the longer ones first: the mark of UTF-16-LE begins the one of UTF-32-LE
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, UTF8),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE_BYTES = 256 * 1024
_SAMPLE_OF_A_CHUNK = 64 * 1024
_OVERWHELMING = 20
_HEAD_BYTES = 64 * 1024
_LAST_BYTES = 1024
_ESCAPED = re.compile("[\udc80-\udcff]")
_UNDECODABLE = "\udcff"


def _undecodable(error: UnicodeError) -> tuple[str, int]:
    """Stand in for each byte that cannot be decoded; becomes 0xFF, which is never UTF-8, when encoded again."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return _UNDECODABLE * (error.end - error.start), error.end


codecs.register_error("enrich-undecodable", _undecodable)


class EncodingScan:
    """Fed with a file's bytes as they pass by; then `guess()` says what they are.

    Memory is bounded: a head of 64 KiB and a sample of 256 KiB are kept. `good` counts characters of chunks that are
    clean UTF-8, `bad` bytes that are not.
    """

    def __init__(self) -> None:
        self.head = b""
        self._pending = b""
        self._last = b""
        self._good = 0
        self._bad = 0
        self._sample = bytearray()

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the file."""
        if len(self.head) < _HEAD_BYTES:
            self.head += chunk[: _HEAD_BYTES - len(self.head)]
        data = self._pending + chunk
        self._pending = b""
        if data.isascii():
            return
        try:
            self._good += len(data) - len(data.decode(UTF8))
        except UnicodeDecodeError as error:
            if error.end == len(data) and error.reason == "unexpected end of data":
                data, self._pending = data[: error.start], data[error.start :]
                self._last = data[-_LAST_BYTES:].rpartition(b"\n")[2]
            self._sample_lines(data)

    def _sample_lines(self, data: bytes) -> None:
        """Count a chunk's bytes that are no UTF-8, and take lines that are not ASCII into the sample."""
        text = data.decode(UTF8, "surrogateescape")
        bad = len(_ESCAPED.findall(text))
        self._bad += bad
        self._good += 0 if bad else len(data) - len(text)
        room = min(_SAMPLE_OF_A_CHUNK, _SAMPLE_BYTES - len(self._sample))
        if not bad or room <= 0:
            return
        lines = bytearray()
        for line in data.splitlines(keepends=True):
            if not line.isascii():
                lines += line
                if len(lines) >= room:
                    break
        self._sample += lines[:room]

    def guess(self) -> Guess:
        """Python's name of the encoding. Never raises: bytes that do not fit become rejections of their rows."""
        if self._pending:  # the file ends inside a character
            self._bad += len(self._pending)
            self._sample += self._last + self._pending
            self._pending = b""
        if marked := bom_of(self.head):
            return Guess(marked[1])
        if utf16 := _utf16_without_mark(self.head):
            return Guess(utf16)
        if self._good >= _OVERWHELMING * self._bad:
            return Guess(UTF8)
        return guess_encoding(bytes(self._sample))


def bom_of(head: bytes) -> tuple[bytes, str] | None:
    """The byte order mark that the file begins with and the encoding it says, or None."""
    return next(((bom, name) for bom, name in _BOMS if head.startswith(bom)), None)


# opens files of others: kept uploads, which were looked at when they came
def utf8_blocks(path: Path, encoding: str, block_bytes: int, leave: int = 0) -> Iterator[bytes]:
    """The file's text as blocks of UTF-8, byte order mark removed, nothing else changed.

    Bytes that do not fit the encoding stay as they are (UTF-8) or become 0xFF (others): in both cases they are
    not UTF-8, so the reader finds them. Blocks end anywhere, also inside a character. The last `leave` bytes of the
    file are left out.
    """
    with path.open("rb") as file:
        head = file.read(4)
        marked = bom_of(head)
        start = len(marked[0]) if marked and marked[1] == encoding else 0
        file.seek(start)
        blocks = _blocks(file, max(0, path.stat().st_size - leave - start), block_bytes)
        if encoding == UTF8:
            yield from blocks
            return
        decoder = codecs.getincrementaldecoder(encoding)("enrich-undecodable")
        for block in blocks:
            yield decoder.decode(block).encode(UTF8, "surrogateescape")
        yield decoder.decode(b"", final=True).encode(UTF8, "surrogateescape")


def _blocks(file: BinaryIO, length: int, block_bytes: int) -> Iterator[bytes]:
    while length > 0 and (block := file.read(min(block_bytes, length))):
        length -= len(block)
        yield block


def _utf16_without_mark(head: bytes) -> str | None:
    """UTF-16 text has zeros, and always on one side: those of its delimiters, digits and spaces at least."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = len(head) // 2
    if odd >= max(4, 0.1 * half) and even == 0:
        return "utf-16-le"
    if even >= max(4, 0.1 * half) and odd == 0:
        return "utf-16-be"
    return None
