"""Asking the warehouse: what a query may see, what comes out, and the page about a batch."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from enrichment_assets.cli import explain, export, query, report, shell
from enrichment_assets.domain.errors import EnrichError, NotFoundError
from enrichment_assets.services.insight import named_reports, queries
from enrichment_assets.services.insight.html_report import render_report
from enrichment_assets.settings import Settings
from enrichment_assets.warehouse import open_warehouse
from tests.harness.handles import hq_of
from tests.warehouse.conftest import Build
from tests.warehouse.hq_data import Answer, Lead


@pytest.fixture(scope="module")
def two_clients(shared: Build) -> Settings:
    for client in ("acme", "globex"):
        history = [{"organization_name": f"{client} works", "organization_id": client, "title": "CTO"}]
        shared(
            [
                Lead(
                    {"full_name": f"Ada of {client}", "email": "=1+1"},
                    [Answer("match-person-via-apollo", {"person": {"employment_history": history}}, {"phone": "+1 2"})],
                ),
                Lead({"full_name": "No One"}, [Answer("match-person-via-apollo", None, {}, outcome="not_found")]),
            ],
            batch_key=f"{client}-1",
            client=client,
        )
    return shared.settings


def answer(settings: Settings, sql: str, **options: object) -> list[tuple[object, ...]]:
    with queries.ask(hq_of(settings), settings, sql, **options) as found:  # type: ignore[arg-type]
        return list(found.rows())


@pytest.fixture
def cli(two_clients: Settings, monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    monkeypatch.setenv("ENRICH_HOME", str(two_clients.home))
    monkeypatch.setenv("HQ_DATABASE_URL", two_clients.hq_database_url or "")
    app = typer.Typer()
    for module in (query, export, report, explain, shell):
        module.register(app)
    return app


def test_a_client_sees_its_own_rows_only(two_clients: Settings) -> None:
    assert answer(two_clients, "select count(*) from final_leads") == [(4,)]
    for table in ("final_leads", "hq.batch_items", "organisations", "lead_funnel", "stg_results"):
        slugs = answer(two_clients, f"select distinct client_slug from {table}", client="acme")
        assert slugs == [("acme",)], table


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_csv('/etc/passwd')",
        "select * from read_text('/etc/hostname')",
        "select * from glob('/etc/*')",
        "copy (select 1) to '/tmp/out.csv'",
        "attach '/tmp/other.duckdb'",
        "install httpfs",
        "load httpfs",
        "set enable_external_access = true",
        "set lock_configuration = false",
        "select * from '{home}/warehouse/sources/batch_items/client_slug=globex/globex-1.parquet'",
        "select * from '{home}/warehouse/analytics/organisations/all.parquet'",
        "copy (select 1) to '{home}/warehouse/models/final_leads/client_slug=globex/globex-1.parquet'",
    ],
)
def test_a_query_cannot_leave_its_clients_part_of_the_warehouse(two_clients: Settings, sql: str) -> None:
    sql = sql.replace("{home}", str(two_clients.home))
    with pytest.raises(EnrichError):
        answer(two_clients, sql, client="acme")
    with open_warehouse(two_clients, client_slug="acme", locked=True) as connection, pytest.raises(duckdb.Error):
        connection.execute(sql)


def test_no_query_can_write_even_inside_the_warehouse(two_clients: Settings) -> None:
    target = two_clients.warehouse_dir / "models" / "final_leads" / "client_slug=acme" / "acme-1.parquet"
    before = target.read_bytes()
    for statement in ("copy", "explain analyze copy"):
        with pytest.raises(EnrichError, match="Only questions can be asked"):
            answer(two_clients, f"select 1; {statement} (select 1 as x) to '{target}' (format parquet)")
    assert target.read_bytes() == before


def test_tables_of_ones_own_and_pivots_stay_in_memory(two_clients: Settings) -> None:
    sql = "create temp table mine as select * from final_leads; pivot mine on client_slug using count(*) group by steps"
    assert answer(two_clients, sql) == [(1, 2, 2)]
    with pytest.raises(EnrichError):
        answer(two_clients, "create persistent secret s (type s3, key_id 'a', secret 'b')")


def test_unsafe_lifts_the_lock_for_ones_own_sql(two_clients: Settings, tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("a\n1\n")
    assert answer(two_clients, f"select * from read_csv('{file}')", unsafe=True) == [(1,)]


def test_a_wrong_query_is_one_line(cli: typer.Typer) -> None:
    with pytest.raises(EnrichError) as caught:
        CliRunner().invoke(cli, ["query", "select * from nonsense"], catch_exceptions=False)
    assert "nonsense" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_csv_and_json_and_parquet_hold_the_same_rows(cli: typer.Typer, tmp_path: Path) -> None:
    sql = "select full_name, email, cost, is_finished from final_leads order by client_slug, item_id"
    as_csv = CliRunner().invoke(cli, ["query", sql, "--format", "csv"], catch_exceptions=False).stdout
    rows = list(csv.DictReader(io.StringIO(as_csv)))
    assert rows[0] == {"full_name": "Ada of acme", "email": "=1+1", "cost": "0.020000", "is_finished": "true"}
    as_json = json.loads(CliRunner().invoke(cli, ["query", sql, "--format", "json"], catch_exceptions=False).stdout)
    assert [row["full_name"] for row in as_json] == [row["full_name"] for row in rows]
    target = tmp_path / "x.parquet"
    CliRunner().invoke(cli, ["query", sql, "--to", str(target)], catch_exceptions=False)
    assert [row["full_name"] for row in pq.read_table(target).to_pylist()] == [row["full_name"] for row in rows]


def test_a_file_of_sql_is_read(cli: typer.Typer, tmp_path: Path) -> None:
    file = tmp_path / "report.sql"
    file.write_text("select 40 + 2 as answer;\n")
    result = CliRunner().invoke(cli, ["query", "--file", str(file)], catch_exceptions=False)
    assert (result.stdout, result.stderr) == ("answer\n42\n", "1 row\n")


def test_an_export_leaves_cells_alone_unless_a_spreadsheet_will_open_it(cli: typer.Typer, tmp_path: Path) -> None:
    target = tmp_path / "leads.csv"
    CliRunner().invoke(cli, ["export", "acme-1", "final_leads", "--to", str(target)], catch_exceptions=False)
    with target.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["email"], row["phone"]) for row in rows] == [("=1+1", "+1 2"), ("", "")]
    safe = ["export", "acme-1", "final_leads", "--to", str(target), "--spreadsheet-safe"]
    CliRunner().invoke(cli, safe, catch_exceptions=False)
    with target.open(newline="") as file:
        assert next(csv.DictReader(file))["email"] == "'=1+1"


def test_every_named_report_answers_for_one_batch_and_for_all(cli: typer.Typer) -> None:
    for name in named_reports.OF_ANY_BATCH:
        one = CliRunner().invoke(cli, ["report", name, "--batch", "acme-1", "--json"], catch_exceptions=False)
        every = CliRunner().invoke(cli, ["report", name, "--json"], catch_exceptions=False)
        slugs = {row["client_slug"] for row in json.loads(one.stdout)}
        assert slugs == {"acme"}, name
        assert {row["client_slug"] for row in json.loads(every.stdout)} == {"acme", "globex"}, name


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [
        ("select * from final_lead", "there is no table 'final_lead'; did you mean 'final_leads'?"),
        ("select * from person_work_histroy", "did you mean 'person_work_history'?"),
        ("select * from hq.batchs", "did you mean"),
        ("select * from zzzzzz", "The query does not run: there is no table 'zzzzzz'"),
        ("select emial from final_leads", 'did you mean "email"'),
        ("select f.compny_name from final_leads f", "did you mean 'company_name'?"),
        ("select lenght(email) from final_leads", 'Did you mean "length"?'),
        ("select email\nfrom final_leads\nwhere emal is null", "(line 3)"),
        ("selct 1", 'syntax error at or near "selct"'),
    ],
)
def test_a_question_with_a_typo_is_answered_with_what_was_meant(cli: typer.Typer, sql: str, sentence: str) -> None:
    with pytest.raises(EnrichError) as caught:
        CliRunner().invoke(cli, ["query", sql], catch_exceptions=False)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "pg_" not in str(caught.value)


def test_a_report_or_batch_that_is_not_there_is_named(cli: typer.Typer) -> None:
    with pytest.raises(NotFoundError, match="`nope` is no report"):
        CliRunner().invoke(cli, ["report", "nope"], catch_exceptions=False)
    with pytest.raises(NotFoundError, match="`acme-11` is no report"):  # not "0 rows", as if it had cost nothing
        CliRunner().invoke(cli, ["report", "cost", "--batch", "acme-11"], catch_exceptions=False)


def test_all_reports_of_a_batch_are_one_json_document(cli: typer.Typer) -> None:
    printed = CliRunner().invoke(cli, ["report", "acme-1", "--json"], catch_exceptions=False).stdout
    reports = json.loads(printed)
    assert list(reports) == named_reports.OF_ANY_BATCH  # those of a system are about its batches alone
    assert [row["batch_key"] for row in reports["cost"]] == ["acme-1"]


def test_the_page_about_a_batch_is_whole_and_names_nobody(two_clients: Settings) -> None:
    page = render_report(two_clients, "acme-1")
    assert "Acme" in page
    assert page.count("<svg") >= 5
    assert not re.search(r"(src|href)=|@import|url\(|<script", page)
    assert "Ada" not in page
    assert "globex" not in page.lower()


def test_the_page_escapes_what_an_upload_called_itself(build: Build, settings: Settings) -> None:
    build([Lead({"title": "x"}, [Answer("<script>alert(1)</script>", {}, {"title": "y"})])], batch_key="b")
    page = render_report(settings, "b")
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_the_page_about_a_batch_without_a_lead_says_so_everywhere(build: Build, settings: Settings) -> None:
    build([], batch_key="b")
    page = render_report(settings, "b")
    assert page.count("Nothing yet.") == page.count("<section>") == 8
    assert "<svg" not in page and "legend" not in page.partition("</style>")[2]


def test_the_page_counts_one_lead_as_one(build: Build, settings: Settings) -> None:
    slug = "a-workflow-whose-name-is-far-too-long-for-its-row"
    build([Lead({"title": "x"}, [Answer(slug, {}, {"email": "a@b.example"})])], batch_key="b")
    body = render_report(settings, "b").partition("</style>")[2]
    assert "1 lead<" in body and "<span>lead</span>" in body and "1 leads" not in body
    assert f"<title>{slug}</title>a-workflow-whose-name-is-far-to…" in body


def test_explain_shows_the_chain_from_the_uploaded_cell(cli: typer.Typer, two_clients: Settings) -> None:
    item = answer(two_clients, "select item_id from final_leads where full_name = 'Ada of acme'")[0][0]
    shown = CliRunner().invoke(cli, ["explain", "acme-1", str(item), "phone", "--json"], catch_exceptions=False)
    chain = json.loads(shown.stdout)[0]
    assert (chain["field"], chain["final"], chain["because"]) == ("phone", "+1 2", "the only value")
    assert chain["links"][0]["source"] == "match-person-via-apollo"
    everything = CliRunner().invoke(cli, ["explain", "acme-1", str(item)], catch_exceptions=False).stdout
    assert "email\t=1+1\tyes\tupload" in everything


def test_the_shell_answers_and_survives_mistakes(cli: typer.Typer) -> None:
    typed = "select 40 +\n2 as answer;\nselect nonsense;\n.tables\nselect 'still' as here;\n.exit\n"
    result = CliRunner().invoke(cli, ["shell", "--client", "acme"], input=typed, catch_exceptions=False)
    assert "42" in result.stdout
    assert "person_work_history" in result.stdout
    assert "still" in result.stdout


def test_pandas_just_works(two_clients: Settings) -> None:
    frame = open_warehouse(two_clients).sql("select * from person_work_history order by client_slug").df()
    assert list(frame["organisation_name"]) == ["acme works", "globex works"]
