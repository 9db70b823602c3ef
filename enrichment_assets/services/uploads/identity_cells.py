"""The identity columns of uploaded rows: per field the first of its columns with a value, and why others have none.

Most cells are judged by themselves and come again and again, so each is judged once; where the rest of the row decides
(a phone number without `+`, `Freelancer`), the row is looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from enrichment_assets.domain.cleaned import Cleaned, Reason
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
_MAY_BE_SEVERAL = frozenset({"email", "phone", "company_phone", "company_website"})
"""Fields of which a row may have more than one; the further columns of others say the same thing again."""
_ARE_RECORDS = frozenset({"email", "phone"})
"""Fields whose further values are records (`domain.uploaded_contacts`)."""


@dataclass(slots=True)
class Identity:
    """What a row says.

    Attributes:
        cells: The identity columns in their order, null where no cell has a value of the field.
        details: What the cells say besides (`phone_extension`).
        rejected: By field the first cell that is no value, or further values that are no records.
        sources: By field the column whose cell counts.
        further: Further e-mail addresses and phone numbers by field, each with its column.
    """

    cells: list[str | None]
    details: dict[str, Any]
    rejected: dict[str, dict[str, Any]]
    sources: dict[str, int]
    further: dict[str, list[tuple[str, int]]]


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

    def first_column(self, field: str) -> int | None:
        """The column of the field that is asked first; None: there is none."""
        return next((columns[0] for _, name, columns, _ in self._sources if name == field), None)

    def read(self, row: Cells) -> Identity:
        """The identity of a row: of each field the first column with a value counts."""
        found = Identity([None] * len(IDENTITY_FIELDS), {}, {}, {}, {})
        for at, name, columns, memo in self._sources:
            for column in columns:
                cell = row[column]
                if not cell:
                    continue
                value, entry, said = self._judge(name, cell, memo, row)
                if value is not None and found.cells[at] is not None:
                    found.further.setdefault(name, []).append((value, column))
                elif found.cells[at] is None:
                    if entry is not None:
                        found.rejected.setdefault(name, entry)
                    if value is None:
                        continue
                    found.cells[at] = value
                    found.sources[name] = column
                    if said:
                        found.details.update(said)
                    if entry is not None and "others" in entry and name in _MAY_BE_SEVERAL:
                        found.further[name] = [(other, column) for other in entry["others"]]
                    if name not in _MAY_BE_SEVERAL:
                        break
        for name in found.further.keys() - _ARE_RECORDS:
            _keep_beside(found, name, row)
        return found

    def _judge(self, name: str, cell: str, memo: dict[str, Judged | None], row: Cells) -> Judged:
        judged: Judged | None = memo.get(cell, _UNKNOWN)
        if judged is _UNKNOWN:
            judged = self._remember(name, cell, memo)
        if judged is None:
            judged = _judged(cell, clean(name, self._restored(name, cell), self._cells(row)))
        return judged

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


def _keep_beside(found: Identity, name: str, row: Cells) -> None:
    """Keep the further values of a field with the cell that counts, or with the one that was rejected before it."""
    value = found.cells[IDENTITY_FIELDS.index(name)]
    others = dict.fromkeys(other for other, _ in found.further[name] if other != value)
    if others:
        entry = found.rejected.get(name) or {"value": row[found.sources[name]], "reason": Reason.SEVERAL.value}
        found.rejected[name] = {**entry, "others": list(others)}


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
