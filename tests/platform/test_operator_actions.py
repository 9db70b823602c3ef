"""Whoever changes something is written down, once, in the transaction of the change."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from enrichment_assets.domain.actors import Actor, ActorKind
from enrichment_assets.domain.errors import ConfigurationError, EnrichError, NotFoundError
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.installation.databases import open_hq
from enrichment_assets.services.batches.launching import launch
from enrichment_assets.services.batches.replacing import give_up_batch
from enrichment_assets.services.catalog import archiving, configuration
from enrichment_assets.services.insight.editing import edit_lead
from enrichment_assets.services.operations.budgeting import remove_budget, set_budget
from enrichment_assets.services.operations.callbacks import replay_callbacks
from enrichment_assets.services.operations.history import list_history
from enrichment_assets.services.operations.recovery import resolve
from enrichment_assets.services.operations.replaying import replay
from enrichment_assets.services.operations.retrying import retry
from enrichment_assets.services.uploads.upload import upload_file
from enrichment_assets.settings import Settings
from enrichment_assets.store.audit.operator_actions import LONGEST_NAME, OperatorAction, note_action
from enrichment_assets.store.hq import Hq
from tests.actors import TESTER
from tests.platform.changing_services import changing_services
from tests.warehouse.hq_data import Answer, Lead, seed_batch

CARRIED_OUT = "the engine and Dagster's assets carry out what somebody launched"
LETS_IN = "it lets somebody in, or finds out who asks: that is no change"
WITHOUT_ACTOR = {
    "access.confirming.use": "a person's word is used up; what is done by it is written down as theirs",
    "mail.opting_out.opt_out": "somebody who was written to: written down as `event:unsubscribe-link`",
    "batches.repeated_rows.repeats_of": "it looks; the pepper is made by whoever looks first",
    **dict.fromkeys(
        ["deliveries.gate_review.refusals_of", "deliveries.gate_review.said_of"], "it reads, by the pepper"
    ),
    **dict.fromkeys(
        ["deliveries.coming_back.take", "deliveries.coming_back.take_in", "deliveries.listening.listen"],
        "the connection by which it came is its actor: event:<name>",
    ),
    "alerts.watching.tell": "it carries out what a rule says",
    "alerts.watching.watch": "it carries out what a rule says",
    "access.api_keys.caller_of_key": LETS_IN,
    "freshness.carrying.carry_over_batch": "it carries over what a batch found, as schedule:freshness",
    "access.logging_in.log_in": LETS_IN,
    "access.second_factors.is_code": LETS_IN,
    "access.users.set_password": "whoever has the one-time token is its actor",
    "batches.advancing.advance_batch": CARRIED_OUT,
    "deliveries.delivering.run_deliveries": CARRIED_OUT,
    **dict.fromkeys(
        ["deliveries.delivering.plan_deliveries", "deliveries.refusing.refusals"],
        "it looks; what it makes on the way (tables, the pepper) is made by whoever looks first",
    ),
    "operations.asking.plan_asking": "it looks; the pepper is made by whoever looks first",
    "batches.advancing.mark_extracted": CARRIED_OUT,
    "campaigns.launching.plan_launch": "it plans a launch, and does none of it",
    "campaigns.block_list.untold": "it reads what is to be told",
    **dict.fromkeys(
        [
            "campaigns.recovering.look",
            "deliveries.reading.instantly.poll",
            "deliveries.reading.imap.poll",
            "mail.looking.look_for_copies",
        ],
        "the connection that is asked is its actor: event:<name>",
    ),
    "campaigns.activating.preflight": "it keeps how the service says that a campaign stands, and decides nothing",
    "catalog.drafts.settle_drafts": "whoever wrote a draft is its actor",
    "batches.items.add_items": CARRIED_OUT,
    "mail.placing.place_mails": CARRIED_OUT,
    "mail.outcomes.settle_mails": "it notes what became of mails; what it pauses it writes down as sensor:mailboxes",
    "mail.outcomes.believe_proofs": "what came back is its actor: event:mail-came-back",
    "mail.outcomes.pause_unhealthy": "it pauses as sensor:mailboxes",
    **dict.fromkeys(
        [
            "batches.known.must_recognise",
            "batches.known.hasher_for",
            "batches.known.ready",
            "batches.known_rows.known_rows",
            "batches.launch_plan.plan_launch",
        ],
        "it reads, by the pepper",
    ),
    **dict.fromkeys(
        ["batches.known.bring_up_to_date", "batches.known.read_new_items"], "it keeps hashes of what is there anyway"
    ),
    "batches.taking.take_in_callbacks": CARRIED_OUT,
    "people.warehouse_files.write_anew": "it goes on with what somebody asked for",
    "pulls.report.write_report": "it reads, and notes where the page is",
    "pulls.syncing.sync": "it fetches figures, as whoever reads; the tables say since when",
    "batches.items.create_items": CARRIED_OUT,
    "batches.items.lay_out": CARRIED_OUT,
    "batches.storing.store_results": CARRIED_OUT,
    "batches.families.write_families": CARRIED_OUT,
    "batches.extracting.bring_up_to_date": "it makes tables, and notes where drafts stand for them",
    "insight.explain.explain_lead": "it reads, once the batch's tables are made",
    "review.asked.carry_out": "whoever asked by SQL is its actor, request by request",
    "review.proposing.list_proposals": "it reads, and takes over what was proposed since",
    "review.standings.note_standings": CARRIED_OUT,
    "insight.html_report.write_report": "it reads, and notes where the page is, for whoever is erased later",
    "insight.queries.export_model": "it reads, and notes where the file is",
    "insight.leads.export_leads": "it reads, and notes where the file is",
    "insight.target_files.note_written": "it notes where a file is",
    "people.erasing.open_again": "it goes on with an erasure, of whom something is known again",
    "people.keeping_out.keep_out_of_upload": "it goes on with an erasure, of whom a later list knows",
    "people.keeping_out.door_of": "it reads, by that pepper",
    "people.keeping_out.kept_out": "it goes on with an erasure, of whom a later row knows",
    "sources.gathering.gather": "who brings the rows notes it with them",
    "sources.checking.check_source": "it tries, and takes back what it tried",
    "sources.table_sources.check_again": "it tries, and takes back what it tried",
    "sources.gathering.make_ready": "it reads, and brings up to date by what rows are compared",
    "uploads.upload.keep_erased_out": "it takes out of a list whom somebody had erased",
    "people.erasing.carry_out": "it goes on with what somebody asked for",
    "operations.recovery.list_ambiguous": "it reads; its lock retires runs that are over, as any run does",
    "operations.recovery.locked": "it locks for those who change something",
    "people.pepper.pepper_of": "it hashes what an earlier version kept in plain text, whoever comes first",
    "people.suppressing.list_suppressed": "it reads, by that pepper",
    "people.suppressing.is_suppressed": "it reads, by that pepper, and locks out who changes something",
    "outgoing.leads.tell_of_leads": CARRIED_OUT,
    "outgoing.sending.deliver": "it sends what somebody asked to be told of; what it disables it notes as the sensor's",
    "tries.running.look_at_try": "it goes on with what somebody tried",
    "operations.recovery.wake_again": "it repeats the waking of a change that was made",
}
"""Services that write and take no actor, each with its reason."""

ADA = Actor(ActorKind.CLI, "ada")
STEP, BATCH = "match-person-via-apollo", "seeded"


class NoPartitions:
    """Dagster's partitions, of which nothing is wanted here."""

    def add(self, batch_key: str) -> None:
        """Nothing."""

    def remove(self, batch_key: str) -> None:
        """Nothing."""


