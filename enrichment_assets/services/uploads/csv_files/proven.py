"""The fast way: blocks of text that are proven clean are counted with numpy and read by Arrow's parser.

Arrow's parser guesses where text is malformed, and a guess could alter a cell. So a block gets here only with a proof
that there is nothing to guess. Quotes are numbered in order of appearance: even ones enter quoted text, odd ones
leave it (a doubled quote leaves and enters at once). In a well-formed block every even quote stands at the beginning
of a cell or right behind the odd one before it, and every odd quote stands at the end of a cell or right before the
next even one. With that, a newline or delimiter is outside of quotes exactly when an even number of quotes
stands before it, and every row must have exactly as many cells as there are columns. What fails the proof is read
by `exact`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pacsv

_QUOTE, _LF, _CR = 34, 10, 13
_BOM = b"\xef\xbb\xbf"  # Arrow would swallow one at the beginning of a block

Positions = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ProvenBlock:
    """A prefix of a buffer that holds whole, well-formed rows of the right width.

    Attributes:
        data: The bytes, UTF-8.
        line_offsets: Per row, how many line ends stand before it in the block.
        lines: Physical lines in the block.
        blank_lines: Blank lines among them; they are no rows.
    """

    data: bytes
    line_offsets: Positions
    lines: int
    blank_lines: int

    @property
    def rows(self) -> int:
        """How many rows the block holds."""
        return len(self.line_offsets)


def prove(buffer: bytes, ended: bool, delimiter: str, width: int, cell_bytes: int) -> ProvenBlock | None:
    """The longest prefix of whole rows if it is proven clean, else None. `ended`: the file ends with the buffer."""
    codes = np.frombuffer(buffer, np.uint8)
    quotes = np.flatnonzero(codes == _QUOTE)
    outside = _outside(quotes, len(codes))
    line_end = codes == _LF
    ends = np.flatnonzero(line_end & outside)
    if ended and not buffer.endswith(b"\n") and len(quotes) % 2 == 0:
        ends = np.append(ends, len(buffer))
    if len(ends) == 0:
        return None
    data = buffer[: int(ends[-1]) + 1]
    codes, outside, line_end = codes[: len(data)], outside[: len(data)], line_end[: len(data)]
    if not _plain_text(data, codes, line_end) or not _well_quoted(codes, quotes[quotes < len(data)], ord(delimiter)):
        return None
    starts = np.concatenate((np.zeros(1, np.int64), ends[:-1] + 1))
    blank = _blank(codes, starts, ends)
    delimiters = np.flatnonzero((codes == ord(delimiter)) & outside)
    until = np.searchsorted(delimiters, ends)
    cells = np.diff(until, prepend=0) + 1
    if not bool(np.all((cells == width) | blank)) or int((ends - starts).max()) > cell_bytes:
        return None
    line_ends = np.flatnonzero(line_end)
    offsets = np.searchsorted(line_ends, starts[~blank])
    lines = len(line_ends) + (not data.endswith(b"\n"))
    return ProvenBlock(data, offsets, lines, int(blank.sum()))


def parse(block: ProvenBlock, keys: list[str], delimiter: str) -> list[pa.Array] | None:
    """The block's cells, one string array per column; None if Arrow saw another number of rows than was proven."""
    names = [f"c{n}" for n in range(len(keys))]
    table = pacsv.read_csv(
        pa.BufferReader(block.data),
        read_options=pacsv.ReadOptions(column_names=names, block_size=len(block.data) + 1, use_threads=False),
        parse_options=pacsv.ParseOptions(
            delimiter=delimiter, quote_char='"', double_quote=True, escape_char=False, newlines_in_values=True
        ),
        convert_options=pacsv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False, check_utf8=False
        ),
    )
    if table.num_rows != block.rows:
        return None
    return [column.chunk(0) if column.num_chunks == 1 else column.combine_chunks() for column in table.columns]


def _outside(quotes: Positions, length: int) -> Mask:
    """Per byte, whether an even number of quotes stands up to and including it."""
    lengths = np.diff(quotes, prepend=0, append=length)
    outside: Mask = np.repeat(np.arange(len(lengths)) % 2 == 0, lengths)
    return outside


def _plain_text(data: bytes, codes: npt.NDArray[np.uint8], line_end: Mask) -> bool:
    """True without NUL, lone carriage return, bytes that are not UTF-8, or a leading byte order mark."""
    if b"\x00" in data or data.startswith(_BOM) or data.endswith(b"\r"):
        return False
    if bool(np.any((codes == _CR)[:-1] & ~line_end[1:])):
        return False
    if data.isascii():
        return True
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _well_quoted(codes: npt.NDArray[np.uint8], quotes: Positions, delimiter: int) -> bool:
    """The proof of the module's docstring. There is an even number of quotes: the block ends outside of them."""
    if len(quotes) == 0:
        return True
    entering, leaving = quotes[0::2], quotes[1::2]
    before = codes[np.maximum(entering - 1, 0)]
    opens = (entering == 0) | (before == delimiter) | (before == _LF)
    opens[1:] |= entering[1:] == leaving[:-1] + 1
    after = codes[np.minimum(leaving + 1, len(codes) - 1)]
    closes = (leaving == len(codes) - 1) | (after == delimiter) | (after == _LF) | (after == _CR)
    closes[:-1] |= leaving[:-1] + 1 == entering[1:]
    return bool(opens.all() and closes.all())


def _blank(codes: npt.NDArray[np.uint8], starts: Positions, ends: Positions) -> Mask:
    lengths = ends - starts
    first = codes[np.minimum(starts, len(codes) - 1)]
    blank: Mask = (lengths == 0) | ((lengths == 1) & (first == _CR))
    return blank
