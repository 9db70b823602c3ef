"""`enrich query --client acme` reads acme's rows and no others, whatever the SQL says."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from enrichment_assets.cli import build_app
from enrichment_assets.domain.errors import EnrichError
from enrichment_assets.services.insight import queries
from enrichment_assets.warehouse import open_warehouse
from tests.harness.handles import hq_of
from tests.tenants.installation import Installation

MARKER = "planted by globex"
"""Stands in files of every kind in the other client's folder."""

ENDINGS = ("csv", "json", "txt", "parquet", "duckdb")


def asked(installation: Installation, sql: str) -> str:
    """What the question is answered with, as text; what refuses it, where it is refused."""
    try:
        with queries.ask(hq_of(installation.settings), installation.settings, sql, client="acme") as answer:
            return repr([answer.columns, *answer.rows()])
    except EnrichError as error:
        return f"refused: {error}"


@pytest.fixture(scope="module")
def planted(installation: Installation) -> Path:
    """A folder of the other client's part of the warehouse, with a file of each kind that says the marker."""
    folder = installation.settings.warehouse_dir / "models" / "final_leads" / "client_slug=globex"
    for ending in ENDINGS[:3]:
        text = f'[{{"said": "{MARKER}"}}]\n' if ending == "json" else f"said\n{MARKER}\n"
        (folder / f"planted.{ending}").write_text(text)
    with duckdb.connect(folder / "planted.duckdb") as connection:
        connection.execute(f"create table planted as select '{MARKER}' as said")
        connection.execute(f"copy planted to '{folder / 'planted.parquet'}' (format parquet)")
    return folder


def spellings(folder: Path, mine: Path) -> list[str]:
    """Ways to write the path of a file in a folder that is not ours."""
    name = folder.name
    return [
        str(folder / "planted"),
        f"{mine}/../{name}/planted",
        f"{mine}/./../{name}/planted",
        f"{mine}//..//{name}//planted",
        f"{folder.parent}/client_slug=*/planted",
        f"{folder.parent}/client_slug=[fgh]lobex/planted",
        f"{folder.parent}/*/planted",
        f"{folder.parent.parent}/**/planted",
        f"/proc/self/root{folder}/planted",
        f"/proc/self/cwd{'/..' * 12}{folder}/planted",
        f"file://{folder}/planted",
        f"file:{folder}/planted",
        os.path.relpath(folder / "planted"),
        f"{mine.parent}/client_slug=acme*/../{name}/planted",
        f"{mine}x/../{name}/planted",
        f"{folder.parent}/client_slug%3Dglobex/planted",
    ]


def test_no_spelling_of_a_path_and_no_function_reads_a_file_of_another_client(
    installation: Installation, planted: Path
) -> None:
    """Over every table function that DuckDB has and takes a text, and every kind of file."""
    tries = tries_at(planted)
    with open_warehouse(installation.settings, client_slug="acme", locked=True) as connection:
        assert [sql for sql in tries if finds(connection, sql)] == []
    with open_warehouse(installation.settings, client_slug="acme") as connection:
        found = {sql for sql in tries[::7] if finds(connection, sql)}
    assert len(found) > 100, "what finds nothing without the lock is no try"


def tries_at(planted: Path) -> list[str]:
    """Statements that try to read, attach or overwrite the planted files."""
    with duckdb.connect() as connection:
        functions = connection.execute(
            "select distinct function_name from duckdb_functions() where function_type in ('table', 'table_macro') "
            "and parameter_types[1] in ('VARCHAR', 'ANY') and not contains(function_name, 'able_') order by 1"
        ).fetchall()
    assert len(functions) > 20
    tries = []
    stems = spellings(planted, planted.with_name("client_slug=acme"))
    for path in (f"{stem}.{ending}" for stem in stems for ending in ENDINGS):
        tries += [f"select * from {function}('{path}')" for (function,) in functions]
        tries += [f"select * from {function}(['{path}'])" for (function,) in functions]
        tries += [f"select * from '{path}'", f"create or replace temp table mine as from '{path}'; from mine"]
        tries += [f"attach or replace '{path}' as other (read_only); select * from other.planted"]
    return tries


def finds(connection: duckdb.DuckDBPyConnection, sql: str) -> bool:
    """Whether a statement shows what is planted, in its rows or in its error."""
    try:
        found = repr(connection.execute(sql).fetchmany(100))
    except duckdb.Error as error:
        found = str(error)
    return MARKER in found


