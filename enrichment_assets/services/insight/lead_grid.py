"""Leads as a grid shows them: some columns, filtered, sorted, any page at once. The work is DuckDB's, over Parquet."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.suggestions import instead
from enrichment_assets.services.catalog.known_clients import check_client
from enrichment_assets.services.insight.lead_fields import final_columns
from enrichment_assets.services.insight.queries import ask, file_format, write_answer
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq
from enrichment_assets.warehouse import project_of
from enrichment_assets.warehouse.copies import brought
from enrichment_assets.warehouse.numbered_rows import Condition, NumberedRows

if TYPE_CHECKING:
    import pyarrow as pa

MOST = 500
"""Rows of a page at most."""

KEYS = ("batch_key", "item_id")
"""What names a lead; each row has them, whatever columns are asked for."""

USUAL = (
    "row_number",
    "full_name",
    "title",
    "company_name",
    "email",
    "email_status",
    "phone",
    "linkedin_url",
    "country",
    "funnel_stage",
    "is_finished",
)
"""The columns that are shown where nobody chose any; those that there are."""


class Comparison(StrEnum):
    """How a cell is compared with what was typed."""

    CONTAINS = "contains"
    """The text stands in it, whatever its case."""
    IS = "is"
    """It is that text, whatever its case."""
    EMPTY = "empty"
    FILLED = "filled"


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition; all of them hold."""

    column: str
    comparison: Comparison
    text: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """What of the leads is looked at.

    Attributes:
        columns: Names; empty: the usual ones.
        filters: Conditions, all of which hold.
        sort: The column that orders them; None: their row.
        is_descending: The largest first.
        offset: Rows that are passed over.
        limit: Rows of the page, `MOST` at most.
    """

    columns: Sequence[str] = ()
    filters: Sequence[Filter] = ()
    sort: str | None = None
    is_descending: bool = False
    offset: int = 0
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Grid:
    """A page of leads.

    Attributes:
        known: All columns that there are.
        columns: Those of the rows.
        keys: (batch key, item id) of each row.
        rows: Their values, in the order of `columns`.
        total: Leads that the filters leave.
    """

    known: tuple[str, ...]
    columns: tuple[str, ...]
    keys: tuple[tuple[str, int], ...]
    rows: tuple[tuple[Any, ...], ...]
    total: int


def lead_grid(hq: Hq, settings: Settings, client: str, view: View, *, batch: str | None = None) -> Grid:
    """A page of a client's leads as they were last extracted, of one batch or of all.

    Raises:
        ConfigurationError: A column is none of `final_leads`.
        NotFoundError: There is no such client.
    """
    known = final_columns(settings)
    usual = USUAL if batch is not None else ("full_name", "batch_key", *USUAL[2:])
    chosen = tuple(view.columns) or tuple(name for name in usual if name in known)
    _refuse_unknown([*chosen, *(one.column for one in view.filters), *filter(None, [view.sort])], known)
    if batch is not None:
        check_client(hq, settings, client)
        return _of_batch(settings, client, batch, view, chosen)
    where, parameters = _conditions(view.filters, None)
    limit, offset = _window(view)
    shown = ", ".join(f"l.{_name(column)}" for column in chosen)
    # The page is found by what orders it alone: of a row far behind, the others need not be read for all before it.
    query = (
        f"with page as (select l.batch_key, l.item_id from final_leads as l where {where} "
        f"order by {_order(view)} limit {limit} offset {offset}) "
        f"select (select count(*) from final_leads as l where {where}), l.batch_key, l.item_id, {shown} "
        f"from final_leads as l join page using (batch_key, item_id) order by {_order(view)}"
    )
    with ask(hq, settings, query, [*parameters, *parameters], client=client) as answer:
        rows = list(answer.rows())
    total = rows[0][0] if rows else _count(hq, settings, client, where, parameters)
    return Grid(
        tuple(known),
        chosen,
        tuple((row[1], int(row[2])) for row in rows),
        tuple(row[3:] for row in rows),
        int(total),
    )


def _of_batch(settings: Settings, client: str, batch: str, view: View, chosen: tuple[str, ...]) -> Grid:
    """A page of one batch, whose leads are one file."""
    layout = brought(settings, client_slug=client, batch_key=batch)
    columns = project_of(layout).model("final_leads").columns
    known = tuple(column.name for column in columns)
    leads = NumberedRows.of(layout, layout.model("final_leads", client, batch), columns, "item_id")
    if leads is None:
        return Grid(known, chosen, (), (), 0)
    limit, offset = _window(view)
    order = None if view.sort is None else _sorted_by(view)
    total, numbers = leads.page([_condition(one) for one in view.filters], order, offset, limit)
    rows = leads.rows(numbers, ", ".join(("l.item_id", *(f"l.{_name(column)}" for column in chosen))))
    return Grid(known, chosen, tuple((batch, int(row[0])) for row in rows), tuple(row[1:] for row in rows), total)


