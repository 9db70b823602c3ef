"""A person is found, exported and erased: everywhere, for good, and with every count as it was."""

import gzip
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dagster._core.instance.ref import InstanceRef

from enrichment_assets.domain.person_traces import Traits, needles_of
from enrichment_assets.services.batches.extracting import ensure_raw_upload
from enrichment_assets.services.batches.storing import store_results
from enrichment_assets.services.insight.editing import edit_lead
from enrichment_assets.services.insight.html_report import write_report
from enrichment_assets.services.people import access, erasing
from enrichment_assets.services.people.certificates import as_markdown
from enrichment_assets.services.people.identifying import whom_of
from enrichment_assets.services.people.inventory import Scope, scope_of
from enrichment_assets.services.people.keeping_out import look_again
from enrichment_assets.services.uploads.upload import upload_file
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect
from enrichment_assets.store.people import other_tables
from enrichment_assets.warehouse import (
    build_analytics,
    build_models,
    publish_batch_sources,
    publish_marts,
    publish_organisations,
)
from enrichment_assets.warehouse.files import Layout
from tests.actors import TESTER
from tests.chaos.points import ERASING
from tests.engine.hostile_server import answering
from tests.harness.batches import BatchHarness, Launched, async_step, company_step, step
from tests.harness.fork_server import KILLED, fork_server
from tests.harness.handles import hq_of
from tests.people.trace_search import traces
from tests.recovery.conftest import RegisteredBatch

HERS = ("quixby", "zélda", "2127365000", "pumps-and-poetry")
"""What tells of her and of nobody else here; the last is a word of her own in an answer."""

ROWS = [
    {"first_name": "Zélda", "last_name": "Quixby", "email": "Zelda.Quixby@acme.com", "company_name": "Acme GmbH",
     "n": "1", "phone": "+1 (212) 736-5000", "linkedin_url": "https://uk.linkedin.com/in/Zelda-Quixby-77/"},
    {"first_name": "Bob", "last_name": "Brown", "email": "bob@acme.com", "company_name": "Acme GmbH", "n": "2",
     "phone": "", "linkedin_url": "https://linkedin.com/in/bob-brown"},
    {"first_name": "Cid", "last_name": "Carter", "email": "cid@beta.com", "company_name": "Beta Ltd", "n": "3",
     "phone": "", "linkedin_url": ""},
]  # fmt: skip


@dataclass
class Installation:
    """One batch that has gone all the way, with a report and Dagster's history beside it."""

    settings: Settings
    batch: Launched
    scope: Scope
    report: Path
    launcher: BatchHarness

    def traces(self, *values: str) -> list[str]:
        return traces(self.settings, values or HERS, self.report)

    def counts(self) -> dict[str, Any]:
        """How many rows there are of everything that is counted."""
        tables = ("batch_items", "workflow_states", "enrichment_results", "enrichment_results_log", "provider_calls")
        found = {name: self.batch.rows(f"select count(*) as n from {name}")[0]["n"] for name in tables}
        found["spent"] = self.batch.rows("select sum(cost) as n from provider_calls")[0]["n"]
        with connect(self.settings.workspace_database_url or "") as workspace:
            found["leads"] = workspace.execute("select count(*) as n from final_leads").fetchone()
        return found


