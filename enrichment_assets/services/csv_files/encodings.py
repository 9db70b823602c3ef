"""Which encoding a file has, judged by all of its bytes and not by a lucky sample.

A byte order mark decides. Without one, a file that decodes as UTF-8 from end to end is UTF-8. A file that is UTF-8
but for a few rows stays UTF-8, and those rows are rejections: reading it as Windows-1252 would turn every accent of
the good rows into two wrong characters without a word. Only what is hardly UTF-8 at all is a legacy code page; which
one is charset-normalizer's guess over the lines that have such bytes.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path

from charset_normalizer import from_bytes

UTF8 = "utf-8"
WINDOWS = "cp1252"

_BOMS = (  # the longer ones first: the mark of UTF-16-LE begins the one of UTF-32-LE
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, UTF8),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_GUESSABLE = [
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "koi8_r", "mac_roman",
    "shift_jis", "cp932", "euc_jp", "gb18030", "big5", "euc_kr", "cp949",
]  # fmt: skip
_MULTIBYTE = frozenset({"shift_jis", "cp932", "euc_jp", "gb18030", "big5", "euc_kr", "cp949"})
_SAMPLE_BYTES = 256 * 1024
_HEAD_BYTES = 64 * 1024
_CHUNK = 1 << 20
_ESCAPED = re.compile("[\udc80-\udcff]")
_MULTIBYTE_CHARACTER = re.compile("[^\x00-\x7f\udc80-\udcff]")
_UNDECODABLE = "\udcff"


def _undecodable(error: UnicodeError) -> tuple[str, int]:
    """Stand in for each byte that cannot be decoded; becomes 0xFF, which is never UTF-8, when encoded again."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return _UNDECODABLE * (error.end - error.start), error.end


codecs.register_error("enrich-undecodable", _undecodable)


class EncodingScan:
    """Fed with a file's bytes as they pass by; then `encoding()` says what they are.

    Memory is bounded: a head of 64 KiB and a sample of 256 KiB are kept.
    """

    def __init__(self) -> None:
        self.head = b""
        self._pending = b""
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
            self._count(data)

    def _count(self, data: bytes) -> None:
        """Weigh a chunk that is not clean, and take its lines into the sample."""
        text = data.decode(UTF8, "surrogateescape")
        bad = len(_ESCAPED.findall(text))
        self._bad += bad
        self._good += len(_MULTIBYTE_CHARACTER.findall(text))
        if bad and len(self._sample) < _SAMPLE_BYTES:
            for line in data.splitlines(keepends=True):
                if not line.isascii():
                    self._sample += line[: _SAMPLE_BYTES - len(self._sample)]

    def encoding(self) -> str:
        """Python's name of the encoding. Never raises: bytes that do not fit become rejections of their rows."""
        self._bad += len(self._pending)
        if marked := bom_of(self.head):
            return marked[1]
        if utf16 := _utf16_without_mark(self.head):
            return utf16
        if self._good * 4 >= self._bad:
            return UTF8
        return _guess(bytes(self._sample))


def bom_of(head: bytes) -> tuple[bytes, str] | None:
    """The byte order mark that the file begins with and the encoding it says, or None."""
    return next(((bom, name) for bom, name in _BOMS if head.startswith(bom)), None)


def utf8_blocks(path: Path, encoding: str, block_bytes: int) -> Iterator[bytes]:
    """The file's text as blocks of UTF-8, byte order mark removed, nothing else changed.

    Bytes that do not fit the encoding stay as they are (UTF-8) or become 0xFF (others): in both cases they are
    not UTF-8, so the reader finds them. Blocks end anywhere, also inside a character.
    """
    with path.open("rb") as file:
        head = file.read(4)
        marked = bom_of(head)
        file.seek(len(marked[0]) if marked and marked[1] == encoding else 0)
        if encoding == UTF8:
            while block := file.read(block_bytes):
                yield block
            return
        decoder = codecs.getincrementaldecoder(encoding)("enrich-undecodable")
        while block := file.read(block_bytes):
            yield decoder.decode(block).encode(UTF8, "surrogateescape")
        yield decoder.decode(b"", final=True).encode(UTF8, "surrogateescape")


def _utf16_without_mark(head: bytes) -> str | None:
    """UTF-16 text of mostly Latin letters has a zero in every second byte, always on the same side."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = len(head) // 2
    if half >= 8 and odd > 0.7 * half and even < 0.05 * half:
        return "utf-16-le"
    if half >= 8 and even > 0.7 * half and odd < 0.05 * half:
        return "utf-16-be"
    return None


def _guess(sample: bytes) -> str:
    """A legacy code page for lines that are not UTF-8; Windows-1252 unless another is clearly better.

    ISO-8859-1 needs no case of its own: its printable characters are the same bytes in Windows-1252.
    """
    matches = from_bytes(sample, cp_isolation=_GUESSABLE, enable_fallback=False)
    best = matches.best()
    if best is None:
        return WINDOWS
    windows = next((m for m in matches if m.encoding == WINDOWS or WINDOWS in m.could_be_from_charset), None)
    if windows is None or (best.encoding in _MULTIBYTE and best.coherence > windows.coherence):
        return best.encoding
    if windows.chaos <= best.chaos + 0.02 and windows.coherence >= best.coherence - 0.2:
        return WINDOWS
    return best.encoding