class Desk:
    """An installation with a client, an upload, a pipeline and a batch that was worked on."""

    def __init__(self, settings: Settings, hq: Hq, folder: Path) -> None:
        self.settings, self.hq = settings, hq
        self.file = folder / "Ada Byron.csv"
        self.file.write_text("First Name,Website\nAda,acme.com\nBob,acme.com\n")

    def upload(self, actor: Actor = TESTER) -> int:
        return upload_file(self.hq, self.settings, self.file, "acme", actor=actor).upload_id

    def launch(self, upload: int, **options: Any) -> str:
        given = {"client": "acme", "add_partition": lambda _key: None, "actor": TESTER} | options
        return launch(self.hq, self.settings, upload, "normalise-only", **given).batch_key

    def archive(self, kind: Any, name: str, change: Callable[..., Any] = archiving.archive) -> None:
        change(self.hq, self.settings, kind, name, actor=TESTER, partitions=NoPartitions())

    def rows(self) -> list[OperatorAction]:
        return list_history(self.hq, limit=100_000)

    def new(self, work: Callable[[], Any]) -> list[OperatorAction]:
        """The rows that some work leaves, the first first."""
        before = len(self.rows())
        work()
        return self.rows()[: len(self.rows()) - before][::-1]


@pytest.fixture
def desk(settings: Settings, hq: psycopg.Connection[Any], tmp_path: Path) -> Any:
    settings.home.mkdir()
    seed_batch(hq, [Lead({"full_name": "Ada Byron"}, [Answer(STEP, {}, {"title": "x"})])], batch_key=BATCH)
    with open_hq(settings) as opened:
        yield Desk(settings, opened, tmp_path)


