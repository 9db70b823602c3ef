"""Exporting leads: the list as it was uploaded, own fields as columns, before the last answer."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import python_calamine
import typer
from typer.testing import CliRunner

from enrichment_assets.cli import explain, export, query
from enrichment_assets.cli.hints import told
from enrichment_assets.domain.errors import ConfigurationError, EnrichError, NotFoundError
from enrichment_assets.domain.pipeline import PipelineDefinition
from enrichment_assets.domain.planning import build_blueprint
from enrichment_assets.services.batches.extracting import NotStartedError
from enrichment_assets.services.batches.items import create_items
from enrichment_assets.services.insight.editing import edit_lead
from enrichment_assets.services.insight.explain import explain_lead
from enrichment_assets.services.insight.leads import export_leads
from enrichment_assets.services.uploads.upload import upload_file
from enrichment_assets.settings import Settings
from enrichment_assets.store.batches.launching import insert_batch
from enrichment_assets.store.database import connect
from tests.actors import TESTER
from tests.harness.batches import BatchHarness, Launched, async_step, step
from tests.harness.handles import hq_of

HEADER = ["First Name", "E-Mail", "E-Mail", "", "score", "Note", "n", "scenario"]
ROWS = [
    ["Ada", "ada@acme.com", "a@home.example", "x", "007", " spaced ", "1", "found"],
    ["Ben", "", "", "", "1e5", 'say "hi", you', "2", "miss"],
    ["Cid", "n/a", "", "", "", "two\nlines", "3", "found"],
    ["Ada", "ada@acme.com", "a@home.example", "x", "007", " spaced ", "1", "found"],
    ["Eve", "eve@acme.com", "", "", "", "=1+1", "4", "error"],
]
TOO_LONG = ["Dan", "d@acme.com", "", "", "", "", "9", "found", "one too many"]


@dataclass
class Returned:
    """A batch of which every row's first step is over, and the second waits for callbacks of two rows."""

    batch: Launched
    settings: Settings
    folder: Path

    def table(self, name: str, **options: bool) -> tuple[list[str], list[list[str]]]:
        """Header and rows of the leads as CSV."""
        export_leads(hq_of(self.settings), self.settings, self.batch.key, self.folder / name, **options)
        lines = list(csv.reader(io.StringIO((self.folder / name).read_bytes().decode())))
        return lines[0], lines[1:]


@pytest.fixture
def returned(harness: BatchHarness, tmp_path: Path) -> Returned:
    path = tmp_path / "list.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([HEADER, *ROWS[:2], TOO_LONG, *ROWS[2:]])
    harness.launch([{"first_name": "Other"}], step("other"))  # a batch of the same client that is in no answer
    upload_file(hq_of(harness.settings), harness.settings, path, "acme", actor=TESTER)
    row = harness.hq.execute("select * from uploads order by id desc limit 1").fetchone()
    harness.hq.rollback()
    assert row is not None
    first = step(
        "judge",
        request={
            "url": "/enrich",
            "headers": {"x-sandbox-scenario": "{{original.scenario}}"},
            "body": {"n": "{{original.n}}"},
        },
        provides={"verdict": "step || found", "their_score": "length(id)"},
        types={"their_score": "number"},
        retry={"attempts": 1},
    )
    later = async_step("phone-later", requires=["email"], step=2)
    blueprint = build_blueprint(
        "acme", PipelineDefinition(slug="p", steps=["judge", "phone-later"]), {w.slug: w for w in (first, later)}, {}
    )
    with connect(harness.settings.hq_database_url or "") as connection:
        assert insert_batch(connection, "list", row, blueprint)
        connection.commit()
    with pytest.raises(NotStartedError) as early:
        export_leads(hq_of(harness.settings), harness.settings, "list", tmp_path / "early.csv")
    assert "`enrich run list`" in told(early.value)
    create_items(hq_of(harness.settings), harness.settings, "list")
    found = harness.hq.execute("select id from batches where batch_key = 'list'").fetchone()
    harness.hq.rollback()
    assert found is not None
    batch = Launched(harness.settings, harness.hq, harness.sandbox, "list", found["id"], "acme")
    batch.run()
    return Returned(batch, harness.settings, tmp_path)