@pytest.mark.parametrize(
    "sql",
    [
        "set enable_external_access = true; select 1",
        "reset enable_external_access",
        "set allowed_directories = ['/']",
        "set global lock_configuration = false",
        "pragma enable_external_access",
        "attach ':memory:' as other",
        "load httpfs",
        "install postgres",
        "create persistent secret s (type s3, key_id 'a', secret 'b')",
        "export database '/tmp/out'",
        "import database '/tmp/out'",
        "call pragma_version()",
        "insert into final_leads select * from final_leads",
        "update organisations set name = 'x'",
        "delete from organisations",
        "drop table organisations",
        "explain analyze copy (select 1) to '/tmp/x.csv'",
        "prepare p as copy (select 1) to '/tmp/x.csv'",
        "vacuum",
        "checkpoint",
        "use hq",
        "select * from enable_logging(storage = 'file', storage_path = '{mine}')",
        "select * from enable_profiling(format = 'json', save_location = '{mine}/x.json')",
        "select * from \"Enable_Profiling\"(format = 'json')",
        "with a as (select * from enable_logging()) select 1",
        "create table t as select * from system.main.enable_logging()",
        "create macro m() as table select * from enable_logging(); select * from m()",
        "select * from query('select * from enable' || '_logging()')",
        "select * from query/**/('select 1')",
        "select * from query -- (\n('select 1')",
        "select * from \"query\" ('select 1')",
        "select * from json_execute_serialized_sql(json_serialize_sql('select 1'))",
    ],
)
def test_what_is_no_question_is_refused_and_writes_nothing(installation: Installation, sql: str) -> None:
    mine = installation.settings.warehouse_dir / "models" / "final_leads" / "client_slug=acme"
    before = sorted(mine.iterdir())
    assert asked(installation, sql.replace("{mine}", str(mine))).startswith("refused: ")
    assert sorted(mine.iterdir()) == before


def test_a_column_that_is_called_query_can_be_asked_for(installation: Installation) -> None:
    assert asked(installation, 'select query, count("query") from (select 5 as query) group by query') == (
        "[['query', 'count(query)'], (5, 1)]"
    )


def test_even_without_that_check_nothing_can_be_written_beside_the_clients_files(installation: Installation) -> None:
    folder = installation.settings.warehouse_dir / "models" / "final_leads" / "client_slug=acme"
    before = sorted(folder.iterdir())
    with open_warehouse(installation.settings, client_slug="acme", locked=True) as connection:
        for sql in (f"copy (select 1) to '{folder}/x.csv'", f"copy (select 1) to '{folder}/y' (format parquet)"):
            with pytest.raises(duckdb.Error):
                connection.execute(sql)
    assert sorted(folder.iterdir()) == before


def test_every_table_that_can_be_asked_shows_the_clients_rows_alone(installation: Installation) -> None:
    """Over everything that the connection knows, by name and by what DuckDB tells of itself."""
    with open_warehouse(installation.settings, client_slug="acme", locked=True) as connection:
        tables = connection.execute(
            "select schema_name, view_name from duckdb_views() where not internal "
            "union all select schema_name, table_name from duckdb_tables() where not internal"
        ).fetchall()
        assert len(tables) > 30
        shown = [repr(connection.execute(f'select * from "{s}"."{t}"').fetchall()) for s, t in tables]
        told = [
            repr(connection.execute(f"select * from {function}()").fetchall())
            for function in (
                "duckdb_views",
                "duckdb_tables",
                "duckdb_columns",
                "duckdb_settings",
                "duckdb_databases",
                "duckdb_external_file_cache",
                "duckdb_temporary_files",
                "duckdb_secrets",
                "duckdb_variables",
            )
        ]
    assert any("Ada of acme" in one for one in shown)
    assert [one for one in shown + told if "globex" in one] == []


def test_variables_of_the_code_that_asks_are_no_tables(installation: Installation) -> None:
    """DuckDB looks for a table among the variables of the Python code around it: not here."""
    held = pa.table({"said": [MARKER]})
    question = "select * from held"
    with (
        open_warehouse(installation.settings, client_slug="acme", locked=True) as connection,
        pytest.raises(duckdb.Error, match="held does not exist"),
    ):
        connection.execute(question)
    with open_warehouse(installation.settings, client_slug="acme") as connection:
        assert connection.execute(question).fetchall() == [(MARKER,)], held


def test_a_question_about_one_client_is_never_let_at_other_files() -> None:
    with pytest.raises(EnrichError) as refused:
        CliRunner().invoke(build_app(), ["query", "select 1", "--client", "acme", "--unsafe"], catch_exceptions=False)
    assert refused.value.code == "query.client_and_unsafe"


def test_a_question_without_a_statement_is_refused_in_words(installation: Installation) -> None:
    for nothing in ("", " ", ";", "-- only a remark"):
        assert asked(installation, nothing) == "refused: Nothing was asked: there is no statement in that SQL"