def _window(view: View) -> tuple[int, int]:
    return min(max(view.limit, 1), MOST), max(view.offset, 0)


def export_grid(hq: Hq, settings: Settings, client: str, view: View, target: Path) -> int:
    """Write the leads that a view leaves, of all batches of a client, to `.csv`, `.xlsx`, `.json` or `.parquet`.

    Its page does not matter. Without chosen columns all are written. No cell is one that a spreadsheet would run.
    Returns the number of rows. Raises as `lead_grid`.
    """
    known = final_columns(settings)
    chosen = [*view.columns] or [*known]
    _refuse_unknown([*chosen, *(one.column for one in view.filters), *filter(None, [view.sort])], known)
    where, parameters = _conditions(view.filters, None)
    shown = ", ".join(f"l.{_name(column)}" for column in chosen)
    query = f"select {shown} from final_leads as l where {where} order by {_order(view)}"
    with ask(hq, settings, query, parameters, client=client) as answer:
        return write_answer(answer, target, format_=file_format(target), spreadsheet_safe=True)


def leads_of(hq: Hq, settings: Settings, client: str, batch: str, filters: Sequence[Filter]) -> list[int]:
    """Items of a batch whose leads, as they were last extracted, are so.

    Raises:
        ConfigurationError: A column is none of `final_leads`.
    """
    _refuse_unknown([one.column for one in filters], final_columns(settings))
    where, parameters = _conditions(filters, batch)
    query = f"select l.item_id from final_leads as l where {where} order by l.item_id"
    with ask(hq, settings, query, parameters, client=client) as answer:
        return [int(row[0]) for row in answer.rows()]


def _count(hq: Hq, settings: Settings, client: str, where: str, parameters: Sequence[Any]) -> int:
    """How many there are where a page has none: it may be behind the last one."""
    query = f"select count(*) from final_leads as l where {where}"
    with ask(hq, settings, query, parameters, client=client) as answer:
        return int(next(iter(answer.rows()))[0])


def _conditions(filters: Sequence[Filter], batch: str | None) -> tuple[str, list[Any]]:
    parts, parameters = ["true"], list[Any]()
    if batch is not None:
        parts.append("l.batch_key = ?")
        parameters.append(batch)
    for one in filters:
        condition = _condition(one)
        parts.append(condition.sql)
        parameters += condition.parameters
    return " and ".join(parts), parameters


def _condition(one: Filter) -> Condition:
    """A filter as SQL; of texts also as what says of different values for which it holds. An empty text is none."""
    cell, text = f"nullif(cast(l.{_name(one.column)} as varchar), '')", one.text
    match one.comparison:
        case Comparison.EMPTY:
            return Condition(one.column, f"{cell} is null")
        case Comparison.FILLED:
            return Condition(one.column, f"{cell} is not null")
        case Comparison.IS:
            return Condition(one.column, f"lower({cell}) = lower(?)", (text,), lambda texts: _is(texts, text))
        case Comparison.CONTAINS:
            sql = f"contains(lower({cell}), lower(?))"
            return Condition(one.column, sql, (text,), lambda texts: _contains(texts, text))


def _is(texts: pa.Array, text: str) -> pa.Array:
    import pyarrow.compute as pc

    return pc.and_(pc.equal(pc.utf8_lower(texts), pc.utf8_lower(text)), pc.not_equal(texts, ""))


def _contains(texts: pa.Array, text: str) -> pa.Array:
    import pyarrow.compute as pc

    found = pc.match_substring(pc.utf8_lower(texts), pc.utf8_lower(text).as_py())
    return pc.and_(found, pc.not_equal(texts, ""))


def _order(view: View) -> str:
    row = "l.batch_key, l.item_id"
    if view.sort is None:
        return row
    return f"{_sorted_by(view)}, {row}"


def _sorted_by(view: View) -> str:
    return f"l.{_name(view.sort or '')} {'desc' if view.is_descending else 'asc'} nulls last"


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _refuse_unknown(names: Sequence[str], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            raise ConfigurationError(
                f"leads have no column {name[:80]!r}: {instead(name, known)}", code="column.unknown"
            )