def test_every_service_that_changes_something_takes_an_actor() -> None:
    found = changing_services()
    assert len(found) > 25
    without = {name for name, service in found.items() if "actor" not in service.parameters}
    assert without == WITHOUT_ACTOR.keys()


def test_what_changes_nothing_leaves_no_row(desk: Desk) -> None:
    upload = desk.upload()
    key = desk.launch(upload, limit=1)
    hq, settings = desk.hq, desk.settings
    workflow = configuration.get_workflow(hq, STEP).definition
    pipeline = configuration.pipeline_from_steps("clean", "normalise-name")
    again: dict[str, tuple[str, Callable[[], Any]]] = {
        "a budget of the same amount": ("budget.set", lambda: set_budget(hq, "acme", "5.0", actor=TESTER)),
        "a workflow as it was": (
            "workflow.save",
            lambda: configuration.add_workflow(
                hq, settings, workflow.model_copy(update={"title": "Mine"}), actor=TESTER
            ),
        ),
        "a pipeline as it was": ("pipeline.save", lambda: configuration.add_pipeline(hq, pipeline, actor=TESTER)),
        "overrides as they were": (
            "client.config",
            lambda: configuration.set_client_config(
                hq, settings, "acme", STEP, actor=TESTER, set_values={"limits.per_second": 2}
            ),
        ),
        "a workflow that is off": (
            "workflow.disable",
            lambda: configuration.set_workflow_enabled(hq, STEP, False, actor=TESTER),
        ),
        "the rest of a batch that has all": ("batch.extend", lambda: desk.launch(upload, batch_key=key)),
        "giving up again": ("batch.give_up", lambda: give_up_batch(hq, key, actor=TESTER)),
        "archiving again": ("batch.archive", lambda: desk.archive("batch", key)),
        "restoring again": ("batch.restore", lambda: desk.archive("batch", key, archiving.restore)),
    }
    for name, (code, change) in again.items():
        assert [row.action for row in desk.new(change)] == [code], name
        assert desk.new(change) == [], name
    nothing = {
        "the same bytes": lambda: desk.upload(),
        "nothing has failed": lambda: retry(hq, settings, BATCH, actor=TESTER),
        "nothing is ambiguous": lambda: resolve(hq, BATCH, "accept-miss", actor=TESTER),
        "no callback is dead": lambda: replay_callbacks(hq, batch=BATCH, actor=TESTER),
        "a dry run": lambda: replay(hq, settings, BATCH, STEP, actor=TESTER, dry_run=True),
    }
    assert {name: desk.new(change) for name, change in nothing.items()} == {name: [] for name in nothing}


