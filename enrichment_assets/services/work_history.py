"""Questions about careers: who worked at an organisation, with whom, who moved where, whose job changed.

An organisation is what `organisation_aliases` says it is: `Acme, Inc.`, `ACME`, `acme.com`, a LinkedIn address and a
provider's id find the same one. Never by part of a name.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from enrichment_assets.domain.errors import NotFoundError
from enrichment_assets.settings import Settings
from enrichment_assets.warehouse import load_project, open_warehouse


@dataclass(frozen=True, slots=True)
class Found:
    """Rows of an answer, and what the organisation was understood as (id and name; several when ambiguous)."""

    organisations: list[tuple[str, str]]
    columns: list[str]
    rows: list[tuple[Any, ...]]


_HISTORY = """
    select h.client_slug, h.batch_key, h.item_id, h.person_name, h.organisation_name, h.title, h.start_date, h.end_date,
           h.is_current, {certainty} as certainty, h.source_workflow
    from person_work_history as h
    where {place} and {time}
    order by h.start_from desc nulls last, h.person_name, h.item_id, h.ordinal
"""
_COVERS = """
    (h.start_from is null or h.start_from <= $on) and (h.end_to is null or h.end_to >= $on)
    and (h.end_date is not null or h.is_current is distinct from false)"""
_CERTAINLY = "h.start_to <= $on and (h.end_from >= $on or h.is_current)"
_RESOLVED = "(h.client_slug, h.organisation_key) in (select client_slug, alias_key from chosen)"


def worked_at(
    settings: Settings,
    organisation: str,
    *,
    exact: bool = False,
    on: date | None = None,
    before: date | None = None,
    after: date | None = None,
    client: str | None = None,
) -> Found:
    """Everyone who ever worked at an organisation, or did so on, before or after a day.

    `certainty` is `certain` when the given dates leave no doubt, `possible` when a missing or partial date does.

    Args:
        settings: The installation.
        organisation: A name, host, LinkedIn address or provider id; with `exact`, the name to the letter.
        exact: Compare the name as the provider wrote it, without aliases.
        on: They were there on this day.
        before: They were there at some time before this day.
        after: They were there at some time after this day.
        client: Only this client's people.

    Raises:
        NotFoundError: No organisation is known by that name.
    """
    times = ["true"]
    certain = ["true"]
    values: dict[str, Any] = {}
    if on is not None:
        times.append(_COVERS)
        certain.append(_CERTAINLY)
        values["on"] = on
    if before is not None:
        times.append("(h.start_from is null or h.start_from < $before)")
        certain.append("h.start_to < $before")
        values["before"] = before
    if after is not None:
        times.append("(h.end_to is null or h.end_to > $after)")
        certain.append("(h.end_from > $after or h.is_current)")
        values["after"] = after
    certainty = f"case when {' and '.join(certain)} then 'certain' else 'possible' end"
    with _open(settings, client) as connection:
        if exact:
            place = "h.organisation_name = $name"
            chosen: list[tuple[str, str]] = []
            values["name"] = organisation
        else:
            place = _RESOLVED
            chosen = _choose(connection, organisation, "chosen")
        query = _HISTORY.format(place=place, time=" and ".join(times), certainty=certainty)
        return _answer(connection, query, values, chosen)


def together_with(settings: Settings, organisation: str, person: str, *, client: str | None = None) -> Found:
    """Who was at an organisation at the same time as a person (by full name, whatever its case).

    Raises:
        NotFoundError: No organisation is known by that name.
    """
    query = """
        with there as (
            select h.*, coalesce(h.start_from, date '1800-01-01') as low,
                   coalesce(h.end_to, case when h.end_date is null then date '2199-12-31' else h.start_to end) as high
            from person_work_history as h
            where (h.client_slug, h.organisation_key) in (select client_slug, alias_key from chosen)
        )
        select distinct o.client_slug, o.item_id, o.person_name, o.organisation_name, o.title,
               greatest(o.low, p.low) as together_from, nullif(least(o.high, p.high), date '2199-12-31') as together_to
        from there as p
        inner join there as o
            on o.client_slug = p.client_slug and o.item_id <> p.item_id and o.low <= p.high and o.high >= p.low
        where lower(p.person_name) = lower($person)
        order by together_from, o.person_name, o.item_id
    """
    with _open(settings, client) as connection:
        chosen = _choose(connection, organisation, "chosen")
        return _answer(connection, query, {"person": person}, chosen)


def moves(settings: Settings, from_organisation: str, to_organisation: str, *, client: str | None = None) -> Found:
    """Who went from one organisation to another: a job there that began when or after one here had ended (or begun).

    Raises:
        NotFoundError: One of the organisations is not known.
    """
    query = """
        select a.client_slug, a.batch_key, a.item_id, a.person_name, a.organisation_name as from_organisation,
               a.title as from_title, a.end_date as left_at, b.organisation_name as to_organisation,
               b.title as to_title, b.start_date as joined_at
        from person_work_history as a
        inner join person_work_history as b
            on b.client_slug = a.client_slug and b.batch_key = a.batch_key and b.item_id = a.item_id
            and b.source_workflow = a.source_workflow and b.start_from >= coalesce(a.end_from, a.start_from)
        where (a.client_slug, a.organisation_key) in (select client_slug, alias_key from chosen)
            and (b.client_slug, b.organisation_key) in (select client_slug, alias_key from chosen_next)
        qualify row_number() over (partition by b.batch_key, b.item_id, b.source_workflow, b.ordinal
            order by coalesce(a.end_from, a.start_from) desc) = 1
            and row_number() over (partition by a.batch_key, a.item_id, a.source_workflow, a.ordinal
            order by b.start_from) = 1
        order by b.start_from desc, a.person_name
    """
    with _open(settings, client) as connection:
        chosen = _choose(connection, from_organisation, "chosen")
        chosen += _choose(connection, to_organisation, "chosen_next")
        return _answer(connection, query, {}, chosen)


def job_changes(settings: Settings, since: date, *, client: str | None = None) -> Found:
    """Leads who began a job at another organisation on or after a day, with the job they had before."""
    query = """
        with ordered as (
            select h.*,
                   lag(h.organisation_name) over person as old_organisation,
                   lag(h.organisation_key) over person as old_key,
                   lag(h.title) over person as old_title
            from person_work_history as h
            window person as (partition by h.batch_key, h.item_id, h.source_workflow
                order by h.start_from nulls first, h.ordinal desc)
        )
        select client_slug, batch_key, item_id, person_name, old_organisation, old_title, organisation_name, title,
               start_date, is_current
        from ordered
        where start_from >= $since and old_key is distinct from organisation_key and old_key is not null
        order by start_from desc, person_name, item_id
    """
    with _open(settings, client) as connection:
        return _answer(connection, query, {"since": since}, [])


@contextmanager
def _open(settings: Settings, client: str | None) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = open_warehouse(settings, client_slug=client)
    try:
        yield connection
    finally:
        connection.close()


def _choose(connection: duckdb.DuckDBPyConnection, text: str, table: str) -> list[tuple[str, str]]:
    """Fill a temporary table with all aliases of the organisations that the text names; returns these."""
    renderer = load_project().model("organisation_aliases").renderer
    keys = renderer.render(
        "select unnest(['name:' || {{ organisation_name_key('given') }}, 'host:' || {{ host_of('given') }}, "
        "'linkedin:' || {{ linkedin_company('given') }}, given, 'apollo:' || given, 'account:' || given]) as alias_key "
        "from (select cast($text as varchar) as given)"
    )
    connection.execute(
        f"create or replace temp table {table} as "
        "select a.client_slug, a.organisation_id, a.alias_key, a.name from organisation_aliases as a "
        "where (a.client_slug, a.organisation_id) in "
        "(select b.client_slug, b.organisation_id from organisation_aliases as b "
        f"where b.alias_key in (select alias_key from ({keys}) where alias_key is not null))",
        {"text": text},
    )
    found = connection.execute(
        f"select distinct o.organisation_id, coalesce(o.name, o.organisation_id) from {table} as c "
        "join organisations as o on o.client_slug = c.client_slug and o.organisation_id = c.organisation_id order by 2"
    ).fetchall()
    if not found:
        raise NotFoundError(
            f"No organisation is known as `{text}`. Look for it: "
            "enrich query \"select name, organisation_id from organisations where name ilike '%...%'\"."
        )
    return [(str(identity), str(name)) for identity, name in found]


def _answer(
    connection: duckdb.DuckDBPyConnection, query: str, values: dict[str, Any], chosen: list[tuple[str, str]]
) -> Found:
    result = connection.execute(query, values)
    return Found(chosen, [column[0] for column in result.description or []], result.fetchall())
