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

from enrichment_assets.domain.companies import own_host
from enrichment_assets.domain.company_names import company_name_key
from enrichment_assets.domain.errors import NotFoundError
from enrichment_assets.domain.hints import Action, Hint
from enrichment_assets.domain.linkedin import linkedin_company, linkedin_slug
from enrichment_assets.services.catalog.known_clients import check_client
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq
from enrichment_assets.warehouse import open_warehouse


@dataclass(frozen=True, slots=True)
class Found:
    """Rows of an answer, and what the organisation was understood as (id and name; several when ambiguous)."""

    organisations: list[tuple[str, str]]
    columns: list[str]
    rows: list[tuple[Any, ...]]


_JOBS = """
    (select *,
            coalesce(start_from, date '1000-01-01') as begins_from,
            coalesce(start_to, end_to, case when is_current is not null then cast(fetched_at as date) end,
                date '2199-12-31') as begins_to,
            coalesce(end_from, case when is_current then date '2199-12-31' else start_from end, date '1000-01-01')
                as ends_from,
            coalesce(end_to, case when is_current is false then cast(fetched_at as date) end, date '2199-12-31')
                as ends_to
     from person_work_history
     where (batch_key, item_id) in (select batch_key, item_id from leads))"""
"""Every job with the first and last day on which it can have begun and ended; of a row that went through several
batches, once. What is not known bounds nothing; a job
that goes on ends in no year that anyone asks for, one that is said to be over ended before the provider said so."""

_HISTORY = f"""
    select h.client_slug, h.batch_key, h.item_id, h.person_name, h.organisation_name, h.title, h.start_date, h.end_date,
           h.is_current, {{certainty}} as certainty, h.source_workflow
    from {_JOBS} as h
    where {{place}} and {{time}}
    order by h.start_from desc nulls last, h.person_name, h.item_id, h.ordinal
"""
_RESOLVED = "(h.client_slug, h.organisation_key) in (select client_slug, alias_key from chosen)"


