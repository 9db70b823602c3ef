"""A real upload through the real platform, the provider wired in by configuration only: the known answers hold."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from enrichment_assets.installation.databases import Databases
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect
from enrichment_assets.warehouse import open_warehouse
from tests.integration.conftest import Enrich
from tests.integration.officials import DATA, RecordedApollo
from tests.leaks import Haystack, answered_values, postgres_text


@dataclass(frozen=True)
class Enriched:
    warehouse: duckdb.DuckDBPyConnection
    workspace_url: str
    asked: dict[tuple[str, ...], int]


@pytest.fixture(scope="module")
def enriched(
    module_settings: Settings, module_databases: Databases, module_environment: pytest.MonkeyPatch, enrich: Enrich
) -> Iterator[Enriched]:
    """The officials' file uploaded, launched and run for one client whose Apollo is the recorded one."""
    with RecordedApollo() as apollo:
        module_environment.setenv("OFFICIALS_KEY", "officials-key")
        module_environment.setenv("ENRICH_SECRET_NAMES", "OFFICIALS_KEY")
        module_environment.setenv("ENRICH_LOG", str(module_settings.home / "engine.jsonl"))
        enrich("client", "add", "congress", "--name", "Congress")
        overrides = ["--set", f"base_url={apollo.url}", "--set", "limits.per_minute=60000"]
        config = ["client", "config", "congress", "match-person-via-apollo"]
        enrich(*config, *overrides, "--secret", "api_key=OFFICIALS_KEY")
        enrich("pipeline", "add", "officials", "--steps", "match-person-via-apollo", "--client", "congress")
        enrich("upload", str(DATA / "people.csv"), "--client", "congress")
        enrich("launch", "1", "--pipeline", "officials", "--batch", "officials")
        enrich("run", "officials", "--wait", "--json")
        with open_warehouse(module_settings) as warehouse:
            yield Enriched(warehouse, module_databases.workspace, dict(apollo.asked))


def expected_history() -> list[tuple[str, ...]]:
    with gzip.open(DATA / "expected_work_history.csv.gz", "rt", encoding="utf-8", newline="") as file:
        return [
            (r["name"], r["organization_name"], r["title"], r["start_date"], r["end_date"], r["current"])
            for r in csv.DictReader(file)
        ]


HISTORY = """
    select person_name as name, organisation_name, coalesce(title, '') as title, coalesce(start_date, '') as start_date,
           coalesce(end_date, '') as end_date, case when is_current then 'true' else 'false' end as current
    from person_work_history where batch_key = 'officials'
"""


def test_person_work_history_equals_the_expected_rows_one_for_one(enriched: Enriched) -> None:
    assert sorted(enriched.warehouse.execute(HISTORY).fetchall()) == sorted(expected_history())


def test_the_published_table_holds_the_same_rows(enriched: Enriched) -> None:
    with connect(enriched.workspace_url) as workspace:
        rows = workspace.execute(HISTORY).fetchall()
    assert sorted(tuple(row.values()) for row in rows) == sorted(expected_history())


def test_all_537_leads_are_there_and_each_was_asked_for_once(enriched: Enriched) -> None:
    row = enriched.warehouse.execute("select count(*), count(distinct item_id) from final_leads").fetchone()
    assert row == (537, 537)
    assert sum(enriched.asked.values()) == 537


@pytest.mark.parametrize(
    ("organisation", "people"),
    [
        ("U.S. House of Representatives, Virginia Delegation", 11),
        ("U.S. House of Representatives, West Virginia Delegation", 3),
        ("U.S. House of Representatives, California Delegation", 52),
    ],
)
def test_people_who_ever_worked_at_an_organisation(enriched: Enriched, organisation: str, people: int) -> None:
    row = enriched.warehouse.execute(
        "select count(distinct item_id) from person_work_history where organisation_name = ?", [organisation]
    ).fetchone()
    assert row == (people,)


def test_worked_at_is_answered_after_enrich_run_alone(enriched: Enriched, enrich: Enrich) -> None:
    delegation = "U.S. House of Representatives, Virginia Delegation"
    people = json.loads(enrich("worked-at", delegation.upper(), "--json", "--limit", "1000"))
    assert len({person["item_id"] for person in people}) == 11
    with connect(enriched.workspace_url) as workspace:
        row = workspace.execute("select count(*) as organisations from organisations").fetchone()
    assert row is not None and row["organisations"] >= 108


def test_current_jobs_and_organisations_are_as_known(enriched: Enriched) -> None:
    row = enriched.warehouse.execute(
        "select count(*) filter (where is_current), count(distinct organisation_name) from person_work_history"
    ).fetchone()
    assert row == (565, 108)


def test_44_people_served_in_both_delegations_of_one_state(enriched: Enriched) -> None:
    row = enriched.warehouse.execute(
        """
        with served as (
          select item_id, regexp_extract(organisation_name, ', (.*) Delegation$', 1) as state,
                 organisation_name like 'U.S. Senate%' as senate
          from person_work_history
        )
        select count(distinct item_id) from (
          select item_id, state from served group by item_id, state having count(distinct senate) = 2
        )
        """
    ).fetchone()
    assert row == (44,)


def test_the_uploaded_cells_are_kept_as_they_came(enriched: Enriched) -> None:
    with (DATA / "people.csv").open(encoding="utf-8", newline="") as file:
        uploaded = [(row["Website"], row["Company"]) for row in csv.DictReader(file)]
    kept = enriched.warehouse.execute(
        'select "Website", "Company" from raw_apollo_uploads order by row_number'
    ).fetchall()
    assert [tuple(cell or "" for cell in row) for row in kept] == uploaded


def test_no_cell_or_answer_about_an_official_is_in_what_dagster_keeps_or_in_the_log(
    enriched: Enriched, module_settings: Settings, module_databases: Databases
) -> None:
    columns = ("Title", "Website", "Corporate Phone", "Facebook Url", "Twitter Url", "Company Address", "Company Phone")
    with (DATA / "people.csv").open(encoding="utf-8", newline="") as file:
        people = list(csv.DictReader(file))
    told = {row[column] for row in people for column in (*columns, "Apollo Contact Id")}
    told |= {f"{row['First Name']} {row['Last Name']}" for row in people} | answered_values(module_settings)
    told -= {row[column] for row in people for column in ("First Name", "Last Name")}  # some are words: Young, Case
    assert len(told) > 3_000
    kept, log = postgres_text(module_databases.dagster), (module_settings.home / "engine.jsonl").read_text()
    there = {"final_leads", "not shown because it can be personal"}
    assert Haystack(kept).holds(there) == there
    assert log.count('"action":"call"') == 537
    assert Haystack(kept).holds(told) == set()
    assert Haystack(log).holds(told) == set()


def test_parquet_files_exist_for_the_batch(enriched: Enriched, module_settings: Settings) -> None:
    assert list(Path(module_settings.warehouse_dir).rglob("officials.parquet"))
