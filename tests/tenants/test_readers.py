"""A client's reader sees its client's rows of the marts, and nothing else: over all that the catalogue has."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.errors import InsufficientPrivilege

from enrichment_assets.services.catalog.drafts import settle_drafts
from enrichment_assets.store.tables import metadata
from enrichment_assets.store.tables.tenants import tenant_of
from enrichment_assets.store.tenancy.policies import READERS
from enrichment_assets.warehouse import open_warehouse
from tests.harness.handles import hq_of
from tests.tenants.installation import CLIENTS, Installation, as_role, fill_every_table

RELATIONS = """
    select n.nspname, c.relname, c.relkind::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
      and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast') and n.nspname !~ '^pg_(toast_)?temp'
    order by 1, 2
"""
NO_CLIENTS = {"alembic_version"}


def rows(url: str, query: str | sql.Composed, *parameters: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query, parameters).fetchall()  # type: ignore[arg-type]


def relations(url: str) -> list[tuple[str, str, str]]:
    return [(str(a), str(b), str(c)) for a, b, c in rows(url, RELATIONS)]


def refused(url: str, query: str | sql.Composed) -> str:
    """The code of what a statement was refused with."""
    with psycopg.connect(url) as connection, pytest.raises(psycopg.Error) as caught:
        connection.execute(query)  # type: ignore[arg-type]
    return caught.value.sqlstate or ""


def test_a_reader_sees_its_clients_rows_of_every_mart_and_destination_and_nobody_elses(
    installation: Installation,
) -> None:
    found = [name for _, name, kind in relations(installation.workspace) if kind in "rpvm"]
    mine = set(installation.readers["acme"].relations)
    assert {"final_leads", "final_leads_provenance", "person_work_history", "organisations", "found_people"} <= mine
    for name in found:
        query = sql.SQL("select * from {}").format(sql.Identifier(name))
        if name in mine:
            columns = {
                row[0]
                for row in rows(
                    installation.workspace, f"select attname from pg_attribute where attrelid = '{name}'::regclass"
                )
            }
            whose = "client_slug" if "client_slug" in columns else "split_part(batch_key, '-', 1)"
            wanted = rows(installation.workspace, f"select to_jsonb(t) from {name} t where {whose} = 'acme'")
            seen = rows(installation.workspace_as("acme"), f"select to_jsonb(t) from {name} t")
            assert sorted(map(str, seen)) == sorted(map(str, wanted)), name
            others = rows(installation.workspace, f"select count(*) from {name} t where {whose} <> 'acme'")
            assert (len(seen) > 0) == (others[0][0] > 0), name  # each client's list is like the other's
        elif name == READERS:
            ((role,),) = rows(installation.workspace_as("acme"), f"select role_name from {READERS}")
            assert role == installation.readers["acme"].reader.role
        else:
            assert refused(installation.workspace_as("acme"), query) == InsufficientPrivilege.sqlstate, name


def test_a_workflow_that_is_written_by_sql_needs_no_superuser(installation: Installation) -> None:
    hq, settings = hq_of(installation.settings), installation.settings
    insert = "insert into homepage.db_driven_enrichment_workflows (workflow_slug, provider) values ('mine', 'clay')"
    with psycopg.connect(settings.hq_database_url or "") as connection:
        connection.execute(insert)
    assert [(one.workflow, one.refused) for one in settle_drafts(hq, settings)] == [("mine", None)]
    ((actor,),) = rows(installation.hq, "select actor from operator_actions where action = 'workflow.save'")
    assert actor == f"sql:{installation.owner}"
    assert refused(installation.hq_as("acme"), insert.replace("mine", "theirs")) == InsufficientPrivilege.sqlstate


def test_a_reader_can_be_let_at_every_table_of_hq_and_still_sees_its_client_alone(installation: Installation) -> None:
    """What somebody grants by mistake shows no row of another client, and nothing of what is no client's."""
    counts = fill_every_table(installation.hq)
    acme, _ = (
        row[0] for row in rows(installation.hq, "select id from clients where slug = any(%s) order by slug", [*CLIENTS])
    )
    role = sql.Identifier(installation.readers["acme"].reader.role)
    url = installation.hq_as("acme")
    for schema, name, _ in relations(installation.hq):
        if name != READERS:
            assert refused(url, sql.SQL("select * from {}").format(sql.Identifier(schema, name))) == "42501", name
    with psycopg.connect(installation.hq, autocommit=True) as connection:
        connection.execute(sql.SQL("grant usage on schema public, dagster to {}").format(role))
        connection.execute(
            sql.SQL("grant select, insert, update, delete, references on all tables in schema public to {}").format(
                role
            )
        )
    try:
        for name, table in metadata.tables.items():
            tenant = tenant_of(table)
            seen = rows(url, sql.SQL("select count(*) from {}").format(sql.Identifier(name)))[0][0]
            if name in ("clients", READERS):
                assert seen == 1, name
            elif tenant is None or tenant.column is None:
                assert seen == 0, name
            else:
                assert 0 < seen == counts[name][acme], name
                assert all(count > 0 for count in counts[name].values()), name
            _writes_nothing(url, name)
    finally:
        with psycopg.connect(installation.hq, autocommit=True) as connection:
            connection.execute(sql.SQL("revoke all on all tables in schema public from {}").format(role))
            connection.execute(sql.SQL("revoke all on schema public, dagster from {}").format(role))
            connection.execute(sql.SQL("grant select on {} to {}").format(sql.Identifier(READERS), role))