@pytest.fixture
def installation(harness: RegisteredBatch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installation]:
    settings = harness.settings
    launcher = BatchHarness(settings, harness.hq, harness.sandbox, harness.folder)
    with answering() as server:
        server.bodies |= {
            "/find/1": b'{"found": true, "mail": "z.quixby@home.example", "hobby": "pumps-and-poetry", '
            b'"name": "Z\\u00e9lda Quixby", "tel": "+12127365000"}',
            "/find/2": b'{"found": true, "mail": "bob@home.example", "hobby": "chess"}',
            "/season": b'{"found": true, "season": "autumn"}',
            "/firm/3": b'{"found": true, "size": 1, "note": "founded in a garage", "people": []}',
            **dict.fromkeys(("/firm/1", "/firm/2"), json.dumps(
                {"found": True, "size": 12, "note": "founded by Zélda Quixby and Bob Brown",
                 "people": [{"first": "Zélda", "last": "Quixby", "motto": "pumps-and-poetry"},
                            {"first": "Bob", "last": "Brown", "motto": "no"}]}
            ).encode()),
        }  # fmt: skip
        find = step(
            "find",
            request={"url": server.url + "/find/{{original.n}}"},
            provides={"personal_email": "mail", "hobby": "hobby"},
            reuse_for="30d",
            destination={"table": "found_people", "create": True, "columns": {"mail": "fields.personal_email"}},
        )
        firm = company_step(
            "firm", request={"url": server.url + "/firm/{{original.n}}"}, provides={"size": "size", "note": "note"}
        )
        # A question without anybody in it: the answer to the first who asked counts for all.
        ask = step("ask", request={"url": server.url + "/season"}, provides={"season": "season"}, reuse_for="30d")
        batch = launcher.launch(ROWS, find, firm, ask, async_step("later", provides={"headline": "headline"}))
        batch.run(linger=0.1)
    for call in batch.calls("later"):
        said = {"found": True, "headline": "Zélda Quixby, CEO" if call["item_id"] == batch.first_item() else "Sales"}
        batch.call_back(call, said)
    batch.run(linger=0.1)
    assert batch.statuses() == {"COMPLETED": 12}
    hq = hq_of(settings)
    edit_lead(hq, settings, batch.key, batch.first_item(), "title", "Quixby's chair", actor=TESTER, by="ada")
    store_results(hq, batch.key)
    publish_batch_sources(hq, settings, batch.key)
    ensure_raw_upload(hq, settings, batch.key)
    build_models(settings, batch.key)
    build_analytics(settings)
    publish_marts(hq, settings, batch.key)
    publish_organisations(hq, settings)
    batch.change("update batches set extracted_at = now(), finished_at = coalesce(finished_at, now())")
    report = tmp_path / "report.html"
    write_report(hq, settings, batch.key, report)
    report.write_text(report.read_text().replace("</body>", "<p>Dear Z&#233;lda Quixby</p></body>"))
    (settings.home / "logs").mkdir()
    (settings.home / "logs" / "engine.log").write_text('{"said": "zelda.quixby@acme.com refused"}\n')
    for name, value in (("HQ", settings.hq_database_url), ("DAGSTER", settings.dagster_database_url)):
        monkeypatch.setenv(f"{name}_DATABASE_URL", value or "")
    _run_dagster(tmp_path)
    scope = scope_of(hq, settings, settings.dagster_database_url or "", None)
    yield Installation(settings, batch, scope, report, launcher)


@dg.asset
def says(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
    context.log.info("looked for Zélda Quixby")
    return dg.MaterializeResult(metadata={"mail": "zelda.quixby@acme.com"})


def _run_dagster(folder: Path) -> None:
    with dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(folder), config_dir=str(Path.cwd()))) as instance:
        assert dg.materialize([says], instance=instance).success


