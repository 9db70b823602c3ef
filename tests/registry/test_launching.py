"""Launching: the plan, the snapshot, the order of commits, and what is refused."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection

from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.pipeline import Blueprint
from enrichment_assets.services.batches.launching import launch, map_columns, plan_launch
from enrichment_assets.services.catalog import configuration
from enrichment_assets.services.uploads.upload import upload_file
from enrichment_assets.settings import Settings
from tests.actors import TESTER
from tests.harness.handles import hq_of

HQ = Connection[dict[str, Any]]
KEYS = {"APOLLO_API_KEY": "a", "HUNTER_API_KEY": "h", "ZENROWS_API_KEY": "z"}
CSV = (
    "First Name,Last Name,Company,Website,Email\n"
    "Ann,A,Acme Inc.,https://acme.com,\n"
    "Bob,B,ACME,acme.com,b@acme.com\n"
    "Cid,C,Other,other.org,\n"
    "Dan,D,,,\n"
)


@pytest.fixture
def upload(settings: Settings, tmp_path: Path) -> int:
    configuration.add_client(hq_of(settings), "acme", "Acme", actor=TESTER)
    path = tmp_path / "people.csv"
    path.write_text(CSV)
    return upload_file(hq_of(settings), settings, path, "acme", actor=TESTER).upload_id


class Partitions(list[str]):
    """Stands where Dagster's instance stands: it notes what it is told, and checks that the row is there before."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings

    def add(self, key: str) -> None:
        from enrichment_assets.store.database import connect

        with connect(self._settings.hq_database_url or "") as other:
            assert other.execute("select 1 from batches where batch_key = %s", (key,)).fetchone(), "row first"
        self.append(key)


def test_the_plan_counts_calls_per_item_and_per_company_and_their_cost_exactly(settings: Settings, upload: int) -> None:
    plan = plan_launch(hq_of(settings), settings, upload, "apollo-basic", environment=KEYS)
    assert (plan.client, plan.rows, plan.items, plan.rejected, plan.companies) == ("acme", 4, 4, 0, 3)
    steps = {step.slug: step for step in plan.steps}
    assert steps["normalise-name"].calls_at_most == 0
    assert steps["match-person-via-apollo"].calls_at_most == 4
    assert steps["match-person-via-apollo"].cost_at_most == Decimal("0.08")
    assert steps["enrich-organization-via-apollo"].calls_at_most == plan.companies
    assert plan.cost_at_most == {"USD": Decimal("0.08") + Decimal("0.02") * 3}
    assert plan.problems == ()


def test_a_plan_writes_nothing(settings: Settings, upload: int, hq: HQ) -> None:
    plan_launch(hq_of(settings), settings, upload, "apollo-basic", environment=KEYS)
    assert hq.execute("select count(*) as n from batches").fetchone() == {"n": 0}


def test_a_launch_stores_the_blueprint_and_then_adds_the_partition(settings: Settings, upload: int, hq: HQ) -> None:
    partitions = Partitions(settings)
    launched = launch(
        hq_of(settings), settings, upload, "apollo-basic", add_partition=partitions.add, environment=KEYS, actor=TESTER
    )
    assert launched.batch_key == f"acme-{upload}-apollo-basic-1"
    assert (launched.items, launched.created, list(partitions)) == (4, True, [launched.batch_key])
    row = hq.execute("select * from batches").fetchone()
    assert row is not None
    made = Blueprint.model_validate(row["blueprint"])
    assert [step.slug for step in made.steps] == list(launched.steps)
    assert made.step("match-person-via-apollo").after == ["normalise-name", "normalise-domain"]
    assert (row["upload_id"], row["pipeline_slug"]) == (upload, "apollo-basic")


def test_what_changes_after_the_launch_does_not_change_the_batch(settings: Settings, upload: int, hq: HQ) -> None:
    launched = launch(
        hq_of(settings),
        settings,
        upload,
        "apollo-basic",
        add_partition=Partitions(settings).add,
        environment=KEYS,
        actor=TESTER,
    )
    configuration.set_client_config(
        hq_of(settings), settings, "acme", "match-person-via-apollo", set_values={"limits.per_second": 1}, actor=TESTER
    )
    configuration.set_workflow_enabled(hq_of(settings), "enrich-organization-via-apollo", False, actor=TESTER)
    row = hq.execute("select blueprint from batches where batch_key = %s", (launched.batch_key,)).fetchone()
    made = Blueprint.model_validate(row and row["blueprint"])
    assert made.step("match-person-via-apollo").workflow.limits.per_second is None
    assert len(made.steps) == 4


