"""The list comes back: the leads of one batch as a file, alone or beside the rows as they were uploaded.

`leads` is `final_leads` with a column for each field of the batch's own workflows in the place of the JSON
(`other_fields`), and with two columns that say how each row stands:

    row_status   found, not_found, skipped, failed, ambiguous, cancelled, open; of a row that is no item: rejected,
                 not_launched
    row_reason   why, where something was not asked or went wrong: `find-email: missing_input: company_domain`

Whether anything was found is said of outside providers; what is computed here counts where a batch has nothing else.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from enrichment_assets.domain.field_types import FieldType
from enrichment_assets.domain.pipeline import Blueprint
from enrichment_assets.services.batches.extracting import Standing, bring_up_to_date, ensure_raw_upload
from enrichment_assets.services.batches.status import batch_row
from enrichment_assets.services.insight.lead_fields import PROGRESS, final_columns, is_own, own_fields
from enrichment_assets.services.insight.queries import FileFormat, ask, file_format, write_answer, write_text
from enrichment_assets.services.insight.target_files import checked_target, note_written
from enrichment_assets.services.uploads.upload import Column, get_upload
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq
from enrichment_assets.warehouse import open_warehouse
from enrichment_assets.warehouse.files import RAW_UPLOADS

MODEL = "leads"
"""What `enrich export` calls it."""

_KEYS = ("client_slug", "batch_key", "item_id", "row_number", "parent_item_id", "company_key")
_STANDING = ("row_status", "row_reason")
_NUMBERS = frozenset({FieldType.COUNT, FieldType.YEAR, FieldType.NUMBER, FieldType.MONEY})
_WHOLE = r"-?[0-9]{1,15}"
_EXACT = r"-?[0-9]{1,15}(\.[0-9]{1,6})?"
"""A number of more digits stays text: a spreadsheet would change it."""


@dataclass(frozen=True, slots=True)
class LeadsExport:
    """What was written: `rows`, and how far the batch is."""

    rows: int
    standing: Standing


@dataclass(frozen=True, slots=True)
class _Shown:
    """A column of the export: SQL that gives it, its name in SQL, JSON and Parquet, and its header in CSV and XLSX."""

    sql: str
    name: str
    header: str


def export_leads(
    hq: Hq,
    settings: Settings,
    batch_key: str,
    target: Path | None,
    *,
    with_upload: bool = False,
    spreadsheet_safe: bool = False,
) -> LeadsExport:
    """Write the leads of a batch, in the order of its rows, as they stand now: `.csv`, `.xlsx`, `.json`, `.parquet`.

    Args:
        hq: The databases.
        settings: The installation.
        batch_key: The batch; it may be unfinished (its open rows say so).
        target: The file; None: CSV to standard output.
        with_upload: The uploaded columns first, names and cells as they came, then what is known now. Every row of
            the file is there once, also one that was rejected or not launched; child items, which are no rows, are not.
        spreadsheet_safe: In CSV, an apostrophe before cells that a spreadsheet would change.

    Raises:
        NotFoundError: There is no such batch.
        NotStartedError: Nothing of it was laid out yet.
        EnrichError: The file's ending is none of these.
    """
    format_: FileFormat = "csv" if target is None else file_format(target)
    standing = bring_up_to_date(hq, settings, batch_key)
    row = batch_row(hq, batch_key)
    columns = final_columns(settings)
    own = _own_columns(settings, standing.client, batch_key, Blueprint.model_validate(row.blueprint))
    if with_upload:
        ensure_raw_upload(hq, settings, batch_key)
        uploaded = get_upload(hq, row.upload_id).columns
        shown = _beside(uploaded, columns, own)
        query = f"select {_listed(shown)} from {_JOINED.format(leads=_leads(own))} order by {_ROW}"
    else:
        shown = _alone(columns, own)
        query = f"select {_listed(shown)} from ({_leads(own)}) as l order by {_FAMILY}"
    with ask(hq, settings, query, client=standing.client, batch=batch_key, unsafe=True) as answer:
        if format_ in ("csv", "xlsx"):
            answer.columns = [column.header for column in shown]
        if target is None:
            rows = write_text(answer, sys.stdout, format_="csv", spreadsheet_safe=spreadsheet_safe)
        else:
            note_written(hq, "export", batch_key, checked_target(target))
            rows = write_answer(answer, target, format_=format_, spreadsheet_safe=spreadsheet_safe)
    return LeadsExport(rows, standing)


_FAMILY = "coalesce(l.parent_item_id, l.item_id), l.item_id"
"""Items in the order of their rows, what was emitted below its parent."""
_ROW = "coalesce(u.row_number, r.row_number)"
_JOINED = f"""{RAW_UPLOADS} as u
    full join hq.upload_rejections as r on r.row_number = u.row_number
    left join ({{leads}}) as l on l.row_number = u.row_number and l.parent_item_id is null"""


def _own_columns(settings: Settings, client: str, batch_key: str, blueprint: Blueprint) -> dict[str, str]:
    """Own field -> the SQL type of its column: those that the steps provide, then what else there is a value for."""
    columns = final_columns(settings)
    fields = own_fields(blueprint, columns)
    connection = open_warehouse(settings, client_slug=client, batch_key=batch_key)
    try:
        there = connection.execute("select distinct field from lead_values order by field").fetchall()
        for (field,) in there:
            if is_own(field, columns):
                fields.setdefault(field, FieldType.ANY)
        return {field: _type_of(connection, field, kind) for field, kind in fields.items()}
    finally:
        connection.close()


def _type_of(connection: duckdb.DuckDBPyConnection, field: str, kind: FieldType) -> str:
    """The type that a declared number has as a column; text where one of the values is none that stays exact."""
    if kind not in _NUMBERS:
        return "varchar"
    exact, whole = connection.execute(
        "select bool_and(regexp_full_match(value, $exact)), bool_and(regexp_full_match(value, $whole)) "
        "from final_leads_provenance where field = $field and value is not null",
        {"field": field, "exact": _EXACT, "whole": _WHOLE},
    ).fetchall()[0]
    return "bigint" if whole else "double" if exact else "varchar"


def _leads(own: Mapping[str, str]) -> str:
    """SQL of the leads of the attached batch, with their own fields and how they stand."""
    given = "".join(
        f", cast(max(value) filter (where field = {_text(field)}) as {kind}) as {_name(field)}"
        for field, kind in own.items()
    )
    named = "".join(f", o.{_name(field)}" for field in own)
    return f"""
        select f.* exclude (other_fields){named}, {_ROW_STATUS} as row_status, s.reason as row_reason
        from final_leads as f
        left join (select item_id{given} from final_leads_provenance where candidates > 0 group by item_id) as o
            on o.item_id = f.item_id
        left join ({_STATES}) as s on s.item_id = f.item_id"""


_STATES = """
    select w.item_id,
        bool_or(w.status in ('PENDING', 'IN_PROGRESS')) as is_open,
        bool_or(w.status = 'AMBIGUOUS') as is_ambiguous,
        bool_or(w.status = 'FAILED') as is_failed,
        bool_or(w.status = 'CANCELLED') as is_cancelled,
        bool_or(w.outcome = 'found' and (t.is_outside or not a.any_outside)) as is_found,
        bool_or(w.outcome = 'not_found' and (t.is_outside or not a.any_outside)) as is_missed,
        string_agg(w.workflow_slug || ': ' || w.reason, '; ' order by w.position, w.workflow_slug) filter (
            where w.status in ('FAILED', 'AMBIGUOUS', 'CANCELLED') or (w.status = 'SKIPPED'
                and split_part(w.reason, ':', 1) not in
                    ('run_if', 'already_found', 'fanned_out', 'inherited', 'target_reached'))
        ) as reason
    from hq.workflow_states as w
    left join (select workflow_slug, provider is distinct from 'local' as is_outside from hq.batch_steps) as t
        on t.workflow_slug = w.workflow_slug
    cross join (
        select coalesce(bool_or(provider is distinct from 'local'), false) as any_outside from hq.batch_steps
    ) as a
    group by w.item_id"""
_ROW_STATUS = """case when s.is_open then 'open' when s.is_ambiguous then 'ambiguous' when s.is_failed then 'failed'
            when s.is_found then 'found' when s.is_cancelled then 'cancelled' when s.is_missed then 'not_found'
            else 'skipped' end"""


def _alone(columns: Iterable[str], own: Mapping[str, str]) -> list[_Shown]:
    """The columns of `leads`: those of `final_leads`, with the own fields in the place of `other_fields`."""
    names: list[str] = []
    for name in columns:
        names += own if name == "other_fields" else [name]
        if name == _KEYS[-1]:
            names += _STANDING
    return [_Shown(f"l.{_name(name)}", name, name) for name in names]


def _beside(uploaded: Sequence[Column], columns: Iterable[str], own: Mapping[str, str]) -> list[_Shown]:
    """The uploaded columns as they were, how the row stands, then every value that is known now.

    An enriched column that has the name of an uploaded one is `enriched_<name>`.
    """
    shown = [_Shown(f"u.{_name(column.key)}", column.key, column.name) for column in uploaded]
    taken = {name.casefold() for column in uploaded for name in (column.key, column.name)}
    values = [n for n in columns if n not in _KEYS and n not in PROGRESS]
    names = [name for value in values for name in (own if value == "other_fields" else [value])]
    status = "case when r.row_number is not null then 'rejected' else coalesce(l.row_status, 'not_launched') end"
    given = {"row_number": _ROW, "row_status": status, "row_reason": "coalesce(r.reason, l.row_reason)"}
    for name in ("row_number", *_STANDING, "item_id", *names):
        free = _free(name, taken)
        taken.add(free.casefold())
        shown.append(_Shown(given.get(name, f"l.{_name(name)}"), free, free))
    return shown


def _free(name: str, taken: set[str]) -> str:
    if name.casefold() not in taken:
        return name
    free, number = f"enriched_{name}", 1
    while free.casefold() in taken:
        number += 1
        free = f"enriched_{name}_{number}"
    return free


def _listed(shown: Sequence[_Shown]) -> str:
    return ", ".join(f"{column.sql} as {_name(column.name)}" for column in shown)


def _name(name: str) -> str:
    """A name as SQL, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
