"""The identity columns of uploaded rows: per field the first of its columns with a value, and why the others have none.

Most cells are judged by themselves and come again and again, so each is judged once; where the rest of the row decides
(a phone number without `+`, `Freelancer`), the row is looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from enrichment_assets.domain.cleaned import Cleaned
from enrichment_assets.domain.fields import IDENTITY_FIELDS
from enrichment_assets.domain.spreadsheets import restored
from enrichment_assets.domain.values import clean, clean_alone, rejection

Cells = Sequence[str | None]
Judged = tuple[str | None, dict[str, Any] | None, Mapping[str, Any]]
"""The value, the entry for `rejected`, and details."""

KEPT = 50_000
"""Cells of one field whose judgement is remembered at a time."""

_UNKNOWN: Any = object()
_PHONES = frozenset({"phone", "company_phone"})


class IdentityReader:
    """Reads rows of one upload.

    Args:
        columns: The upload's columns: `field` (an identity field or null) and `rank` of each; `own` where it is one of
            our own exports, whose cells a spreadsheet may have changed.
    """

    def __init__(self, columns: Sequence[Mapping[str, Any]]) -> None:
        self._is_own_export = any(column.get("own") for column in columns)
        found = ((at, name, _columns_of(name, columns)) for at, name in enumerate(IDENTITY_FIELDS))
        self._sources: list[tuple[int, str, list[int], dict[str, Judged | None]]] = [
            (at, name, its_columns, {}) for at, name, its_columns in found if its_columns
        ]

    def read(self, row: Cells) -> tuple[list[str | None], dict[str, Any], dict[str, dict[str, Any]]]:
        """The identity columns of a row, null where no cell has a value of the field.

        Returns them with what the cells say besides (`phone_extension`), and by field the first cell that is no value.
        """
        identity: list[str | None] = [None] * len(IDENTITY_FIELDS)
        details: dict[str, Any] = {}
        rejected: dict[str, dict[str, Any]] = {}
        for at, name, columns, memo in self._sources:
            for column in columns:
                cell = row[column]
                if not cell:
                    continue
                judged = memo.get(cell, _UNKNOWN)
                if judged is _UNKNOWN:
                    judged = self._remember(name, cell, memo)
                if judged is None:
                    judged = _judged(cell, clean(name, self._restored(name, cell), self._cells(row)))
                value, entry, said = judged
                if entry is not None:
                    rejected.setdefault(name, entry)
                if value is not None:
                    identity[at] = value
                    if said:
                        details.update(said)
                    break
        return identity, details, rejected

    def _remember(self, name: str, cell: str, memo: dict[str, Judged | None]) -> Judged | None:
        """Judge a cell by itself; None: its row decides."""
        alone = clean_alone(name, self._restored(name, cell))
        judged = None if alone is None else _judged(cell, alone)
        if len(memo) >= KEPT:
            memo.clear()
        memo[cell] = judged
        return judged

    def _restored(self, name: str, cell: str) -> str:
        """The cell as it was exported, before a spreadsheet had it."""
        return restored(cell, phone=name in _PHONES) if self._is_own_export else cell

    def _cells(self, row: Cells) -> dict[str, str]:
        """The row's cells by field, each the first of its columns with content, as they came."""
        return {name: cell for _, name, columns, _ in self._sources if (cell := _first(row, columns))}


def _judged(cell: str, cleaned: Cleaned) -> Judged:
    return cleaned.value, rejection(cell, cleaned), cleaned.details


def _first(row: Cells, columns: Sequence[int]) -> str | None:
    for column in columns:
        cell = row[column]
        if cell and not cell.isspace():
            return cell
    return None


def _columns_of(field: str, columns: Sequence[Mapping[str, Any]]) -> list[int]:
    found = [(column.get("rank", 0), n) for n, column in enumerate(columns) if column["field"] == field]
    return [n for _, n in sorted(found)]