def test_numbers_count_up_and_a_key_of_ones_own_is_taken_as_it_is(settings: Settings, upload: int) -> None:
    partitions = Partitions(settings)
    keys = [
        launch(
            hq_of(settings),
            settings,
            upload,
            "normalise-only",
            add_partition=partitions.add,
            batch_key=key,
            actor=TESTER,
        ).batch_key
        for key in (None, None, f"acme-{upload}-normalise-only-10", None, "my.batch_1")
    ]
    prefix = f"acme-{upload}-normalise-only"
    assert keys == [f"{prefix}-1", f"{prefix}-2", f"{prefix}-10", f"{prefix}-11", "my.batch_1"]


@pytest.mark.parametrize(
    "key", ["A", "a,b", "a b", "-a", "a" * 201, "../x", "a/b", "ä", "a\n", "a...b", "a..b", "1....9", "a.", "a...", "."]
)
def test_a_key_that_dagster_could_not_show_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(ConfigurationError, match="not a batch key"):
        launch(
            hq_of(Settings(home=tmp_path)),
            Settings(home=tmp_path),
            1,
            "normalise-only",
            add_partition=print,
            batch_key=key,
            actor=TESTER,
        )


def test_a_launch_that_died_before_the_partition_is_repaired_by_repeating_it(
    settings: Settings, upload: int, hq: HQ
) -> None:
    def dies(_: str) -> None:
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        launch(hq_of(settings), settings, upload, "normalise-only", add_partition=dies, batch_key="b1", actor=TESTER)
    before = hq.execute("select * from batches").fetchall()
    hq.rollback()
    configuration.set_workflow_enabled(hq_of(settings), "normalise-name", False, actor=TESTER)
    partitions = Partitions(settings)
    again = launch(
        hq_of(settings), settings, upload, "normalise-only", add_partition=partitions.add, batch_key="b1", actor=TESTER
    )
    assert (again.created, again.steps, list(partitions)) == (False, ("normalise-name", "normalise-domain"), ["b1"])
    assert hq.execute("select * from batches").fetchall() == before


def test_a_key_of_another_launch_is_refused_and_its_partition_is_not_touched(settings: Settings, upload: int) -> None:
    partitions = Partitions(settings)
    launch(
        hq_of(settings), settings, upload, "normalise-only", add_partition=partitions.add, batch_key="b1", actor=TESTER
    )
    with pytest.raises(ConfigurationError, match="exists already"):
        launch(
            hq_of(settings),
            settings,
            upload,
            "apollo-basic",
            add_partition=partitions.add,
            batch_key="b1",
            environment=KEYS,
            actor=TESTER,
        )
    assert list(partitions) == ["b1"]
    assert plan_launch(hq_of(settings), settings, upload, "normalise-only", batch_key="b1").problems == (
        "batch 'b1' exists already",
    )


def test_a_missing_key_refuses_the_launch_and_flags_the_plan_by_name(settings: Settings, upload: int, hq: HQ) -> None:
    configuration.set_client_config(
        hq_of(settings),
        settings,
        "acme",
        "match-person-via-apollo",
        secrets={"api_key": "ACME_APOLLO_KEY"},
        environment={},
        actor=TESTER,
    )
    expected = (
        "workflow match-person-via-apollo needs its secret 'api_key': "
        "the environment variable ACME_APOLLO_KEY is not set"
    )
    assert plan_launch(hq_of(settings), settings, upload, "apollo-basic", environment=KEYS).problems == (expected,)
    partitions = Partitions(settings)
    with pytest.raises(ConfigurationError, match="ACME_APOLLO_KEY is not set"):
        launch(
            hq_of(settings),
            settings,
            upload,
            "apollo-basic",
            add_partition=partitions.add,
            environment=KEYS,
            actor=TESTER,
        )
    assert (list(partitions), hq.execute("select 1 from batches").fetchone()) == ([], None)
    environment = KEYS | {"ACME_APOLLO_KEY": "x"}
    assert launch(
        hq_of(settings),
        settings,
        upload,
        "apollo-basic",
        add_partition=partitions.add,
        environment=environment,
        actor=TESTER,
    ).created


def test_against_the_sandbox_no_key_is_needed_whatever_address_is_configured(settings: Settings, upload: int) -> None:
    from dataclasses import replace

    sandboxed = replace(settings, sandbox_url="http://127.0.0.1:8720")
    plan = plan_launch(hq_of(sandboxed), sandboxed, upload, "full-demo", environment={})
    assert plan.problems == ()
    assert {step.slug for step in plan.steps if not step.simulated} == {
        "normalise-name",
        "normalise-domain",
        "normalise-contact",
    }
    configuration.set_client_config(
        hq_of(settings),
        settings,
        "acme",
        "match-person-via-apollo",
        set_values={"base_url": "http://127.0.0.1:8720.evil.com"},
        actor=TESTER,
    )
    plan = plan_launch(hq_of(sandboxed), sandboxed, upload, "full-demo", environment={})
    replaced = {step.slug: step.replaced for step in plan.steps if step.replaced}
    assert (plan.problems, replaced) == ((), {"match-person-via-apollo": ("http://127.0.0.1:8720.evil.com",)})
    problems = plan_launch(hq_of(settings), settings, upload, "full-demo", environment={}).problems
    assert any("APOLLO_API_KEY is not set" in problem for problem in problems)


