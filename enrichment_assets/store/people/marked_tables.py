"""The tables of HQ that may hold a person, out of the marks of their columns, and which of their rows are whose.

No list of columns stands here: a column that is marked (`store.tables.marks`) is looked at. What a table's rows belong
to follows from its columns: an item, a call of an item, or nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import LargeBinary, Table, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from enrichment_assets.store.tables import metadata
from enrichment_assets.store.tables.marks import Erased, mark_of

APART = frozenset({"person_erasures", "suppressions"})
"""Tables that know of a person on purpose; the erasure itself says what becomes of them."""

_OWN = {
    "batch_items": "t.id = any(%(items)s)",
    "provider_calls": "t.id = any(%(calls)s)",
    # A company's answer is one row, which belongs to whoever asked and counts for all of its people.
    "enrichment_results": "t.item_id = any(%(items)s) and (t.call_id is null or t.call_id = any(%(calls)s))",
    "prompt_inputs": "t.call_id = any(%(calls)s)",
    "callback_inbox": "(t.call_id = any(%(calls)s) or t.bulk_id in "
    "(select c.bulk_id from provider_calls c where c.id = any(%(calls)s) and c.bulk_id is not null))",
    "bulk_calls": "t.call_ids && %(calls)s::bigint[]",
}
"""Conditions on a row `t` that is a person's, where it is not `item_id` that says so."""

_OVER = "in ('applied', 'failed', 'ambiguous')"
SETTLED = {
    "provider_calls": f"t.state {_OVER}",
    "callback_inbox": "t.status <> 'new'",
    "prompt_inputs": f"t.call_id in (select c.id from provider_calls c where c.state {_OVER})",
    "bulk_calls": f"not exists (select 1 from provider_calls c where c.id = any(t.call_ids) and not c.state {_OVER})",
}
"""Conditions on a row `t` whose bytes nobody has to read any more. Of a call that is under way they are read first:
what it says is erased when it has been applied (`erasures.came_back`)."""

_AT_THEIR_COMPANY = {
    "batch_items": "t.company_key = any(%(companies)s)",
    "prompt_inputs": "t.call_id in (select c.id from provider_calls c where c.item_id in ({items}))",
    "callback_inbox": "t.call_id in (select c.id from provider_calls c where c.item_id in ({items}))",
    "bulk_calls": "t.call_ids && (select array_agg(c.id) from provider_calls c where c.item_id in ({items}))",
}
_ITEMS = "select i.id from batch_items i where i.company_key = any(%(companies)s)"


@dataclass(frozen=True, slots=True)
class MarkedColumn:
    """A column that may hold a person: `kind` is `text`, `json`, `bytes` or `texts` (an array)."""

    name: str
    kind: str
    erased: Erased
    nullable: bool
    unique: bool

    @property
    def as_text(self) -> str:
        """SQL of its value as text that a pattern is compared with."""
        return f"encode(t.{self.name}, 'escape')" if self.kind == "bytes" else f"t.{self.name}::text"

    @property
    def emptied(self) -> str | None:
        """SQL of what is left in a person's own row; None: its text is looked through instead."""
        if self.erased is Erased.MENTIONS:
            return None
        if self.erased is Erased.BLANK:
            return "'{}'::jsonb" if self.kind == "json" else "''"
        return "null"

    @property
    def holds_something(self) -> str:
        """SQL condition: it is not what erasing leaves."""
        return f"t.{self.name} is distinct from {self.emptied}"


@dataclass(frozen=True, slots=True)
class MarkedTable:
    """A table with marked columns.

    Attributes:
        name: Its name.
        key: The columns of its primary key.
        columns: The marked ones.
        others: Names of all its columns.
    """

    name: str
    key: tuple[str, ...]
    columns: tuple[MarkedColumn, ...]
    others: frozenset[str]

    @property
    def own(self) -> str | None:
        """SQL condition on a row `t` that is about the person; None: no row of this table is about one person."""
        if self.name in _OWN:
            return f"{_OWN[self.name]} and {self.settled}"
        return "t.item_id = any(%(items)s)" if "item_id" in self.others else None

    @property
    def settled(self) -> str:
        """SQL condition on a row `t` that nobody has to read any more."""
        return SETTLED.get(self.name, "true")

    @property
    def at_their_company(self) -> str | None:
        """SQL condition on a row `t` where the person's name means the person; None: everywhere in this table."""
        if self.name in _AT_THEIR_COMPANY:
            return _AT_THEIR_COMPANY[self.name].replace("{items}", _ITEMS)
        return f"t.item_id in ({_ITEMS})" if "item_id" in self.others else None

    @property
    def of_clients(self) -> str:
        """SQL condition on a row `t` of the clients in question (`%(clients)s`; null: all)."""
        if "client_id" not in self.others:
            return "true"
        return "(%(clients)s::bigint[] is null or t.client_id is null or t.client_id = any(%(clients)s))"

    @property
    def emptied(self) -> list[MarkedColumn]:
        """The columns that are emptied in a person's own row."""
        return [column for column in self.columns if column.emptied is not None]

    @property
    def bodies(self) -> list[MarkedColumn]:
        """The columns whose bytes go whole."""
        return [column for column in self.columns if column.erased is Erased.TAKEN_OUT]

    @property
    def written(self) -> list[MarkedColumn]:
        """The columns whose texts are looked through."""
        return [column for column in self.columns if column.erased is not Erased.TAKEN_OUT]

    def taking_out(self, column: MarkedColumn) -> str:
        """SQL assignments that take a body out, its figures kept."""
        parts = [f"{column.name} = null"]
        if "body_bytes" in self.others:
            parts.append(f"body_bytes = coalesce(t.body_bytes, octet_length(t.{column.name}))")
        if "body_sha256" in self.others:
            parts.append(f"body_sha256 = coalesce(t.body_sha256, sha256(t.{column.name}))")
        if "body_removed_at" in self.others:
            parts.append("body_removed_at = coalesce(t.body_removed_at, clock_timestamp())")
        return ", ".join(parts)


@cache
def marked_tables() -> tuple[MarkedTable, ...]:
    """Every table of HQ that may hold a person, by name."""
    found = [_marked(table) for name, table in sorted(metadata.tables.items()) if name not in APART]
    return tuple(table for table in found if table.columns)


def _marked(table: Table) -> MarkedTable:
    unique = {column.name for one in table.constraints if isinstance(one, UniqueConstraint) for column in one.columns}
    unique |= {column.name for column in table.columns if column.unique}
    key = tuple(column.name for column in table.primary_key.columns)
    return MarkedTable(table.name, key, tuple(_columns(table, unique)), frozenset(table.columns.keys()))


def _columns(table: Table, unique: set[str]) -> Iterator[MarkedColumn]:
    for column in table.columns:
        mark = mark_of(column)
        if mark is not None and mark.erased is not None:
            kind = _kind(column.type)
            yield MarkedColumn(column.name, kind, mark.erased, bool(column.nullable), column.name in unique)


def _kind(type_: Any) -> str:
    if isinstance(type_, LargeBinary):
        return "bytes"
    if isinstance(type_, JSONB):
        return "json"
    return "texts" if isinstance(type_, ARRAY) else "text"
