"""Leads that come one after another share an open batch, which grows by parts and comes to rest again and again."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import replace

import orjson
import pyarrow.parquet as pq
import pytest

from enrichment_assets.assets.results import export_results
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.known_policy import Known
from enrichment_assets.domain.sources import Window
from enrichment_assets.services.batches.items import create_items
from enrichment_assets.services.batches.launching import launch, plan_launch
from enrichment_assets.services.batches.replacing import give_up_batch
from enrichment_assets.services.batches.status import status
from enrichment_assets.services.catalog.configuration import add_client, add_pipeline, pipeline_from_steps
from enrichment_assets.services.sources import gathering
from enrichment_assets.services.sources.gathering import Into
from enrichment_assets.services.sources.leads import JobState, add_leads, get_job
from enrichment_assets.services.uploads.upload import read_rows, upload_again
from enrichment_assets.warehouse.files import RAW_UPLOADS, Layout
from tests.actors import TESTER
from tests.chaos.points import GATHERING, Point
from tests.harness.handles import hq_of
from tests.sources.conftest import Desk, killed_at

ADA = {"first_name": "Ada", "company_name": "Engines", "n": "1"}
BEN = {"first_name": "Ben", "company_name": "Engines", "n": "2"}
CID = {"first_name": "Cid", "company_name": "Mechanism", "n": "3", "note": "a new column, with 'quotes'\nand lines"}


def test_leads_of_an_hour_share_a_batch_that_is_worked_on_again_when_more_come(desk: Desk) -> None:
    hq, settings = hq_of(desk.settings), desk.settings
    first = desk.add(ADA)
    batch = desk.batch(first.batch_key)
    assert first.opened and first.batch_key.startswith("acme-by-hand-mine-20")
    assert get_job(hq, settings, first.jobs[0]).state is JobState.WAITING
    batch.run()
    job = get_job(hq, settings, first.jobs[0], "acme")
    assert (job.state, job.row_number, job.batch) == (JobState.DONE, 1, first.batch_key)
    assert [(one.workflow, one.outcome) for one in job.steps] == [("match", "found"), ("firm", "found")]
    assert status(hq, settings, batch.key).finished

    # Ben's company is known already, Cid brings a column that the upload did not have.
    second = desk.add(BEN, CID)
    assert (second.opened, second.batch_id) == (False, first.batch_id)
    waiting = desk.rows("select finished_at, resume_at <= clock_timestamp() as due from batches")[0]
    assert waiting == {"finished_at": None, "due": True}
    batch.run()
    assert batch.billed("firm") == 2, "a company of both parts is asked about once"
    assert batch.billed("match") == 3, "nobody is asked about twice"

    report = create_items(hq, settings, batch.key)
    assert (report.rows, report.items, report.rejected, report.created) == (3, 3, 0, 0)
    upload = desk.rows("select * from uploads")[0]
    assert (upload["row_count"], upload["rejected_count"], upload["gathered"]) == (3, 0, True)
    assert [column["name"] for column in upload["columns"]] == ["first_name", "company_name", "n", "note"]
    kept = [row for part in read_rows(hq, settings, second.upload_id) for row in part.to_pylist()]
    assert [row["note"] for row in kept] == [None, None, CID["note"]]
    parts = desk.rows("select number, first_row, rows, sha256 from upload_parts order by number")
    assert [(part["number"], part["first_row"], part["rows"]) for part in parts] == [(1, 1, 1), (2, 2, 2)]
    lines = [orjson.dumps(lead, option=orjson.OPT_SORT_KEYS) + b"\n" for lead in (BEN, CID)]
    assert parts[1]["sha256"] == hashlib.sha256(b"".join(lines)).hexdigest()
    cells = [row["cells"] for row in desk.rows("select cells from upload_rows order by row_number")]
    assert cells == [ADA, BEN, CID]

    export_results(hq, settings, batch.key)
    raw = Layout.of(settings).source(RAW_UPLOADS, "acme", batch.key)
    assert pq.read_table(raw).num_rows == 3
    desk.add({"first_name": "Dan"})
    export_results(hq, settings, batch.key)
    assert pq.read_table(raw)["note"].to_pylist() == [None, None, CID["note"], None]


def test_a_batch_closes_when_its_time_is_over_its_work_changes_or_somebody_ends_it(desk: Desk) -> None:
    hq, settings = hq_of(desk.settings), desk.settings
    keys = [desk.add(ADA).batch_key]

    def again(into: Into | None = None) -> bool:
        keys.append(desk.add(ADA, into=into).batch_key)
        return keys[-1] != keys[-2]

    assert not again()
    desk.change("update batches set closes_at = clock_timestamp()")
    assert again(), "its hour is over"
    add_pipeline(hq, pipeline_from_steps("mine", "match"), "acme", actor=TESTER)
    assert again(), "the pipeline has changed"
    give_up_batch(hq, keys[-1], actor=TESTER)
    assert again(), "it was given up"
    desk.change('update batches set holds = \'{"*": {"kind": "cancelled"}}\' where batch_key = %s', keys[-1])
    assert again(), "it was cancelled"
    assert again(replace(desk.into, mapping={"n": "title"})), "its columns are read otherwise"
    assert again(replace(desk.into, gathers="api", source="api")), "it comes from elsewhere"
    day = replace(desk.into, window=Window.DAY)
    assert again(day) and keys[-1].startswith("acme-by-hand-mine-20")
    launched = launch(
        hq, settings, desk.rows("select max(upload_id) as id from batches")[0]["id"], "other",
        actor=TESTER, add_partition=lambda _: None,
    )  # fmt: skip
    assert launched.items == 1
    assert create_items(hq, settings, launched.batch_key).created == 1
    assert again(day), "another batch has its rows, and stays as it was launched"
    assert len(set(keys)) == len(keys) - 1
    by_window = desk.rows("select closes_at - created_at as open from batches where gathers is not null")
    assert max(row["open"].total_seconds() for row in by_window) <= 86_400


def test_a_full_batch_takes_no_more(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "ROWS_OF_A_BATCH", 2)
    keys = [desk.add(*leads).batch_key for leads in ([ADA], [BEN], [CID, ADA, BEN], [ADA])]
    assert keys[0] == keys[1] and len(set(keys)) == 3
    assert keys[2:] == [f"{keys[0]}-2", f"{keys[0]}-3"]


def test_ten_at_once_go_into_one_batch_each_with_a_row_of_its_own(desk: Desk) -> None:
    done: list[int] = []

    def add(number: int) -> None:
        settings = replace(desk.settings, home=desk.settings.home / str(number))  # a handle of its own
        lead = {**ADA, "n": str(number)}
        done.extend(add_leads(hq_of(settings), settings, desk.into, [lead], actor=TESTER).jobs)

    threads = [threading.Thread(target=add, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = desk.rows("select id, row_number, batch_id from batch_items order by row_number")
    assert sorted(done) == sorted(row["id"] for row in rows)
    assert [row["row_number"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert len({row["batch_id"] for row in rows}) == 1


@pytest.mark.parametrize("point", GATHERING, ids=str)
def test_a_process_that_dies_while_it_takes_leads_leaves_all_of_them_or_none(desk: Desk, point: Point) -> None:
    desk.add(ADA)
    killed_at(point, lambda: desk.add(BEN, CID))
    create_items(hq_of(desk.settings), desk.settings, desk.rows("select batch_key from batches")[0]["batch_key"])
    assert desk.rows("select row_count from uploads")[0]["row_count"] == 1
    assert desk.add(BEN, CID).jobs == [row["id"] for row in desk.rows("select id from batch_items order by id")][1:]
    counts = "select (select count(*) from upload_rows) as rows, (select sum(rows) from upload_parts) as parts"
    assert desk.rows(counts) == [{"rows": 3, "parts": 3}]


@pytest.mark.parametrize(
    ("lead", "code"),
    [
        ({}, "lead.empty"),
        ({"first_name": "  "}, "lead.empty"),
        ({"": "Ada"}, "lead.name_invalid"),
        ({"first\nname": "Ada"}, "lead.name_invalid"),
        ({"first_name": "A\x00da"}, "lead.value_no_text"),
        ({"first_name": "\ud83d"}, "lead.value_no_text"),
        ({"first_name": "A" * 100_001}, "lead.value_too_long"),
        ({f"n{n}": "1" for n in range(201)}, "lead.too_many_values"),
        ({"shoe_size": "44"}, "launch.not_ready"),
    ],
)
def test_what_cannot_be_taken_is_refused_whole(desk: Desk, lead: dict[str, str], code: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        desk.add(ADA, lead) if code != "launch.not_ready" else desk.add(lead)
    assert refused.value.code == code
    assert desk.rows("select 1 from uploads") == []


def test_jobs_are_their_clients_alone_and_uploads_of_parts_are_mapped_at_their_source(desk: Desk) -> None:
    done = desk.add(ADA)
    add_client(hq_of(desk.settings), "globex", actor=TESTER)
    with pytest.raises(NotFoundError, match="no job"):
        get_job(hq_of(desk.settings), desk.settings, done.jobs[0], "globex")
    with pytest.raises(NotFoundError, match="no client"):
        desk.add(ADA, into=replace(desk.into, client="nobody"))
    with pytest.raises(ConfigurationError, match="came one by one"):
        upload_again(hq_of(desk.settings), desk.settings, done.upload_id, {"n": "title"}, actor=TESTER)
    plan = plan_launch(hq_of(desk.settings), desk.settings, done.upload_id, "mine")
    assert (plan.items, plan.companies) == (1, 1)


def test_a_lead_that_the_client_has_from_an_earlier_batch_is_skipped_where_the_pipeline_says_so(desk: Desk) -> None:
    mine = pipeline_from_steps("mine", "match").model_copy(update={"known": Known.SKIP})
    add_pipeline(hq_of(desk.settings), mine, "acme", actor=TESTER)
    ada = {**ADA, "email": "ada@engines.example"}
    first = desk.add(ada)
    desk.change("update batches set closes_at = clock_timestamp()")
    second = desk.add({**BEN, "email": "ben@engines.example"}, ada)
    assert second.batch_id != first.batch_id
    found = desk.rows(
        "select status, reason from workflow_states where item_id = any(%s) order by item_id", second.jobs
    )
    assert found == [
        {"status": "PENDING", "reason": None},
        {"status": "SKIPPED", "reason": f"known: in batch {first.batch_key}"},
    ]