def test_a_clay_table_without_an_address_is_refused_until_the_client_names_it(settings: Settings, upload: int) -> None:
    pipeline = configuration.pipeline_from_steps("clay", "enrich-company-clay")
    configuration.add_pipeline(hq_of(settings), pipeline, "acme", actor=TESTER)
    (problem,) = plan_launch(hq_of(settings), settings, upload, "clay", environment={}).problems
    assert problem.startswith("workflow enrich-company-clay: the request has no address")
    configuration.set_client_config(
        hq_of(settings),
        settings,
        "acme",
        "enrich-company-clay",
        set_values={"parameters.table_url": "https://clay.example/t/1"},
        actor=TESTER,
    )
    assert plan_launch(hq_of(settings), settings, upload, "clay", environment={}).problems == ()


def test_a_step_switched_off_for_the_client_is_said_and_left_out(settings: Settings, upload: int) -> None:
    configuration.set_client_config(
        hq_of(settings), settings, "acme", "enrich-organization-via-apollo", enabled=False, actor=TESTER
    )
    plan = plan_launch(hq_of(settings), settings, upload, "apollo-basic", environment=KEYS)
    assert plan.left_out == ("enrich-organization-via-apollo",)
    assert "enrich-organization-via-apollo" not in {step.slug for step in plan.steps}
    assert plan.companies is None


def test_a_workflow_disabled_for_all_refuses_the_launch(settings: Settings, upload: int) -> None:
    configuration.set_workflow_enabled(hq_of(settings), "match-person-via-apollo", False, actor=TESTER)
    with pytest.raises(ConfigurationError, match="match-person-via-apollo: is disabled"):
        plan_launch(hq_of(settings), settings, upload, "apollo-basic", environment=KEYS)


def test_an_upload_is_found_by_its_hash_and_by_client_where_two_have_it(
    settings: Settings, upload: int, tmp_path: Path, hq: HQ
) -> None:
    row = hq.execute("select sha256 from uploads").fetchone()
    hq.rollback()
    sha = (row or {})["sha256"]
    assert plan_launch(hq_of(settings), settings, sha[:8], "normalise-only").upload_id == upload
    configuration.add_client(hq_of(settings), "beta", actor=TESTER)
    other = upload_file(hq_of(settings), settings, tmp_path / "people.csv", "beta", actor=TESTER).upload_id
    with pytest.raises(ConfigurationError, match="can be several uploads"):
        plan_launch(hq_of(settings), settings, sha, "normalise-only")
    assert plan_launch(hq_of(settings), settings, sha, "normalise-only", client="beta").upload_id == other
    with pytest.raises(NotFoundError):
        plan_launch(hq_of(settings), settings, upload, "normalise-only", client="beta")
    with pytest.raises(NotFoundError):
        plan_launch(hq_of(settings), settings, "999999", "normalise-only")


def test_another_clients_pipeline_cannot_be_launched(settings: Settings, upload: int) -> None:
    configuration.add_client(hq_of(settings), "beta", actor=TESTER)
    configuration.add_pipeline(
        hq_of(settings), configuration.pipeline_from_steps("theirs", "normalise-name"), "beta", actor=TESTER
    )
    with pytest.raises(NotFoundError, match="client acme has no pipeline 'theirs'"):
        plan_launch(hq_of(settings), settings, upload, "theirs")


def test_a_list_of_which_no_column_is_known_is_launched_only_once_one_is_mapped(
    settings: Settings, upload: int, tmp_path: Path
) -> None:
    path = tmp_path / "unknown.csv"
    path.write_text("Spalte 1,Spalte 2\nAda,ada@acme.com\n")
    unknown = upload_file(hq_of(settings), settings, path, "acme", actor=TESTER).upload_id
    assert any(
        "no column" in problem for problem in plan_launch(hq_of(settings), settings, unknown, "normalise-only").problems
    )
    with pytest.raises(ConfigurationError, match=r"no column of upload \d+ is recognised \('Spalte 1', 'Spalte 2'\)"):
        launch(
            hq_of(settings), settings, unknown, "normalise-only", add_partition=Partitions(settings).add, actor=TESTER
        )
    mapped = map_columns(hq_of(settings), settings, unknown, {"Spalte 2": "email"}, actor=TESTER)
    launched = launch(
        hq_of(settings), settings, mapped, "normalise-only", add_partition=Partitions(settings).add, actor=TESTER
    )
    assert (launched.upload_id, launched.items) == (mapped, 1)