@pytest.mark.crashes
def test_a_person_is_found_and_exported_and_erased_by_a_command_that_is_killed_at_every_point(
    installation: Installation, tmp_path: Path
) -> None:
    _told_of(installation.batch)
    whom, scope, batch = whom_of("zelda.quixby+news@ACME.com", None, None, None), installation.scope, installation.batch
    before, places = installation.counts(), installation.traces()
    kinds = {place.split(".")[1] if place.startswith("public.") else Path(place).name for place in places}
    assert {
        "batch_items", "enrichment_results", "provider_calls", "callback_inbox", "item_edits", "found_people",
        "final_leads", "outgoing_events", "engine.log", "report.html", "acme-1.parquet",
    } <= kinds, "the search sees what is there"  # fmt: skip
    assert any("event_logs" in place for place in places)

    found = access.find(scope, whom)
    assert found.person.items == (batch.first_item(),)
    assert {trace.place for trace in found.traces.found} == {
        "HQ", "uploads", "workspace", "warehouse", "Dagster", "files"
    }  # fmt: skip
    assert access.find(scope, whom_of(None, "linkedin.com/in/zelda-quixby-77", None, None)).person == found.person
    by_name = access.find(scope, whom_of(None, None, "Zelda Quixby", "ACME")).person
    assert (by_name.items, by_name.identities) == (found.person.items, found.person.identities)
    assert installation.traces() == places, "finding changes nothing"

    exported = tmp_path / "hers.json"
    rows = access.export(scope, whom, exported, actor=TESTER)
    said = json.loads(exported.read_text())
    assert rows == sum(map(len, said["places"].values())) and exported.stat().st_mode & 0o077 == 0
    assert said["places"]["uploads"][0]["cells"]["email"] == "Zelda.Quixby@acme.com"
    assert "pumps-and-poetry" in str(said["places"]["hq.provider_calls"])
    assert "bob" not in str(said["places"]["hq.batch_items"]).casefold()

    _of_one_client_no_other_clients_data_is_looked_at(installation, tmp_path)

    certificate = _erase_with_kills(installation)
    assert installation.traces() == []
    assert certificate["reason"] == "[redacted] has asked"
    assert certificate["still_found"] == [] and certificate["items"] == 1
    assert certificate["places"]["uploads"]["rows"] == 1
    webhooks = [one for one in certificate["left_to_a_person"] if one["where"].startswith("webhook ")]
    assert webhooks == [
        {"where": "webhook crm", "why": "messages about them that arrived there: 2, from 2026-11-01T08:00:00+00:00 "
         "to 2026-11-03T09:30:00+00:00; tried and not confirmed: 1"},
        {"where": "webhook slow", "why": "tried and not confirmed: 1"},
    ]  # fmt: skip
    assert "webhook crm: messages about them that arrived there: 2" in as_markdown(certificate)
    assert not any(value in as_markdown(certificate).casefold() for value in HERS)
    assert installation.counts() == before
    (lead,) = _leads(installation, "email = 'bob@acme.com'")
    assert (lead["first_name"], lead["last_name"]) == ("Bob", "Brown"), "her colleague stays whole"
    (firm,) = batch.rows(
        "select r.payload from batch_items i join workflow_states s on s.item_id = i.id "
        "join enrichment_results r on r.id = s.result_id where s.workflow_slug = 'firm' and i.first_name = 'Bob'"
    )
    assert firm["payload"]["people"] == [{}, {"first": "Bob", "last": "Brown", "motto": "no"}]
    assert firm["payload"]["note"] == "founded by [redacted] and Bob Brown"
    seasons = batch.rows(
        "select r.fields from workflow_states s join enrichment_results r on r.id = s.result_id "
        "where s.workflow_slug = 'ask'"
    )
    assert [row["fields"] for row in seasons] == [{"season": "autumn"}] * 3, "her colleagues' answer as well"
    (upload,) = batch.rows("select * from uploads")
    assert (upload["row_count"], upload["erased_rows"]) == (3, 1)
    kept = (installation.settings.uploads_dir / "acme" / upload["sha256"]).read_text().splitlines()
    assert kept[1].startswith("[redacted],,") and kept[2].startswith("Bob,Brown")

    _a_later_list_stays_without_her(installation)
    _a_late_callback_is_erased_again(installation)
    _a_database_out_of_a_backup_is_told(installation)


TOLD = (
    ("crm", (0,), "arrived", 1, "2026-11-01 09:00+01"),
    ("crm", (1, 0), "arrived", 3, "2026-11-03 09:30+00"),
    ("crm", (0,), "given_up", 8, "2026-11-04 00:00+00"),
    ("crm", (1,), "arrived", 1, "2026-11-05 00:00+00"),
    ("crm", (0,), "withheld", 0, "2026-11-06 00:00+00"),
    ("slow", (0,), "waiting", 2, None),
    ("other", (1,), "arrived", 1, "2026-11-01 00:00+00"),
)
"""Webhook, places of the items in a message, what became of it, attempts, when it ended."""