def _writes_nothing(url: str, name: str) -> None:
    """Where all but TRUNCATE was granted: no policy lets a reader write, and it learns of no key that is taken."""
    table = sql.Identifier(name)
    attributes = (
        "select attname from pg_attribute "
        "where attrelid = %s::regclass and attnum > 0 and not attisdropped and attidentity = ''"
    )
    columns = [sql.Identifier(str(column)) for (column,) in rows(url, attributes, name)]
    for statement in (
        sql.SQL("delete from {}").format(table),
        sql.SQL("update {0} set {1} = {1}").format(table, columns[-1]),
        sql.SQL("insert into {0} ({1}) select {1} from {0} limit 1").format(table, sql.SQL(", ").join(columns)),
        sql.SQL("insert into {0} default values").format(table),
    ):
        with psycopg.connect(url) as connection:
            connection.execute("set transaction read write")
            try:
                assert connection.execute(statement).rowcount == 0, name
            except psycopg.Error as error:  # by a policy or a trigger, or a value is missing: never "is there"
                assert error.sqlstate in ("42501", "23502"), name


def test_a_reader_can_do_nothing_but_read(installation: Installation) -> None:
    url, me = installation.workspace_as("acme"), installation.readers["acme"].reader.role
    other = installation.readers["globex"].reader.role
    for statement in (
        "insert into final_leads (client_slug) values ('acme')",
        "update final_leads set email = 'x'",
        "delete from final_leads",
        "truncate final_leads",
        "copy final_leads from stdin",
        "copy final_leads to '/tmp/leads'",
        "copy final_leads from program 'id'",
        "create table public.mine (x int)",
        "create function public.f() returns int language sql as 'select 1'",
        "alter table final_leads disable row level security",
        "drop policy enrich_reads on final_leads",
        "create policy mine on final_leads using (true)",
        "set row_security = off; select * from final_leads",
        f"set role {other}",
        f"set role {installation.owner}",
        f"set session authorization {other}",
        f"insert into {READERS} (role_name, role_oid, client_id, client_slug) select 'x', '{me}'::regrole, 2, 'globex'",
        f"update {READERS} set client_slug = 'globex'",
        "create role another",
        "alter role current_user bypassrls",
        "select pg_read_file('/etc/hostname')",
        "select lo_import('/etc/hostname')",
        "create extension dblink",
        "create server s foreign data wrapper postgres_fdw",
        "select * from pg_authid",
        "select * from pg_statistic",
    ):
        begun = f"set default_transaction_read_only = off; {statement}"
        with psycopg.connect(url, autocommit=True) as connection, pytest.raises(psycopg.Error):
            connection.execute("set default_transaction_read_only = off")
            connection.execute(begun)  # type: ignore[arg-type]


def test_a_condition_with_a_side_channel_is_asked_of_the_readers_own_rows_only(installation: Installation) -> None:
    """A function that tells what it was given sees no row that the policy keeps back: nor do COPY, a cursor, a join."""
    heard: list[str] = []
    with psycopg.connect(installation.workspace_as("acme"), autocommit=True) as connection:
        connection.execute("set default_transaction_read_only = off")
        connection.add_notice_handler(lambda said: heard.append(said.message_primary or ""))
        connection.execute(
            "create function pg_temp.tell(text) returns boolean cost 0.0000001 language plpgsql as "
            "$$ begin raise notice '%', $1; return true; end $$"
        )
        connection.execute("select count(*) from final_leads where pg_temp.tell(client_slug || ' ' || batch_key)")
        connection.execute("select count(*) from found_people p join final_leads l on pg_temp.tell(p.client_slug)")
        with connection.cursor().copy("copy final_leads (client_slug) to stdout") as copied:
            heard += [bytes(line).decode().strip() for line in copied]
        with pytest.raises(psycopg.Error):  # division by zero would name nobody; an error shows no other's value
            connection.execute("select 1 / (case when client_slug = 'acme' then 0 else 1 end) from final_leads")
        rows_of_others = "select 1 / (case when client_slug = 'globex' then 0 else 1 end) from final_leads"
        connection.execute(rows_of_others)
    assert heard
    assert all(said.startswith("acme") for said in heard)