def test_the_uploaded_list_comes_back_before_the_last_callback(returned: Returned) -> None:
    header, rows = returned.table("back.csv", with_upload=True)
    assert header[:8] == HEADER, "names and order as uploaded, a repeated and a blank one too"
    assert [row[:8] for row in rows] == [*ROWS[:2], [""] * 8, *ROWS[2:]], (
        "every cell as it was, every row once, in order"
    )
    places = {name: place for place, name in enumerate(header) if place > 7}
    assert [row[places["row_number"]] for row in rows] == ["1", "2", "3", "4", "5", "6"]
    status = [row[places["row_status"]] for row in rows]
    assert status == ["open", "not_found", "rejected", "found", "open", "failed"]
    reasons = [row[places["row_reason"]] for row in rows]
    assert "9 cells, but the header has 8" in reasons[2]
    assert reasons[1] == "phone-later: missing_input: email" and reasons[5].startswith("judge: ")
    assert rows[0][places["their_score"]] != "", "an own workflow's field is a column"
    assert "other_fields" not in header and len(set(header[8:])) == len(header[8:])

    same = {"back.xlsx": None, "back.json": None, "back.parquet": None}
    for name in same:
        assert (
            export_leads(
                hq_of(returned.settings), returned.settings, "list", returned.folder / name, with_upload=True
            ).rows
            == 6
        )
    sheet = (
        python_calamine.CalamineWorkbook.from_path(str(returned.folder / "back.xlsx")).get_sheet_by_index(0).to_python()
    )
    assert sheet[0][:8] == HEADER
    assert [row[4] for row in sheet[1:]] == ["007", "1e5", "", "", "007", ""], "text stays text in a workbook"
    objects = json.loads((returned.folder / "back.json").read_text())
    assert list(objects[0])[:4] == ["First Name", "E-Mail", "E-Mail (2)", "column_4"]
    assert isinstance(objects[0]["their_score"], int | float), "a declared number is one"
    assert pq.read_table(returned.folder / "back.parquet").num_rows == 6


def test_own_fields_are_columns_of_leads_and_can_be_explained_and_corrected(returned: Returned) -> None:
    billed = returned.batch.billed()
    header, rows = returned.table("leads.csv")
    assert {"verdict", "their_score", "phone_later", "row_status", "email"} <= set(header)
    assert "other_fields" not in header
    leads = [dict(zip(header, row, strict=True)) for row in rows]
    assert [lead["row_number"] for lead in leads] == ["1", "2", "4", "5", "6"]
    item = int(leads[0]["item_id"])
    (chain,) = explain_lead(hq_of(returned.settings), returned.settings, "list", item, "their_score")
    assert chain.final == leads[0]["their_score"] and chain.links[0].source == "judge"
    (nothing,) = explain_lead(hq_of(returned.settings), returned.settings, "list", item, "phone_later")
    assert (nothing.final, nothing.because) == (None, "nobody gave a value")
    with pytest.raises(NotFoundError, match="no field `verdcit`"):
        explain_lead(hq_of(returned.settings), returned.settings, "list", item, "verdcit")

    edit_lead(hq_of(returned.settings), returned.settings, "list", item, "their_score", "0.75", by="ada", actor=TESTER)
    edit_lead(hq_of(returned.settings), returned.settings, "list", item, "verdict", "no fit", by="ada", actor=TESTER)
    for column, value in (("their_score", "rather good"), ("stepz", "1"), ("employment_history", "[]")):
        with pytest.raises(ConfigurationError, match=f"`{column}` cannot be"):
            edit_lead(hq_of(returned.settings), returned.settings, "list", item, column, value, by="ada", actor=TESTER)
    header, rows = returned.table("leads.csv")
    lead = dict(zip(header, rows[0], strict=True))
    assert (lead["their_score"], lead["verdict"]) == ("0.75", "no fit"), "a correction is there without another run"
    assert returned.batch.billed() == billed, "an export asks nobody"


def test_the_commands_say_how_far_the_batch_is(returned: Returned, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = returned.settings
    monkeypatch.setenv("ENRICH_HOME", str(settings.home))
    monkeypatch.setenv("HQ_DATABASE_URL", settings.hq_database_url or "")
    monkeypatch.setenv("WORKSPACE_DATABASE_URL", settings.workspace_database_url or "")
    app = typer.Typer()
    for module in (query, export, explain):
        module.register(app)
    runner = CliRunner()
    empty = runner.invoke(app, ["query", "select * from final_leads", "--format", "csv"])
    assert "batch list is not extracted yet: 3 of 5 items are done. Next: enrich extract list" in empty.stderr
    done = runner.invoke(app, ["extract", "list"])
    assert "3 of 5 items are done" in done.stdout
    counted = runner.invoke(app, ["query", "select count(*) from final_leads", "--format", "csv"])
    assert counted.stdout.split() == ["count_star()", "5"] and counted.stderr == ""
    printed = runner.invoke(app, ["export", "list", "leads", "--with-upload"])
    assert next(csv.reader(io.StringIO(printed.stdout)))[:8] == HEADER
    assert "3 of 5 items are done" in printed.stderr and "enrich run list" in printed.stderr
    other = runner.invoke(
        app, ["export", "list", "final_leads", "--with-upload", "--to", str(returned.folder / "f.csv")]
    )
    assert isinstance(other.exception, EnrichError) and "--with-upload goes with leads" in str(other.exception)