def _told_of(batch: Launched) -> None:
    """Clients' servers have heard of her, of Bob, or of both."""
    for name in ("crm", "slow", "other"):
        batch.change(
            "insert into outgoing_webhooks (client_id, name, url, events, secret_variable) "
            "select id, %s, 'https://crm.example', '[\"lead.ready\"]', 'HOOK' from clients where slug = 'acme'",
            name,
        )
    for webhook, places, state, attempts, ended in TOLD:
        batch.change(
            "with told as (insert into outgoing_events (client_id, batch_id, item_id, type, data, laid_out_at) "
            "select client_id, batch_id, id, 'lead.ready', jsonb_build_object('full_name', last_name), now() "
            "from batch_items where id = any(%s) returning id) "
            "insert into outgoing_messages (webhook_id, client_id, type, events, state, attempts, ended_at) "
            "select w.id, w.client_id, 'lead.ready', array(select id from told), %s, %s, %s "
            "from outgoing_webhooks w where w.name = %s",
            *([batch.first_item() + place for place in places], state, attempts, ended, webhook),
        )


def _of_one_client_no_other_clients_data_is_looked_at(installation: Installation, folder: Path) -> None:
    settings, whom = installation.settings, whom_of("zelda.quixby@acme.com", None, None, None)
    acme = scope_of(installation.scope.hq, settings, installation.scope.dagster_url, "acme")
    alone = access.find(acme, whom).traces
    with connect(settings.workspace_database_url or "", autocommit=True) as workspace:
        workspace.execute(
            "insert into found_people (client_slug, batch_key, item_id, workflow_slug, fetched_at, mail) "
            "values ('beta', 'beta-1', 999999, 'find', now(), 'zelda.quixby@acme.com')"
        )
        workspace.execute("create table notes (said text)")
        workspace.execute("insert into notes values ('zelda.quixby@acme.com, says another client')")
    parquet = Layout.of(settings).model("final_leads", "beta", "beta-1")
    parquet.parent.mkdir(parents=True)
    pq.write_table(pa.table({"client_slug": ["beta"], "email": ["zelda.quixby@acme.com"]}), parquet)
    assert access.find(acme, whom).traces == alone
    access.export(acme, whom, folder / "acme.json", actor=TESTER)
    assert (
        "beta" not in (folder / "acme.json").read_text() and "another client" not in (folder / "acme.json").read_text()
    )
    with connect(settings.workspace_database_url or "") as workspace:
        (table,) = (one for one in other_tables.tables_of(workspace, ()) if one.name == "found_people")
        needles = needles_of(Traits(emails=frozenset({"zelda.quixby@acme.com"})))
        other_tables.black_out(workspace, table, needles, names=False, client="acme")
        (row,) = workspace.execute("select mail from found_people where client_slug = 'beta'").fetchall()
        assert row["mail"] == "zelda.quixby@acme.com"
        assert other_tables.black_out(workspace, table, needles, names=False, client="beta") == 1
        workspace.rollback()
    with connect(settings.workspace_database_url or "", autocommit=True) as workspace:
        workspace.execute("drop table notes")
    parquet.unlink()


def _a_later_list_stays_without_her(installation: Installation) -> None:
    settings = installation.settings
    first = settings.home.parent / "acme-1.csv"
    assert "Quixby" in first.read_text()
    assert upload_file(hq_of(settings), settings, first, "acme", actor=TESTER).already_known
    assert installation.traces() == [], "the same file again is the upload without her"
    new = settings.home.parent / "new.csv"
    new.write_text(first.read_text().replace("Carter", "Cartwright"))
    assert not upload_file(hq_of(settings), settings, new, "acme", actor=TESTER).already_known
    new.unlink()
    again = installation.launcher.launch(ROWS, step("find"))
    assert installation.traces() == []
    (upload,) = again.rows("select * from uploads where id = (select max(id) from uploads)")
    assert (upload["row_count"], upload["erased_rows"]) == (3, 1)
    items = again.rows("select first_name from batch_items where batch_id = %s order by row_number", again.batch_id)
    assert [item["first_name"] for item in items] == [None, "Bob", "Cid"]
    assert look_again(installation.scope, actor=TESTER).finished == 1
    assert installation.traces() == []