def test_a_change_that_fails_leaves_no_row(desk: Desk) -> None:
    upload, hq, settings = desk.upload(), desk.hq, desk.settings
    key = desk.launch(upload)
    (desk.file.parent / "empty.csv").write_text("First Name\n")
    unsaved = configuration.get_workflow(hq, STEP).definition.model_copy(update={"provider": "nobody"})

    def undone() -> None:
        with hq.transaction() as connection:
            note_action(connection, ADA, Code.CLIENT_ADD, "never")
            raise EnrichError("and then it fails", code="batch.busy")

    failing: list[Callable[[], Any]] = [
        undone,
        lambda: configuration.add_client(hq, "acme", actor=TESTER),
        lambda: configuration.add_client(hq, "No Slug", actor=TESTER),
        lambda: configuration.add_workflow(hq, settings, unsaved, actor=TESTER),
        lambda: configuration.set_workflow_enabled(hq, "nothing", False, actor=TESTER),
        lambda: configuration.set_client_config(hq, settings, "acme", STEP, actor=TESTER, unset=["limits"]),
        lambda: configuration.add_pipeline(hq, configuration.pipeline_from_steps("p", "nothing"), actor=TESTER),
        lambda: upload_file(hq, settings, desk.file.parent / "empty.csv", "acme", actor=TESTER),
        lambda: upload_file(hq, settings, desk.file, "nobody", actor=TESTER),
        lambda: desk.launch(upload, batch_key=BATCH),
        lambda: set_budget(hq, "acme", "-1", actor=TESTER),
        lambda: set_budget(hq, "acme", "1", batch="nothing", actor=TESTER),
        lambda: remove_budget(hq, "acme", actor=TESTER),
        lambda: give_up_batch(hq, "nothing", actor=TESTER),
        lambda: retry(hq, settings, BATCH, error_class="nothing", actor=TESTER),
        lambda: resolve(hq, BATCH, "retry", cost="1", actor=TESTER),
        lambda: replay(hq, settings, BATCH, "nothing", actor=TESTER),
        lambda: replay_callbacks(hq, inbox_id=99, actor=TESTER),
        lambda: edit_lead(hq, settings, BATCH, 999_999, "title", "x", by="ada", actor=TESTER),
        lambda: desk.archive("batch", key),
        lambda: desk.archive("client", "acme", archiving.remove),
    ]
    before = desk.rows()
    for change in failing:
        with pytest.raises(EnrichError):
            change()
    assert desk.rows() == before


def test_a_row_says_who_when_what_and_what_it_was_before(desk: Desk) -> None:
    hq, start = desk.hq, datetime.now(UTC)
    (made,) = desk.new(lambda: set_budget(hq, "acme", "5", batch=BATCH, workflow=STEP, actor=ADA))
    assert (made.actor, made.kind, made.name, made.client, made.batch) == (
        "cli:ada", "budget", f"acme/{BATCH}/{STEP}", "acme", BATCH,
    )  # fmt: skip
    assert (made.before, made.after) == (None, {"amount": "5.00", "currency": "USD"})
    assert start - timedelta(seconds=5) < made.at < datetime.now(UTC) + timedelta(seconds=5)
    (raised,) = desk.new(lambda: set_budget(hq, "acme", Decimal("7.25"), batch=BATCH, workflow=STEP, actor=TESTER))
    assert (raised.before, raised.after and raised.after["amount"]) == (made.after, "7.25")
    (gone,) = desk.new(lambda: remove_budget(hq, "acme", batch=BATCH, workflow=STEP, actor=ADA))
    assert (gone.before, gone.after) == (raised.after, None)

    overrides = {"limits.per_second": 2, "base_url": "http://127.0.0.1:9000"}
    (said,) = desk.new(
        lambda: configuration.set_client_config(
            hq, desk.settings, "acme", STEP, actor=ADA, set_values=overrides, secrets={"api_key": "ACME_KEY"}
        )
    )
    assert (said.before, said.after) == ({"secrets": {}}, {**overrides, "secrets": {"api_key": "ACME_KEY"}})
    (less,) = desk.new(
        lambda: configuration.set_client_config(
            hq, desk.settings, "acme", STEP, actor=ADA, unset=["base_url"], enabled=False
        )
    )
    assert (less.before, less.after) == (
        {"base_url": "http://127.0.0.1:9000", "enabled": True},
        {"enabled": False},
    )