def worked_at(
    hq: Hq,
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
        hq: The databases.
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
        times.append("h.begins_from <= $on and h.ends_to >= $on")
        certain.append("h.begins_to <= $on and h.ends_from >= $on")
        values["on"] = on
    if before is not None:
        times.append("h.begins_from < $before")
        certain.append("h.begins_to < $before")
        values["before"] = before
    if after is not None:
        times.append("h.ends_to > $after")
        certain.append("h.ends_from > $after")
        values["after"] = after
    certainty = f"case when {' and '.join(certain)} then 'certain' else 'possible' end"
    with _open(hq, settings, client) as connection:
        if exact:
            place = "h.organisation_name = $name"
            chosen: list[tuple[str, str]] = []
            values["name"] = organisation
        else:
            place = _RESOLVED
            chosen = _choose(connection, organisation, "chosen")
        query = _HISTORY.format(place=place, time=" and ".join(times), certainty=certainty)
        return _answer(connection, query, values, chosen)


def together_with(hq: Hq, settings: Settings, organisation: str, person: str, *, client: str | None = None) -> Found:
    """Who was at an organisation at the same time as a person (by full name, whatever its case).

    `together_from` and `together_to` bound the time that they can have shared; an empty `together_to` is no end that is
    known. `certainty` is `certain` when they did share some of it, whichever days the dates mean.

    Raises:
        NotFoundError: No organisation is known by that name.
    """
    query = f"""
        with there as (
            select h.* from {_JOBS} as h
            where (h.client_slug, h.organisation_key) in (select client_slug, alias_key from chosen)
        )
        select o.client_slug, o.item_id, o.person_name, o.organisation_name, o.title,
               nullif(greatest(o.begins_from, p.begins_from), date '1000-01-01') as together_from,
               nullif(least(o.ends_to, p.ends_to), date '2199-12-31') as together_to,
               case when bool_or(greatest(o.begins_to, p.begins_to) <= least(o.ends_from, p.ends_from))
                   then 'certain' else 'possible' end as certainty
        from there as p
        inner join there as o
            on o.client_slug = p.client_slug and o.item_id <> p.item_id
            and o.begins_from <= p.ends_to and o.ends_to >= p.begins_from
        where lower(p.person_name) = lower($person)
        group by all
        order by together_from nulls first, o.person_name, o.item_id, together_to, o.title
    """
    with _open(hq, settings, client) as connection:
        chosen = _choose(connection, organisation, "chosen")
        return _answer(connection, query, {"person": person}, chosen)


def moves(
    hq: Hq, settings: Settings, from_organisation: str, to_organisation: str, *, client: str | None = None
) -> Found:
    """Who went from one organisation to another: a job there that can have begun when or after one here had ended.

    A job that goes on has not ended. Of one whose end nobody knows, the start stands for it. `certainty` is `certain`
    when the dates leave no doubt, `possible` when a missing or partial date does.

    Raises:
        NotFoundError: One of the organisations is not known.
    """
    query = f"""
        select a.client_slug, a.batch_key, a.item_id, a.person_name, a.organisation_name as from_organisation,
               a.title as from_title, a.end_date as left_at, b.organisation_name as to_organisation,
               b.title as to_title, b.start_date as joined_at,
               case when b.begins_from >= a.ends_to then 'certain' else 'possible' end as certainty
        from {_JOBS} as a
        inner join {_JOBS} as b
            on b.client_slug = a.client_slug and b.batch_key = a.batch_key and b.item_id = a.item_id
            and b.source_workflow = a.source_workflow and b.begins_to >= a.ends_from
        where (a.client_slug, a.organisation_key) in (select client_slug, alias_key from chosen)
            and (b.client_slug, b.organisation_key) in (select client_slug, alias_key from chosen_next)
            and a.is_current is not true
            and (coalesce(a.start_from, a.end_from) is not null and b.start_from is not null
                or a.is_current is false and b.is_current)
        qualify row_number() over (partition by b.batch_key, b.item_id, b.source_workflow, b.ordinal
            order by a.ends_from desc, a.ordinal) = 1
            and row_number() over (partition by a.batch_key, a.item_id, a.source_workflow, a.ordinal
            order by b.begins_from, b.ordinal desc) = 1
        order by b.start_from desc nulls last, a.person_name, a.item_id, a.ordinal
    """
    with _open(hq, settings, client) as connection:
        chosen = _choose(connection, from_organisation, "chosen")
        chosen += _choose(connection, to_organisation, "chosen_next")
        return _answer(connection, query, {}, chosen)


def job_changes(hq: Hq, settings: Settings, since: date, *, client: str | None = None) -> Found:
    """Leads who began a job at another organisation on or after a day, with the job they had before.

    `certainty` is `possible` where the start is a month or a year of which only a part is on or after that day, or the
    job before has no start that can be read.
    """
    query = f"""
        with ordered as (
            select h.*,
                   lag(h.organisation_name) over person as old_organisation,
                   lag(h.organisation_key) over person as old_key,
                   lag(h.title) over person as old_title,
                   lag(h.start_from) over person as old_start
            from {_JOBS} as h
            window person as (partition by h.batch_key, h.item_id, h.source_workflow
                order by h.start_from nulls first, h.start_to, h.ordinal desc)
        )
        select client_slug, batch_key, item_id, person_name, old_organisation, old_title, organisation_name, title,
               start_date, is_current,
               case when start_from >= $since and old_start is not null then 'certain' else 'possible' end as certainty
        from ordered
        where start_to >= $since and old_key is distinct from organisation_key and old_key is not null
        order by start_from desc, person_name, item_id, ordinal
    """
    with _open(hq, settings, client) as connection:
        return _answer(connection, query, {"since": since}, [])


@contextmanager
def _open(hq: Hq, settings: Settings, client: str | None) -> Iterator[duckdb.DuckDBPyConnection]:
    check_client(hq, settings, client)
    connection = open_warehouse(settings, client_slug=client)
    try:
        yield connection
    finally:
        connection.close()


def _choose(connection: duckdb.DuckDBPyConnection, text: str, table: str) -> list[tuple[str, str]]:
    """Fill a temporary table with all aliases of the organisations that the text names; returns these."""
    keys = {
        "name": company_name_key(text),
        "host": own_host(text, text),
        "linkedin": linkedin_slug(linkedin_company(text)),
    }
    connection.execute(
        f"create or replace temp table {table} as "
        "select a.client_slug, a.organisation_id, a.alias_key, a.name from organisation_aliases as a "
        "where (a.client_slug, a.organisation_id) in "
        "(select b.client_slug, b.organisation_id from organisation_aliases as b "
        "where list_contains($keys, b.alias_key) or b.alias_key = $text "
        "or (b.alias_kind in ('provider_id', 'account') and ends_with(b.alias_key, ':' || $text)))",
        {"text": text.strip(), "keys": [f"{kind}:{key}" for kind, key in keys.items() if key]},
    )
    found = connection.execute(
        f"select distinct o.organisation_id, coalesce(o.name, o.organisation_id) from {table} as c "
        "join organisations as o on o.client_slug = c.client_slug and o.organisation_id = c.organisation_id order by 2"
    ).fetchall()
    if not found and connection.execute("select 1 from organisations limit 1").fetchone() is None:
        raise NotFoundError(
            "No organisation is known at all: the table `organisations` is not built yet, or no batch has been "
            "extracted",
            Hint(Action.BUILD_ANALYTICS),
            code="organisation.none_known",
        )
    if not found:
        raise NotFoundError(
            f"No organisation is known as `{text}`", Hint(Action.SEARCH_ORGANISATIONS), code="organisation.not_found"
        )
    return [(str(identity), str(name)) for identity, name in found]


def _answer(
    connection: duckdb.DuckDBPyConnection, query: str, values: dict[str, Any], chosen: list[tuple[str, str]]
) -> Found:
    result = connection.execute(query, values)
    return Found(chosen, [column[0] for column in result.description or []], result.fetchall())