def test_statistics_and_other_sessions_tell_a_reader_nothing(installation: Installation) -> None:
    with psycopg.connect(installation.workspace, autocommit=True) as connection:
        connection.execute("analyze")
        assert connection.execute("select count(*) from pg_stats where tablename = 'final_leads'").fetchone() != (0,)
    protected = "select tablename, attname from pg_stats where schemaname not in ('pg_catalog', 'information_schema')"
    assert rows(installation.workspace_as("acme"), protected) == []
    with psycopg.connect(installation.workspace_as("globex")) as other:
        other.execute("select 'a secret of globex'")
        shown = rows(
            installation.workspace_as("acme"), "select query from pg_stat_activity where usename <> current_user"
        )
    assert shown
    assert not any("globex" in str(query) for (query,) in shown)


def test_nothing_is_open_to_everybody(installation: Installation) -> None:
    """No function of ours, no table, schema, large object or foreign server, nor by default what is made later."""
    role = installation.readers["acme"].reader.role
    for url in (installation.hq, installation.workspace):
        with psycopg.connect(url, autocommit=True) as connection:
            big = connection.execute("select lo_from_bytea(0, 'a row of globex')").fetchone()
        assert big is not None
        assert refused(as_role(url, role), f"select lo_get({big[0]})") == "42501"
        found = rows(
            url,
            """
            select 'function', p.oid::regprocedure::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace
            where (n.nspname not in ('pg_catalog', 'information_schema') and p.prorettype <> 'trigger'::regtype
                   or p.prosecdef)
              and has_function_privilege(%s, p.oid, 'execute')
            union all select 'relation', c.oid::regclass::text from pg_class c, aclexplode(c.relacl) a
            join pg_namespace n on true where n.oid = c.relnamespace and a.grantee = 0
              and n.nspname not in ('pg_catalog', 'information_schema')
            union all select 'schema', n.nspname from pg_namespace n
            where has_schema_privilege(%s, n.oid, 'create')
               or n.nspname not in ('public', 'pg_catalog', 'information_schema')
                  and has_schema_privilege(%s, n.oid, 'usage')
            union all select 'default', d.defaclobjtype::text from pg_default_acl d, aclexplode(d.defaclacl) a
            where a.grantee = 0
            union all select 'foreign', s.srvname from pg_foreign_server s
            union all select 'sequence', c.oid::regclass::text from pg_class c
            where case when c.relkind = 'S' then has_sequence_privilege(%s, c.oid, 'usage, select, update') end
            union all select 'big', o.oid::text from pg_largeobject_metadata o, aclexplode(o.lomacl) a
            where a.grantee = 0
            """,
            *[role] * 4,
        )
        assert found == []


def test_the_platforms_own_role_has_the_plans_of_one_that_is_never_asked(installation: Installation) -> None:
    """In every table of both databases: no filter, no sub-plan; and what it published is what the warehouse has."""
    for plain, superuser in (
        (installation.settings.hq_database_url, installation.hq),
        (installation.settings.workspace_database_url, installation.workspace),
    ):
        protected = rows(superuser, "select relname from pg_class where relforcerowsecurity order by 1")
        assert len(protected) > 8
        for (name,) in protected:
            for statement in ("select * from {}", "delete from {}", "select count(*) from {} a join {} b on true"):
                explained = sql.SQL("explain " + statement).format(*[sql.Identifier(name)] * 2)
                plan = rows(plain or "", explained)
                assert plan == rows(superuser, explained), name
                assert "Filter" not in repr(plan) and "Plan 1" not in repr(plan), name
    with open_warehouse(installation.settings) as warehouse:
        for name in ("final_leads", "final_leads_provenance", "person_work_history", "organisations"):
            counted = f"select client_slug, count(*) from {name} group by 1 order by 1"
            assert warehouse.execute(counted).fetchall() == rows(installation.workspace, counted), name