def test_no_value_of_a_person_and_no_name_of_a_file_is_kept(desk: Desk, hq: psycopg.Connection[Any]) -> None:
    item = hq.execute("select min(id) as id from batch_items").fetchone()
    desk.upload()
    for value in ("Countess of Lovelace", None):
        item_id = item["id"] if item else 0
        edit_lead(desk.hq, desk.settings, BATCH, item_id, "title", value, by="Ada Byron", note="her page", actor=ADA)
    kept = [str(row) for row in desk.rows()]
    assert [row.after and row.after.keys() for row in desk.rows()][:2] == [{"field", "edit_id"}] * 2
    assert not [row for row in kept for word in ("Countess", "Byron", "her page") if word in row]


def test_actors_who_change_one_thing_at_once_each_leave_their_row_in_the_order_of_the_changes(desk: Desk) -> None:
    set_budget(desk.hq, "acme", "1", actor=TESTER)
    actors = [Actor(ActorKind.CLI, f"actor {n}") for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: set_budget(desk.hq, "acme", str(10 + n), actor=actors[n]), range(8)))
    first, *rows = desk.rows()[::-1]
    assert {row.actor for row in rows} == {str(actor) for actor in actors}
    assert [row.before for row in rows] == [row.after for row in (first, *rows[:-1])]


def test_history_is_asked_by_client_batch_actor_and_time_and_outlives_what_it_speaks_of(desk: Desk) -> None:
    hq = desk.hq
    configuration.add_client(hq, "globex", actor=ADA)
    key = desk.launch(desk.upload())
    give_up_batch(hq, key, actor=ADA)
    newest = desk.rows()[0]

    def told(**asked: Any) -> list[str]:
        return [row.action for row in list_history(hq, **asked)]

    assert told() == ["batch.give_up", "batch.launch", "upload.add", "client.add"]
    assert told(limit=2) == ["batch.give_up", "batch.launch"]
    assert told(client="globex") == ["client.add"]
    assert told(batch=key, actor="cli:ada") == ["batch.give_up"]
    assert told(since=newest.at) == ["batch.give_up"]
    assert told(since=newest.at + timedelta(microseconds=1), client="acme") == []
    for wrong, asked in ((NotFoundError, {"client": "globx"}), (NotFoundError, {"batch": "nothing"})):
        with pytest.raises(wrong):
            told(**asked)
    for asked in ({"actor": "ada"}, {"since": datetime.fromisoformat("2026-01-01")}):
        with pytest.raises(ConfigurationError):
            told(**asked)

    known = "known_identities (client_id, batch_id, hash, item_id, compared) select client_id, id, 'h', 1, true"
    read = "known_batches (client_id, batch_id, simulated, mark, last_item) select client_id, id, true, 'm', 1"
    with hq.transaction() as connection:
        for row in (known, read):
            connection.execute(f"insert into {row} from batches where batch_key = %s", [key])
    desk.archive("batch", key, archiving.remove)
    desk.archive("client", "globex", archiving.remove)
    with hq.transaction() as connection:
        assert not connection.execute("select from known_identities union all select from known_batches").fetchall()
    left = {row.action: (row.name, row.client, row.batch) for row in desk.rows()}
    assert left["batch.give_up"] == left["batch.remove"] == (key, "acme", None)
    assert left["client.add"] == left["client.remove"] == ("globex", None, None)


def test_long_and_strange_values_are_kept_as_far_as_they_fit(desk: Desk) -> None:
    name = "x" * 1_000
    with desk.hq.transaction() as connection:
        note_action(connection, ADA, Code.CLIENT_ADD, name, after={"name": "a\x00b" + "y" * 10_000, "n": [1] * 900})
    row = desk.rows()[0]
    assert row.name == name[:LONGEST_NAME]
    assert row.after is not None and (len(row.after["name"]), row.after["n"][-1]) == (500, "... and 850 more")
