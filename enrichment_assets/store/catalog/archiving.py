"""Archiving and removing: what stands in the way, and the statements. `services.catalog.archiving` says when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from psycopg import sql

from enrichment_assets.store.database import Connection
from enrichment_assets.store.states.transitions import forget

Row = dict[str, Any]
Kind = Literal["client", "upload", "workflow", "pipeline", "batch"]

_TABLES: Mapping[Kind, tuple[str, str]] = {
    "client": ("clients", "archived_at"),
    "upload": ("uploads", "archived_at"),
    "workflow": ("enrichment_registry", "archived_at"),
    "pipeline": ("enrichment_pipelines", "archived_at"),
    "batch": ("batches", "retired_at"),
}

_FIND: Mapping[Kind, str] = {
    "client": """
        select id, slug as name, slug as client, id as client_id, archived_at as put_away_at from clients
        where slug = %(name)s""",
    "upload": """
        select u.id, u.id::text as name, c.slug as client, u.client_id, u.archived_at as put_away_at, u.sha256,
               u.filename
        from uploads u join clients c on c.id = u.client_id where u.id::text = %(name)s""",
    "workflow": """
        select id, workflow_slug as name, null as client, null as client_id, archived_at as put_away_at,
               builtin_version is not null as builtin
        from enrichment_registry where workflow_slug = %(name)s""",
    "pipeline": """
        select p.id, p.slug as name, c.slug as client, p.client_id, p.archived_at as put_away_at, p.definition
        from enrichment_pipelines p left join clients c on c.id = p.client_id
        where p.slug = %(name)s and c.slug is not distinct from %(client)s""",
    "batch": """
        select b.id, b.batch_key as name, c.slug as client, b.client_id, b.retired_at as put_away_at
        from batches b join clients c on c.id = b.client_id
        where b.batch_key = %(name)s""",
}

_OPEN = "b.finished_at is null and b.given_up_at is null and b.retired_at is null"
_HAS_STEP = "jsonb_path_exists(b.blueprint, '$.steps[*].workflow.slug ? (@ == $slug)', jsonb_build_object('slug', {}))"
_NAMES_STEP = "jsonb_path_exists(p.definition, '$.steps[*].** ? (@ == $slug)', jsonb_build_object('slug', {}))"
_OF_WORKFLOW = "(select workflow_slug from enrichment_registry where id = %(id)s)"

_IN_THE_WAY: Mapping[tuple[str, Kind], Mapping[str, str]] = {
    ("archive", "client"): {
        "open batches": f"select batch_key as name from batches b where client_id = %(id)s and {_OPEN}"
    },
    ("archive", "upload"): {
        "open batches": f"select batch_key as name from batches b where upload_id = %(id)s and {_OPEN}"
    },
    ("archive", "workflow"): {
        "pipelines": "select p.slug as name from enrichment_pipelines p "
        f"where p.archived_at is null and {_NAMES_STEP.format(_OF_WORKFLOW)}",
        "open batches": f"select batch_key as name from batches b where {_OPEN} and {_HAS_STEP.format(_OF_WORKFLOW)}",
    },
    ("archive", "pipeline"): {},
    ("archive", "batch"): {"open steps": f"select 'not finished' as name from batches b where id = %(id)s and {_OPEN}"},
    ("remove", "client"): {
        "batches": "select batch_key as name from batches where client_id = %(id)s",
        "uploads": "select id::text as name from uploads where client_id = %(id)s",
        "pipelines": "select slug as name from enrichment_pipelines where client_id = %(id)s",
        "calls in the ledger": "select call_key as name from provider_calls where client_id = %(id)s limit 1",
        "sources": "select name from sources where client_id = %(id)s",
        "a reader role": "select role_name as name from enrich_readers where client_id = %(id)s",
        "connections by which events come": "select name from event_sources where client_id = %(id)s",
        "figures that are fetched": "select pull as name from pulls where client_id = %(id)s",
    },
    ("remove", "upload"): {"batches": "select batch_key as name from batches where upload_id = %(id)s"},
    ("remove", "workflow"): {
        "pipelines": f"select p.slug as name from enrichment_pipelines p where {_NAMES_STEP.format(_OF_WORKFLOW)}",
        "batches": f"select batch_key as name from batches b where {_HAS_STEP.format(_OF_WORKFLOW)}",
    },
    ("remove", "pipeline"): {},
    ("remove", "batch"): {
        "calls in the ledger, which is kept": "select workflow_slug as name from provider_calls "
        "where batch_id = %(id)s group by workflow_slug",
        "a run under way": "select label as name from runners where batch_id = %(id)s and ended_at is null "
        "and expires_at > clock_timestamp()",
    },
}
"""(what is asked, kind) -> what may stand in the way -> the query that names it."""

_DELETE: Mapping[Kind, tuple[str, ...]] = {
    "client": (
        "delete from client_workflow_configs where client_id = %(id)s",
        "delete from client_profiles where client_id = %(id)s",
        "delete from budgets where client_id = %(id)s",
        "delete from suppressions where client_id = %(id)s",
        "delete from alert_notices where incident_id in (select i.id from alert_incidents i join alert_rules r "
        "on r.id = i.rule_id where r.client_id = %(id)s)",
        "delete from alert_incidents where rule_id in (select id from alert_rules where client_id = %(id)s)",
        "delete from alert_rules where client_id = %(id)s",
        "delete from mail_messages where client_id = %(id)s",
        "delete from mail_domain_checks where client_id = %(id)s",
        "delete from mailboxes where client_id = %(id)s",
        "delete from outgoing_webhooks where client_id = %(id)s",
        "delete from outgoing_events where client_id = %(id)s",
        "delete from outgoing_leads where client_id = %(id)s",
        "delete from pulled_pages where client_id = %(id)s",
        "delete from pull_syncs where client_id = %(id)s",
        "delete from outreach_campaigns where client_id = %(id)s",
        "delete from search_proposals where client_id = %(id)s",
        "delete from gate_rules where client_id = %(id)s",
        "delete from gate_entries where client_id = %(id)s",
        "delete from contact_consents where client_id = %(id)s",
        "delete from deliveries where client_id = %(id)s",
        "delete from delivery_identities where client_id = %(id)s",
        "delete from delivery_stops where client_id = %(id)s",
        "delete from delivery_events where client_id = %(id)s",
        "delete from event_inbox where client_id = %(id)s",
        "delete from user_roles where client_id = %(id)s",
        "delete from api_keys where client_id = %(id)s",
        "delete from clients where id = %(id)s",
    ),
    "upload": (
        *(
            f"delete from {table} where upload_id = %(id)s"
            for table in ("upload_rejections", "upload_rows", "upload_parts")
        ),
        "delete from uploads where id = %(id)s",
    ),
    "workflow": (
        f"delete from client_workflow_configs where workflow_slug = {_OF_WORKFLOW}",
        "delete from enrichment_registry where id = %(id)s",
    ),
    "pipeline": ("delete from enrichment_pipelines where id = %(id)s",),
    "batch": (
        *(
            f"delete from {table} where batch_id = %(id)s"
            for table in (
                "item_edits",
                "item_families",
                "draft_standings",
                "planned_deliveries",
                "batch_deliveries",
                "gate_passes",
                "gate_contacts",
                "known_identities",
                "known_batches",
                "item_leases",
                "runners",
                "budgets",
                "outgoing_events",
                "outgoing_leads",
                "source_rows",
                "mail_messages",
                "batch_items",
            )
        ),
        "delete from batches where id = %(id)s",
    ),
}


def find(connection: Connection, kind: Kind, name: str, client: str | None) -> Row | None:
    """The thing of that name (of a client, for a pipeline), locked until the transaction ends.

    `put_away_at` says since when it is archived; null: it is not.
    """
    lock = " for update of {}".format({"client": "clients", "workflow": "enrichment_registry"}.get(kind, kind[0]))
    return connection.execute(_FIND[kind] + lock, {"name": name, "client": client}).fetchone()


def in_the_way(connection: Connection, change: str, kind: Kind, identity: int) -> dict[str, list[str]]:
    """What depends on it: kind of thing -> names; nothing where it may be archived or removed (`change`)."""
    found = {
        what: sorted(str(row["name"]) for row in connection.execute(query, {"id": identity}).fetchall())
        for what, query in _IN_THE_WAY[(change, kind)].items()
    }
    return {what: names for what, names in found.items() if names}


def set_archived(connection: Connection, kind: Kind, identity: int, *, archived: bool) -> None:
    """Archive it now (what is archived stays so since then), or bring it back."""
    table, column = _TABLES[kind]
    value = "coalesce({column}, now())" if archived else "null"
    connection.execute(
        sql.SQL("update {table} set {column} = " + value + " where id = %s").format(
            table=sql.Identifier(table), column=sql.Identifier(column)
        ),
        (identity,),
    )


def archived(connection: Connection) -> list[Row]:
    """Everything that is archived: kind, name, client, since; the latest first."""
    return connection.execute(
        """
        select * from (
          select 'client' as kind, slug as name, slug as client, archived_at as since from clients
          union all
          select 'upload', u.id::text, c.slug, u.archived_at from uploads u join clients c on c.id = u.client_id
          union all
          select 'workflow', workflow_slug, null, archived_at from enrichment_registry
          union all
          select 'pipeline', p.slug, c.slug, p.archived_at from enrichment_pipelines p
          left join clients c on c.id = p.client_id
          union all
          select 'batch', b.batch_key, c.slug, b.retired_at from batches b join clients c on c.id = b.client_id
        ) a where since is not null order by since desc, kind, name
        """
    ).fetchall()


def steps_of_batches(connection: Connection) -> set[str]:
    """Slugs of the workflows that a batch has which is not archived."""
    rows = connection.execute(
        """
        select distinct s -> 'workflow' ->> 'slug' as slug
        from batches b, jsonb_array_elements(b.blueprint -> 'steps') s
        where b.retired_at is null
        """
    ).fetchall()
    return {row["slug"] for row in rows}


def delete(connection: Connection, kind: Kind, identity: int) -> None:
    """Delete it with what is part of it. Nothing that was billed is: `in_the_way` comes first."""
    if kind == "batch":
        forget(connection, identity)
    for statement in _DELETE[kind]:
        connection.execute(statement, {"id": identity})


def other_uploads_of(connection: Connection, client: str, sha256: str) -> int:
    """How many uploads of the client have these bytes."""
    row = connection.execute(
        "select count(*) as n from uploads u join clients c on c.id = u.client_id where c.slug = %s and u.sha256 = %s",
        (client, sha256),
    ).fetchone()
    return 0 if row is None else int(row["n"])


def archived_and_done(connection: Connection, batch_keys: list[str]) -> list[str]:
    """Those of the batches that are archived or gone, and wait for nothing: their partitions can go."""
    rows = connection.execute(
        """
        select k.batch_key from unnest(%s::text[]) as k(batch_key) left join batches b on b.batch_key = k.batch_key
        where b.id is not null and b.retired_at is not null and b.finished_at is not null order by 1
        """,
        (batch_keys,),
    ).fetchall()
    return [row["batch_key"] for row in rows]
