"""Bounds of what is read, so that no file can take all memory or all time."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """Bounds of one file.

    Attributes:
        cell_chars: Longest cell, in characters; a row with a longer one is a rejection.
        row_bytes: Longest physical line, in UTF-8 bytes; a longer one is a rejection.
        columns: Most columns; a wider file is refused.
        block_bytes: How much is read at a time.
        replay_bytes: How much text may be read a second time because quotes were not closed. Past it the file is
            refused: its quoting is broken throughout, and reading on would take for ever.
    """

    cell_chars: int = MIB
    row_bytes: int = 16 * MIB
    columns: int = 20_000
    block_bytes: int = MIB
    replay_bytes: int = 256 * MIB
