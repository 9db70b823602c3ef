"""The small files of many batches in few: what a reader sees never changes, and how many files it opens does."""

from __future__ import annotations

import os
import time
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from enrichment_assets.settings import Settings
from enrichment_assets.warehouse import load_project, open_warehouse
from enrichment_assets.warehouse.compaction import FOLDER, LEAST_FILES, compact, forget
from enrichment_assets.warehouse.files import Layout
from enrichment_assets.warehouse.questions import tables_named
from enrichment_assets.warehouse.session import connect

CLIENTS = ("acme", "globex", "initech")
LONG_AGO = time.time() - 2 * 86_400


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def extracted(settings: Settings, number: int, *names: str, at: float = LONG_AGO) -> None:
    """Two files of a batch, as an extraction leaves them: `hq.batches`, and leads of these names."""
    layout, client, key = Layout.of(settings), CLIENTS[number % len(CLIENTS)], f"batch-{number}"
    leads = {"client_slug": [client] * len(names), "batch_key": [key] * len(names), "full_name": list(names)}
    for path, rows in {
        layout.source("batches", client, key): {"client_slug": [client], "batch_key": [key]},
        layout.model("final_leads", client, key): leads,
    }.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(rows), path)
        os.utime(path, (at, at))


def compacted(settings: Settings) -> int:
    """Compact; how many files were written."""
    layout = Layout.of(settings)
    with connect(layout) as connection:
        return compact(layout, load_project(), connection)


def files(settings: Settings, name: str = "models/final_leads", scope: str = "all") -> list[Path]:
    return sorted((Layout.of(settings).root / FOLDER / name / scope).glob("*.parquet"))


def leads(settings: Settings, client: str | None = None) -> list[tuple[str, str]]:
    question = "select batch_key, full_name from final_leads order by all"
    with open_warehouse(settings, client_slug=client, locked=True, question=question) as connection:
        return connection.execute(question).fetchall()


def test_what_is_seen_of_many_batches_is_the_same_and_comes_from_one_file(settings: Settings) -> None:
    for number in range(LEAST_FILES + 6):
        extracted(settings, number, f"Ann {number}", f"Bob {number}")
    before = leads(settings)

    assert compacted(settings) == 2

    assert len(before) == 2 * (LEAST_FILES + 6)
    assert leads(settings) == before
    assert [pq.read_metadata(path).num_rows for path in files(settings)] == [len(before)]
    assert compacted(settings) == 0  # nothing is new


def test_a_batch_that_is_written_anew_or_removed_is_what_its_own_file_says(settings: Settings) -> None:
    for number in range(LEAST_FILES):
        extracted(settings, number, f"Ann {number}")
    compacted(settings)

    extracted(settings, 7, "Zoe", "Yan", at=time.time())
    Layout.of(settings).model("final_leads", CLIENTS[9 % 3], "batch-9").unlink()

    found = leads(settings)
    assert [row for row in found if row[0] in ("batch-7", "batch-9")] == [("batch-7", "Yan"), ("batch-7", "Zoe")]
    assert len(found) == LEAST_FILES - 2 + 2


def test_rows_that_do_not_count_any_more_are_cut_out(settings: Settings) -> None:
    for number in range(LEAST_FILES):
        extracted(settings, number, f"Ann {number}")
    compacted(settings)
    for number in range(8):  # more than a twentieth
        extracted(settings, number, f"Zoe {number}", at=LONG_AGO + 60)

    assert compacted(settings) == 2

    newest = pq.read_table(files(settings)[-1]).column("full_name").to_pylist()
    left = [f"Ann {number}" for number in range(8, LEAST_FILES)]
    assert sorted(newest) == sorted([*left, *(f"Zoe {number}" for number in range(8))])
    assert len(leads(settings)) == LEAST_FILES


def test_a_batch_that_is_removed_leaves_no_copy(settings: Settings) -> None:
    for number in range(LEAST_FILES):
        extracted(settings, number, f"Ann {number}")
    compacted(settings)

    forget(Layout.of(settings), ["batch-3"])

    assert files(settings) == []
    assert len(leads(settings)) == LEAST_FILES  # from the batches' own files


def test_files_of_today_wait_and_large_ones_stay_alone(settings: Settings) -> None:
    for number in range(LEAST_FILES):
        extracted(settings, number, f"Ann {number}", at=time.time())
    assert compacted(settings) == 0

    for number in range(LEAST_FILES):
        extracted(settings, number, f"Ann {number}")
    extracted(settings, 200, os.urandom(1 << 20).hex())
    assert compacted(settings) == 2
    assert [pq.read_metadata(path).num_rows for path in files(settings)] == [LEAST_FILES]
    assert len(leads(settings)) == LEAST_FILES + 1


def test_a_question_opens_few_files_however_many_times_batches_came(settings: Settings) -> None:
    for number in range(5 * LEAST_FILES):
        extracted(settings, number, f"Ann {number}")
        if number % LEAST_FILES == LEAST_FILES - 1:
            compacted(settings)

    rows = [pq.read_metadata(path).num_rows for path in files(settings)]
    assert max(rows) >= 4 * LEAST_FILES  # merged on the way; those before stay for who is reading
    assert len(leads(settings)) == 5 * LEAST_FILES


def test_a_client_with_many_batches_has_files_of_its_own(settings: Settings) -> None:
    for number in range(3 * LEAST_FILES):
        extracted(settings, number, f"Ann {number}")
    before = {client: leads(settings, client) for client in CLIENTS}
    compacted(settings)

    assert {client: leads(settings, client) for client in CLIENTS} == before
    assert all(len(files(settings, scope=f"client_slug={client}")) == 1 for client in CLIENTS)
    of_all = files(settings)[0]
    with open_warehouse(settings, client_slug="acme", locked=True) as connection, pytest.raises(duckdb.Error):
        connection.execute(f"select * from read_parquet('{of_all}')")


def test_a_file_from_before_a_column_does_not_hide_it(settings: Settings) -> None:
    for number in range(LEAST_FILES):
        extracted(settings, number, f"Ann {number}")
    compacted(settings)
    path = files(settings)[0]
    table = pq.read_table(path)
    pq.write_table(table.drop_columns(["email"]), path)  # as an earlier version would have left it

    question = "select count(*), count(email) from final_leads"
    with open_warehouse(settings, question=question) as connection:
        assert connection.execute(question).fetchall() == [(LEAST_FILES, 0)]
        assert str(path) not in str(connection.execute("select sql from duckdb_views()").fetchall())


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("select * from FINAL_LEADS l join hq.batches b using (batch_key)", {"final_leads", "hq.batches"}),
        ("with a as (select 1) select * from a, leads", {"leads"}),
        ("with leads as (select * from leads) select * from leads", {"leads"}),
        ("select (select count(*) from main.leads) union select 1 from hq.batches", {"leads", "hq.batches"}),
        ("select * from range(3), unnest([1])", set()),
        ("select 1; from leads", {"leads"}),
        ("select exists (from leads)", {"leads"}),
        ("describe leads", None),
        ("show tables", None),
        ("pivot leads on title", None),
        ("select * from query_table('leads')", None),
        ("select * from information_schema.tables", None),
        ("select * from lead", None),
        ("selec 1", None),
        ("create table mine as from leads", None),
        ("select * from 'x.parquet'", None),
    ],
)
def test_which_tables_a_question_names(query: str, named: set[str] | None) -> None:
    with duckdb.connect() as connection:
        assert tables_named(connection, query, {"leads", "final_leads", "hq.batches"}) == named
