"""The folder of models as the platform sees it: promises, lineage, tests that catch what they are for."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.settings import Settings
from enrichment_assets.store.results.extraction import SOURCE_QUERIES
from enrichment_assets.warehouse import load_project, run_tests
from enrichment_assets.warehouse.files import Layout
from enrichment_assets.warehouse.kept_lineage import lineage_of
from enrichment_assets.warehouse.project import PROJECT_DIR
from enrichment_assets.warehouse.published_tables import POSTGRES_TYPES
from tests.warehouse.conftest import Build
from tests.warehouse.hq_data import Answer, Lead


def test_every_model_and_column_is_described_typed_and_tested() -> None:
    project = load_project()
    assert set(project.sources) == set(SOURCE_QUERIES)
    for model in project.models.values():
        assert model.description, model.name
        assert model.columns, model.name
        assert model.tests, model.name
        for column in model.columns:
            assert column.description, (model.name, column.name)
            assert column.type in POSTGRES_TYPES, (model.name, column.name)


def test_models_come_after_what_they_read() -> None:
    seen: set[str] = set()
    project = load_project()
    for model in project.models.values():
        assert {r for r in model.refs if r in project.models} <= seen, model.name
        seen.add(model.name)


def test_lineage_is_worked_out_once_for_a_state_of_the_sql(tmp_path: Path) -> None:
    layout, project = Layout(tmp_path), load_project()
    fresh = {name: model.column_lineage for name, model in project.models.items()}
    assert lineage_of(layout, project) == fresh
    file = tmp_path / "lineage.json"
    kept = json.loads(file.read_text())
    kept["models"]["final_leads"] = {"full_name": [["hq.batch_items", "kept"]]}
    file.write_text(json.dumps(kept))
    assert lineage_of(layout, project)["final_leads"] == {"full_name": [("hq.batch_items", "kept")]}
    changed = replace(project.models["final_leads"], columns=project.models["final_leads"].columns[:-1])
    one_less = replace(project, models={**project.models, "final_leads": changed})
    assert len(lineage_of(layout, one_less)["final_leads"]) == len(changed.columns)
    for damaged in ("", "[]", '{"models": 1}'):
        file.write_text(damaged)
        assert lineage_of(layout, project) == fresh


def test_column_lineage_reaches_the_columns_that_a_value_is_made_of() -> None:
    models = load_project().models
    assert models["person_work_history"].column_lineage["person_name"] == [
        ("hq.batch_items", "first_name"),
        ("hq.batch_items", "full_name"),
        ("hq.batch_items", "last_name"),
    ]
    assert ("stg_answers", "payload") in models["stg_employment"].column_lineage["organisation_name"]
    assert models["final_leads_provenance"].column_lineage["value"] == [("lead_values", "value")]
    for model in models.values():
        unknown = [c for c, origins in model.column_lineage.items() if not origins]
        assert model.layer == "analytics" or len(unknown) <= 2, (model.name, unknown)
        known = set(models) | {f"hq.{name}" for name in load_project().sources} | set(load_project().seeds)
        assert {relation for origins in model.column_lineage.values() for relation, _ in origins} <= known


def test_the_project_loads_fast_enough_for_definitions() -> None:
    program = (
        "import time; from enrichment_assets.warehouse.project import load_project; "
        "started = time.process_time(); load_project(); print(time.process_time() - started)"
    )
    spent = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert float(spent) < 1.5


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(PROJECT_DIR, tmp_path / "project")
    return tmp_path / "project"


def test_a_model_without_an_entry_in_schema_yml_is_refused(folder: Path) -> None:
    (folder / "models" / "marts" / "stray.sql").write_text("select 1 as x")
    with pytest.raises(ConfigurationError, match=r"stray\.sql has no entry"):
        load_project(folder)


def test_models_that_read_each_other_in_a_circle_are_refused(folder: Path) -> None:
    path = folder / "models" / "staging" / "stg_answers.sql"
    path.write_text(path.read_text() + "\nwhere 1 in (select count(*) from {{ ref('final_leads') }})")
    with pytest.raises(ConfigurationError, match="in a circle"):
        load_project(folder)


def test_a_test_that_no_macro_defines_is_refused(folder: Path) -> None:
    schema = folder / "models" / "staging" / "schema.yml"
    schema.write_text(schema.read_text().replace("- not_null", "- not_nul", 1))
    with pytest.raises(ConfigurationError, match="`not_nul`"):
        load_project(folder)


def test_a_template_with_an_unknown_name_is_refused(folder: Path) -> None:
    path = folder / "models" / "marts" / "companies.sql"
    path.write_text(path.read_text() + "{{ reff('x') }}")
    with pytest.raises(ConfigurationError, match="does not render"):
        load_project(folder)


def test_the_tests_of_a_model_fail_on_the_rows_they_are_about(build: Build, settings: Settings) -> None:
    job = {"organization_name": "Acme", "title": "CTO"}
    build([Lead({"full_name": "A"}, [Answer("m", {"person": {"employment_history": [job]}})])], batch_key="b")
    assert all(t.passed for t in run_tests(settings, "b", ["person_work_history"])["person_work_history"])
    path = Layout.of(settings).model("person_work_history", "acme", "b")
    table = pq.read_table(path, partitioning=None)
    notes = pa.array(["nonsense", None], pa.string())
    broken = pa.concat_tables([table, table]).set_column(table.column_names.index("date_note"), "date_note", notes)
    pq.write_table(broken, path)
    reports = run_tests(settings, "b", ["person_work_history"])["person_work_history"]
    failed = {t.name: t.failures for t in reports if not t.passed}
    assert failed == {
        "unique_together_person_work_history_batch_key_item_id_source_workflow_ordinal": 1,
        "accepted_values_person_work_history_date_note": 1,
        "entries_equal_rows_and_exclusions": 1,
    }