def _a_late_callback_is_erased_again(installation: Installation) -> None:
    batch = installation.batch
    (call,) = (one for one in batch.calls("later") if one["item_id"] == batch.first_item())
    batch.call_back(call, {"found": True, "headline": "Zélda Quixby, once more", "to": "zelda.quixby@acme.com"})
    assert installation.traces() == ["public.callback_inbox.body"]
    look_again(installation.scope, actor=TESTER)
    batch.run(linger=0.1)
    look_again(installation.scope, actor=TESTER)
    assert installation.traces() == []


def _a_database_out_of_a_backup_is_told(installation: Installation) -> None:
    batch = installation.batch
    batch.change("delete from person_erasures")
    batch.change("delete from suppressions")
    batch.change(
        "update batch_items set first_name = 'Zélda', last_name = 'Quixby', email = 'zelda.quixby@acme.com', "
        "original_data = jsonb_build_object('mail', 'Zelda.Quixby@acme.com') where id = %s",
        batch.first_item(),
    )
    assert installation.traces() != []
    assert look_again(installation.scope, actor=TESTER).restored == 1
    assert installation.traces() == []
    assert batch.rows("select count(*) as n from suppressions where sealed is null")[0]["n"] > 2
    assert look_again(installation.scope, actor=TESTER).restored == 0


def _erase_with_kills(installation: Installation) -> Mapping[str, Any]:
    settings = installation.settings
    order = {
        "home": str(settings.home),
        "hq": settings.hq_database_url,
        "workspace": settings.workspace_database_url,
        "dagster": settings.dagster_database_url,
        "email": "zelda.quixby@acme.com",
    }
    with fork_server(settings.home / "child.log", "tests.people.erasing_child") as child:
        codes = {str(point): child.run({**order, "fault": point.fault(hit=point.hit)}) for point in ERASING}
        assert child.run(order) == 0
    assert {point for point, code in codes.items() if code != KILLED} == set(), "never came there"
    (certificate,) = erasing.certificates(installation.scope)
    return certificate


def test_the_search_finds_what_is_planted_in_any_place_and_spelling(settings: Settings) -> None:
    home = settings.home
    home.mkdir()
    assert traces(settings, ["nobody-of-that-name"]) == []
    with connect(settings.hq_database_url or "", autocommit=True) as hq:
        hq.execute("create table planted (a jsonb, b bytea, c text[])")
        hq.execute(
            "insert into planted values (%s, %s, %s)",
            ('{"x": "K\\u00e4sgen"}', gzip.compress("Käsgen".encode()), ["käsgen"]),
        )
    (home / "a.gz").write_bytes(gzip.compress("KÄSGEN".encode()))
    (home / "b.csv").write_bytes("Käsgen".encode("utf-16-le"))
    with zipfile.ZipFile(home / "c.xlsx", "w") as packed:
        packed.writestr("sheet.xml", "K\u00e4sgen")
    pq.write_table(pa.table({"x": ["+49 (30) 1234-9876"]}), home / "d.parquet")
    found = traces(settings, ["käsgen", "3012349876"])
    assert found == [
        "public.planted.a", "public.planted.b", "public.planted.c",
        *(str(home / name) for name in ("a.gz", "b.csv", "c.xlsx", "d.parquet")),
    ]  # fmt: skip


def _leads(installation: Installation, where: str) -> list[dict[str, Any]]:
    with connect(installation.settings.workspace_database_url or "") as workspace:
        return workspace.execute(f"select * from final_leads where {where}").fetchall()
