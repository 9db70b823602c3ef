"""Every command with `--json` is run, and what it prints has the keys and types of its noun, as docs/json.md says."""

from __future__ import annotations

import json
import re
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
import typer.main
from pydantic import BaseModel
from typer.testing import CliRunner

from enrichment_assets.cli import build_app
from enrichment_assets.cli.actor import actor
from enrichment_assets.cli.hints import worded
from enrichment_assets.cli.printing import AsJson
from enrichment_assets.domain.hints import Action, Hint
from enrichment_assets.domain.pipeline import PipelineDefinition
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.sandbox import SandboxProcess
from enrichment_assets.services.shapes.shape import Shape, plain, written
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect
from tests.docs.json_page import PAGE, PRINTED, render, shape_classes, undescribed
from tests.engine.hostile_server import answering
from tests.harness.databases import PostgresServer
from tests.harness.sandbox import as_new
from tests.mail_services.dns_server import dns_server, read_zone
from tests.warehouse.conftest import Build
from tests.warehouse.hq_data import Answer, Lead

MONEY = re.compile(r"-?\d+\.\d{2,}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "my-step.yaml"
MATCH, VERIFY = "match-person-via-apollo", "verify-email-via-hunter"
BATCH = "acme-1"
ASK = "review-lead"
HOOK = "https://hooks.acme.invalid/told"
"""No host has this name (RFC 6761): what is sent there does not arrive, and is tried again."""
SECRET = "whsec_dGhlIHNlY3JldCBvZiB0aGVzZSBjb21tYW5kcw=="
ALONE = {"sandbox"}
"""The sandbox stands alone: its `--json` says where it listens, and it knows no noun of ours."""


def options_of(command: Any) -> set[str]:
    return {name for parameter in command.params for name in parameter.opts}


def commands(group: Any, prefix: str = "") -> dict[str, Any]:
    """Every command of the program by its words."""
    found: dict[str, Any] = {}
    for name, command in group.commands.items():
        words = f"{prefix}{name}"
        found |= commands(command, f"{words} ") if hasattr(command, "commands") else {words: command}
    return found


@pytest.fixture(scope="module")
def program() -> typer.Typer:
    return build_app()


def test_every_command_with_the_option_says_what_it_prints_and_the_option_is_one(program: typer.Typer) -> None:
    found = commands(typer.main.get_command(program))
    having = {w: c for w, c in found.items() if "--json" in options_of(c) and w not in ALONE and not c.hidden}
    told = {words for words in having if any(re.match(rf"{words}( [-A-Z]|$)", line) for line in PRINTED)}
    assert having.keys() == told
    assert len(PRINTED) >= len(having) > 30
    (option,) = typing.get_args(AsJson)[1:]
    helps = {p.help for command in having.values() for p in command.params if "--json" in p.opts}
    assert helps == {option.help}


def test_the_page_is_what_the_shapes_say() -> None:
    assert list(undescribed()) == []
    assert PAGE.read_text(encoding="utf-8") == render(), "write it again: python -m tests.docs.json_page"


def test_an_amount_never_stands_without_its_currency() -> None:
    for name, shape in shape_classes().items():
        keys = {} if name == "Row" else dict(keys_of(shape))
        assert "currency" in keys or not {Decimal, Decimal | None} & set(keys.values()), name


def test_a_key_that_names_another_noun_is_spelt_in_one_way() -> None:
    keys = {f.name for shape in shape_classes().values() for f in fields(shape)}  # type: ignore[arg-type]
    assert not keys & {
        "batch_key",
        "batch_id",
        "client_slug",
        "client_id",
        "workflow_slug",
        "pipeline_slug",
        "row_count",
    }
    texts = {"batch", "client", "workflow", "pipeline"}
    for shape in shape_classes().values():
        for key, hint in typing.get_type_hints(shape).items():
            assert key not in texts or hint in (str, str | None), (shape, key)


@dataclass(frozen=True, slots=True)
class Thing(Shape):
    """A noun of this test."""

    value: Any


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Decimal("0.030000"), "0.03"),
        (Decimal("0"), "0.00"),
        (Decimal("1E+3"), "1000.00"),
        (Decimal("0.0000015"), "0.0000015"),
        (Decimal("-2.5"), "-2.50"),
        (Decimal("999999999999.999999"), "999999999999.999999"),
        (datetime(2026, 3, 29, 1, 30, tzinfo=timezone(timedelta(hours=5, minutes=45))), "2026-03-28T19:45:00.000000Z"),
        (datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01T00:00:00.000000Z"),
        (datetime.fromisoformat("2026-01-01T12:00:00.000005"), "2026-01-01T12:00:00.000005"),
        (date(2024, 2, 29), "2024-02-29"),
        (Action.WRITE, "write"),
        ((1, None, True), [1, None, True]),
        ({1: Decimal("2")}, {"1": "2.00"}),
        (Hint(Action.WRITE), {"action": "write", "arguments": {}, "text": worded(Hint(Action.WRITE))}),
    ],
)
def test_a_value_has_one_form_in_json(value: Any, expected: Any) -> None:
    assert plain(Thing(value), worded) == {"value": expected}


def test_a_number_of_a_table_stays_as_it_is_and_what_has_no_form_is_refused() -> None:
    assert written(Decimal("1.500")) == "1.500"
    with pytest.raises(TypeError, match="bytes has no form in JSON"):
        plain(Thing(b"x"), worded)


@pytest.fixture(scope="module")
def home(
    postgres_server: PostgresServer, hq_template: str, tmp_path_factory: pytest.TempPathFactory
) -> typing.Iterator[Settings]:
    """An installation with an extracted batch that has an answer of each kind, a dead callback, and a lost call."""
    hq, workspace = postgres_server.create(hq_template), postgres_server.create()
    settings = Settings(
        home=tmp_path_factory.mktemp("home"),
        hq_database_url=postgres_server.url(hq),
        workspace_database_url=postgres_server.url(workspace),
        dagster_database_url=postgres_server.url(postgres_server.create()),
    )
    jobs = [
        {"organization_name": "Globex", "title": "CTO", "start_date": "2020-01-01", "end_date": None, "current": True},
        {"organization_name": "Initech", "title": "CEO", "start_date": "2015-01-01", "end_date": "2019-12-31"},
    ]
    match = Answer(MATCH, {"person": {"employment_history": jobs}}, {"phone": "+1 202 555 0123"})
    failed = Answer(VERIFY, None, status="FAILED", outcome=None, reason="HTTP 500", error_class="retryable")
    lost = Answer(VERIFY, None, status="AMBIGUOUS", outcome=None, reason="lost", error_class="ambiguous")
    leads = [Lead({"full_name": "Ada Byron", "title": "CTO"}, [match, failed]), Lead({"full_name": "Bob"}, [lost])]
    Build(settings)(leads, batch_key=BATCH)
    with connect(settings.hq_database_url or "") as connection:
        add_calls(connection)
        ask_a_person(connection)
        propose_a_query(connection)
    with connect(settings.workspace_database_url or "") as connection:
        connection.execute("create table people (id int primary key, who text, state text)")
        connection.execute("insert into people values (1, 'Ada Byron', 'new')")
    yield settings
    for name in (hq, workspace):
        postgres_server.drop(name)


def ask_a_person(hq: psycopg.Connection[Any]) -> None:
    """A draft of the first workflow, and a question to a person about the first item."""
    answer = {"type": "object", "required": ["fits"], "properties": {"fits": {"type": "boolean"}}}
    workflow = {"slug": ASK, "title": "Ask", "step": 9, "provider": "person"}
    workflow |= {"review": {"question": "Fits?", "shows": ["full_name"], "answer": answer}}
    step = json.dumps({"position": 9, "workflow": workflow, "registry_version": "1"})
    hq.execute(
        "update batches set blueprint = jsonb_insert(jsonb_set(blueprint, '{steps,0,workflow,drafts}', '[\"phone\"]'), "
        "'{steps,-1}', %s, true)",
        [step],
    )
    hq.execute(
        """
        with asked as (
          insert into provider_calls (call_key, client_id, batch_id, item_id, workflow_slug, subject_key, provider,
                                      operation, state, fence)
          select 'asked', client_id, batch_id, id, %(slug)s, 'item:' || id, 'person', 'review', 'sent', 1
          from batch_items order by id limit 1 returning *
        )
        insert into workflow_states (item_id, workflow_slug, batch_id, client_id, position, status, call_id,
                                     advanced_at)
        select item_id, %(slug)s, batch_id, client_id, 9, 'IN_PROGRESS', id, now() from asked
        """,
        {"slug": ASK},
    )


def propose_a_query(hq: psycopg.Connection[Any]) -> None:
    """A search that a model proposed."""
    hq.execute(
        "insert into search_proposals (client_id, batch_id, system, industry, template, reason) "
        "select client_id, id, 'fs', 'accounting', 'tax advisers \"{region}\"', 'figures' from batches limit 1"
    )


def add_calls(hq: psycopg.Connection[Any]) -> None:
    """A call of unknown fate, one whose callback is dead, one whose answer is stored, and an attempt that was timed."""
    hq.execute(
        """
        with called as (
          insert into provider_calls (call_key, client_id, batch_id, item_id, workflow_slug, subject_key, provider,
                                      operation, state, fence, http_status, response_headers, response_body)
          select 'answered', client_id, batch_id, item_id, workflow_slug, 'item:' || item_id, 'apollo', 'x', 'applied',
                 1, 200, '{}', '{"person": {"title": "CTO"}}'
          from workflow_states where status = 'COMPLETED' and workflow_slug = %s limit 1
          returning id, item_id, workflow_slug
        )
        update workflow_states s set call_id = c.id from called c
        where s.item_id = c.item_id and s.workflow_slug = c.workflow_slug
        """,
        (MATCH,),
    )
    hq.execute(
        """
        insert into enrichment_results_log (client_id, batch_id, item_id, workflow_slug, provider, attempt, status,
                                            error_class, duration_ms)
        select client_id, batch_id, item_id, workflow_slug, 'hunter', 1, 'FAILED', 'retryable', 12
        from workflow_states where status = 'FAILED'
        """
    )
    hq.execute(
        """
        with called as (
          insert into provider_calls (call_key, client_id, batch_id, item_id, workflow_slug, subject_key, provider,
                                      operation, state, fence, estimated_cost)
          select 'k' || s.item_id || s.status, s.client_id, s.batch_id, s.item_id, s.workflow_slug,
                 'item:' || s.item_id, 'hunter', 'x', case when s.status = 'FAILED' then 'failed' else 'ambiguous' end,
                 1, 0.01
          from workflow_states s where s.status in ('AMBIGUOUS', 'FAILED')
          returning id, client_id, batch_id, item_id, workflow_slug, state
        ), linked as (
          update workflow_states s set call_id = c.id from called c
          where s.item_id = c.item_id and s.workflow_slug = c.workflow_slug
        )
        insert into callback_inbox (client_id, batch_id, call_id, headers, body, body_sha256, status, error)
        select client_id, batch_id, id, '{"x-a": "b"}', '\\x31', sha256('\\x31'), 'dead', 'not JSON'
        from called where state = 'failed'
        """
    )
    hq.execute(
        """
        with made as (
          insert into event_sources (client_id, name, kind, settings)
          select id, 'seeded', 'webhook', '{"kind": "event", "kinds": {}}' from clients where slug = 'acme'
          returning id, client_id
        ), kept as (
          insert into event_inbox (client_id, source_id, headers, body, body_sha256, fingerprint, status, error)
          select client_id, id, '{"x-a": "b"}', '\\x31', sha256('\\x31'), sha256('\\x31'), 'dead', 'no JSON' from made
        )
        insert into delivery_events (client_id, source, key, kind, happened_at, data)
        select client_id, 'seeded', '1', 'replied', now(), '{}' from made
        """
    )


SOURCE = (
    *("source", "add", "crm", "--table", "people", "--key", "id", "--where", "state=new", "--pipeline", "clean"),
    *("--client", "acme", "--done", "state=done", "--failed", "state=failed", "--map", "who=full_name"),
)
"""A table of the home's workspace as a source."""

EVENTS = (
    *("events", "source", "add", "tool", "--client", "acme", "--kind", "webhook"),
    *("--set", "kind=event", "--set", "kinds={{REPLY: replied}}"),
)
MAILBOX = (
    *("mailbox", "add", "ann@acme.example", "--client", "acme", "--set", "host=smtp.acme.example"),
    *("--postal-address", "1 Main Street, Erie PA", "--time-zone", "America/New_York"),
)

RUNS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("client add", ("client", "add", "globex")),
    ("client list", ("client", "list")),
    (
        "client config",
        ("client", "config", "acme", MATCH, "--set", "limits.per_second=2"),
    ),
    ("client weight", ("client", "weight", "acme", "2")),
    ("client profile --set", ("client", "profile", "acme", "--set", "offer=Sensors")),
    ("client profile", ("client", "profile", "acme")),
    ("client profile --history", ("client", "profile", "acme", "--history")),
    ("client grant-reader", ("client", "grant-reader", "acme")),
    ("client readers", ("client", "readers")),
    ("client revoke-reader", ("client", "revoke-reader", "acme")),
    ("client config --show", ("client", "config", "acme", MATCH, "--show")),
    ("workflow list", ("workflow", "list")),
    ("workflow show", ("workflow", "show", MATCH)),
    ("workflow processors", ("workflow", "processors", "--client", "acme")),
    ("workflow check", ("workflow", "check", "{example}")),
    ("workflow test CASES", ("workflow", "test", "normalise-name", "{cases}")),
    ("workflow test --record", ("workflow", "test", MATCH, "{recorded}", "--record", BATCH)),
    ("workflow test --replay", ("workflow", "test", MATCH, "--replay", BATCH)),
    ("workflow add", ("workflow", "add", "{example}")),
    ("deliver --dry-run", ("deliver", BATCH, "--to", "deliver-to-webhook", "--dry-run")),
    ("deliver", ("deliver", BATCH, "--to", "deliver-to-webhook")),
    ("delivery list", ("delivery", "list", "--client", "acme")),
    ("delivery show", ("delivery", "show", "1")),
    ("delivery stop", ("delivery", "stop", "1", "--reason", "left")),
    ("delivery resolve", ("delivery", "resolve", "1", "--again")),
    ("destination list", ("destination", "list", "--client", "acme")),
    ("destination check", ("destination", "check", "deliver-to-webhook", "--client", "acme")),
    ("workflow disable", ("workflow", "disable", VERIFY)),
    ("workflow enable", ("workflow", "enable", VERIFY)),
    ("pipeline add", ("pipeline", "add", "clean", "--steps", "normalise-name,normalise-domain", "--client", "acme")),
    ("pipeline list", ("pipeline", "list")),
    ("pipeline show", ("pipeline", "show", "clean", "--client", "acme")),
    ("budget set", ("budget", "set", "12.5", "--client", "acme")),
    ("budget list", ("budget", "list")),
    ("budget remove", ("budget", "remove", "--client", "acme")),
    ("upload", ("upload", "{list}", "--client", "acme")),
    ("uploads", ("uploads",)),
    ("rejections", ("rejections", "{upload}")),
    (
        "lead add",
        ("lead", "add", "--client", "acme", "--pipeline", "clean", "full_name=Ada Byron"),
    ),
    ("lead show", ("lead", "show", "1")),
    ("source add", SOURCE),
    ("source add --dry-run", (*SOURCE, "--dry-run")),
    ("source check", ("source", "check", "crm")),
    ("source list", ("source", "list")),
    ("source look", ("source", "look", "crm")),
    ("source show", ("source", "show", "crm")),
    ("source pause", ("source", "pause", "crm")),
    ("source resume", ("source", "resume", "crm")),
    ("source remove", ("source", "remove", "crm", "--abandon")),
    ("try", ("try", "normalise-name", "--client", "acme", "--set", "full_name=Dr. Ada Byron")),
    ("try --show", ("try", "--show", "acme-try-normalise-name-1")),
    ("launch --dry-run", ("launch", "{upload}", "--pipeline", "clean", "--dry-run")),
    ("launch", ("launch", "{upload}", "--pipeline", "clean", "--batch", "clean-1")),
    (
        "discover --dry-run",
        ("discover", "fs", "--industry", "accounting", "--region", "Erie, PA", "--client", "acme", "--dry-run"),
    ),
    ("freshness", ("freshness", "--client", "acme", "--days", "1")),
    ("freshness --launch", ("freshness", "--client", "acme", "--launch")),
    ("run", ("run", "clean-1", "--workflow", "normalise-name")),
    ("run --where", ("run", "clean-1", "--workflow", "normalise-name", "--where", "row=1")),
    ("run --dry-run", ("run", "clean-1", "--workflow", "normalise-name", "--dry-run")),
    ("mailbox add", MAILBOX),
    ("mailbox list", ("mailbox", "list")),
    ("mail preview", ("mail", "preview", BATCH)),
    ("mailbox show", ("mailbox", "show", "ann@acme.example")),
    ("mailbox caps", ("mailbox", "caps", "ann@acme.example", "--daily-cap", "10")),
    ("mail check", ("mail", "check", "ann@acme.example", "--dns", "{dns}")),
    ("mail accept", ("mail", "accept", "ann@acme.example", "--reason", "a domain of a test")),
    ("mailbox pause", ("mailbox", "pause", "ann@acme.example")),
    ("mailbox resume", ("mailbox", "resume", "ann@acme.example")),
    ("gate show", ("gate", "show", "acme")),
    ("gate set", ("gate", "set", "acme", "company_cap", "people=5")),
    ("gate list add", ("gate", "list", "add", "acme", "{list}", "--kind", "customers")),
    ("gate list show", ("gate", "list", "show", "acme")),
    ("gate list remove", ("gate", "list", "remove", "acme", "--kind", "customers", "--all")),
    ("gate pass", ("gate", "pass", "1", "--rule", "customer", "--reason", "asked by Jane")),
    ("gate consent", ("gate", "consent", "acme", "ann@acme.example", "--evidence", "a form")),
    ("gate stop", ("gate", "stop", "acme", "ann@acme.example", "--reason", "called us")),
    ("gate stops", ("gate", "stops")),
    ("gate go-on", ("gate", "go-on", "acme", "ann@acme.example")),
    ("events source add", EVENTS),
    (
        "events source connect",
        (
            *("events", "source", "connect", "crm", "--client", "acme", "--kind", "clickup"),
            *("--secret", "CRM_SECRET", "--set", 'team_id="9011000001"'),
        ),
    ),
    ("events source address", ("events", "source", "address", "tool")),
    ("events source list", ("events", "source", "list")),
    ("events source pause", ("events", "source", "pause", "tool")),
    ("events source resume", ("events", "source", "resume", "tool")),
    ("events read", ("events", "read")),
    ("events list", ("events", "list")),
    ("events inbox", ("events", "inbox")),
    ("events show", ("events", "show", "1")),
    ("events replay", ("events", "replay", "1")),
    ("events source remove", ("events", "source", "remove", "tool")),
    ("webhook add", ("webhook", "add", "crm", HOOK, "--client", "acme", "--secret", "MY_HOOK")),
    ("pause", ("pause", "clean-1", "--workflow", "normalise-name", "--reason", "a moment")),
    ("resume", ("resume", "clean-1")),
    ("cancel", ("cancel", "clean-1", "--workflow", "normalise-name")),
    ("priority", ("priority", "clean-1", "high")),
    ("status", ("status",)),
    ("status BATCH", ("status", BATCH)),
    ("status BATCH --failed", ("status", BATCH, "--failed")),
    ("stats", ("stats", BATCH)),
    ("resolve", ("resolve", BATCH)),
    ("resolve --accept-miss", ("resolve", BATCH, "--accept-miss")),
    ("resolve --retry", ("resolve", BATCH, "--retry")),
    ("callbacks list", ("callbacks", "list")),
    ("callbacks show", ("callbacks", "show", "1")),
    ("callbacks replay", ("callbacks", "replay", "1")),
    ("retry --all-batches", ("retry", "--all-batches", "--dry-run")),
    ("retry", ("retry", BATCH)),
    ("ask --dry-run", ("ask", BATCH, "--workflow", MATCH, "--again", "--dry-run")),
    ("ask", ("ask", BATCH, "--workflow", VERIFY, "--item", "{item}", "--again")),
    ("replay", ("replay", BATCH, "--workflow", MATCH, "--dry-run")),
    ("explain", ("explain", BATCH, "{item}")),
    ("edit", ("edit", BATCH, "{item}", "title", "Chief", "--by", "ada")),
    ("report", ("report", "cost")),
    ("report BATCH", ("report", BATCH)),
    ("worked-at", ("worked-at", "Globex")),
    ("moves", ("moves", "Initech", "Globex")),
    ("job-changes", ("job-changes", "--since", "2019-06-01")),
    ("proposals list", ("proposals", "list")),
    ("proposals accept", ("proposals", "accept", "1")),
    ("proposals reject", ("proposals", "reject", "1")),
    ("review list", ("review", "list", "--batch", BATCH)),
    ("review show", ("review", "show", "{item}")),
    ("review questions", ("review", "questions", "--batch", BATCH)),
    ("review answer", ("review", "answer", "{item}", "fits=true")),
    ("review approve", ("review", "approve", "{item}", "--note", "read")),
    ("review reject", ("review", "reject", "--batch", BATCH, "--state", "approved", "--reason", "no", "--yes")),
    ("review edit", ("review", "edit", "{item}", "phone=+1 202 555 0199")),
    (
        "organisation join",
        ("organisation", "join", "name:a", "name:b", "--reason", "one", "--client", "acme"),
    ),
    ("organisation part", ("organisation", "part", "name:c", "--reason", "alone", "--client", "acme")),
    ("organisation list", ("organisation", "list")),
    ("organisation undo", ("organisation", "undo", "1", "--client", "acme")),
    ("suppress add", ("suppress", "add", "ann@acme.com", "--reason", "said no")),
    ("suppress import", ("suppress", "import", "{list}", "--reason", "said no", "--client", "acme")),
    ("suppress check", ("suppress", "check", "ann+x@acme.com")),
    ("suppress list", ("suppress", "list")),
    ("suppress remove", ("suppress", "remove", "ann@acme.com")),
    ("alert add", ("alert", "add", "batch.stuck", "--channel", "slack:T")),
    ("alert list", ("alert", "list")),
    ("alert test", ("alert", "test", "webhook:T")),
    ("alert incidents", ("alert", "incidents")),
    ("alert channels", ("alert", "channels")),
    ("alert remove", ("alert", "remove", "1")),
    ("person find", ("person", "find", "--name", "Ann Archer", "--company", "acme.com")),
    ("person known", ("person", "known", "ann@acme.com")),
    ("person export", ("person", "export", "--email", "ann@acme.com", "--to", "{exported}")),
    ("person erase", ("person", "erase", "--email", "ann@acme.com", "--reason", "asked us to")),
    ("person erased", ("person", "erased")),
    ("person certificate", ("person", "certificate", "1")),
    ("webhook send", ("webhook", "send")),
    ("webhook events", ("webhook", "events", "crm")),
    ("webhook list", ("webhook", "list")),
    ("webhook test", ("webhook", "test", "crm")),
    ("webhook disable", ("webhook", "disable", "crm")),
    ("webhook enable", ("webhook", "enable", "crm")),
    ("webhook rotate", ("webhook", "rotate", "crm", "--secret", "MY_HOOK_2")),
    ("webhook recover", ("webhook", "recover", "crm", "--since", "2026-01-01")),
    ("webhook remove", ("webhook", "remove", "crm")),
    ("instantly connect", ("instantly", "connect", "--client", "acme", "--key", "MY_KEY")),
    ("instantly list", ("instantly", "list")),
    ("instantly sync", ("instantly", "sync", "--client", "acme", "--file", "{figures}")),
    ("instantly campaigns", ("instantly", "campaigns", "--client", "acme")),
    ("instantly accounts", ("instantly", "accounts")),
    ("campaign create", ("campaign", "create", "{campaign}", "--client", "acme")),
    ("campaign listen", ("campaign", "listen", "acme-instantly", "--client", "acme")),
    ("campaign list", ("campaign", "list")),
    ("campaign show", ("campaign", "show", "Golf", "--client", "acme")),
    ("campaign launch", ("campaign", "launch", "Golf", "--client", "acme", "--batch", BATCH, "--dry-run")),
    ("instantly disconnect", ("instantly", "disconnect", "--client", "acme")),
    ("give-up", ("give-up", "clean-1", "--yes")),
    ("archive", ("archive", "upload", "{upload}")),
    ("archived", ("archived",)),
    ("restore", ("restore", "upload", "{upload}")),
    ("remove", ("remove", "client", "globex", "--yes")),
    ("retention", ("retention", "--days", "180")),
    ("user add", ("user", "add", "ada", "--role", "operator", "--client", "acme")),
    ("user list", ("user", "list")),
    ("user role", ("user", "role", "ada", "reader")),
    ("user disable", ("user", "disable", "ada")),
    ("user enable", ("user", "enable", "ada")),
    ("user reset", ("user", "reset", "ada")),
    ("user totp", ("user", "totp", "ada")),
    ("user totp --off", ("user", "totp", "ada", "--off")),
    ("api-key create", ("api-key", "create", "zapier", "--scope", "batches:read", "--client", "acme")),
    ("api-key list", ("api-key", "list")),
    ("api-key revoke", ("api-key", "revoke", "zapier")),
    ("audit", ("audit", "--limit", "1000")),
)
"""What is typed for each line of `PRINTED`, in this order, in one home."""

SIMULATED = {
    "events source connect",
    "campaign create",
    "campaign listen",
    "campaign show",
    "campaign launch",
    "deliver",
}
"""Commands that ask a provider: they are run before the simulator."""

WITHOUT_JSON = {
    *("workflow disable", "workflow enable", "edit", "instantly disconnect", "campaign listen"),
    *("mailbox caps", "mailbox pause", "mailbox resume"),
}
"""Commands that change something and print a sentence only."""
CHANGES = {
    "client add": "client.add",
    "client config": "client.config",
    "client profile --set": "client.profile",
    "client weight": "client.weight",
    "client grant-reader": "client.grant_reader",
    "client revoke-reader": "client.revoke_reader",
    "pause": "batch.pause",
    "resume": "batch.resume",
    "cancel": "batch.cancel",
    "priority": "batch.priority",
    "workflow add": "workflow.save",
    "workflow disable": "workflow.disable",
    "workflow enable": "workflow.enable",
    "pipeline add": "pipeline.save",
    "budget set": "budget.set",
    "budget remove": "budget.remove",
    "upload": "upload.add",
    "lead add": "lead.add",
    "source add": "source.add",
    "source look": "source.take",
    "source pause": "source.pause",
    "source resume": "source.resume",
    "source remove": "source.remove",
    "try": "batch.try",
    "launch": "batch.launch",
    "deliver": "delivery.start",
    "delivery stop": "delivery.stop",
    "delivery resolve": "delivery.resolve",
    "discover --dry-run": "upload.add",
    "resolve --accept-miss": "batch.resolve",
    "callbacks replay": "callback.replay",
    "retry": "batch.retry",
    "ask": "batch.ask",
    "edit": "lead.edit",
    "proposals accept": "proposal.accept",
    "proposals reject": "proposal.reject",
    "review answer": "review.answer",
    "review approve": "review.approve",
    "review reject": "review.reject",
    "review edit": "review.edit",
    "organisation join": "organisation.join",
    "organisation part": "organisation.part",
    "organisation undo": "organisation.undo",
    "suppress add": "suppression.add",
    "suppress import": "suppression.import",
    "suppress remove": "suppression.remove",
    "alert add": "alert.add",
    "alert remove": "alert.remove",
    "person export": "person.export",
    "person erase": "person.erase",
    "mailbox add": "mailbox.add",
    "mailbox caps": "mailbox.set",
    "mailbox pause": "mailbox.pause",
    "mailbox resume": "mailbox.resume",
    "gate set": "gate.set",
    "gate list add": "gate.list",
    "gate list remove": "gate.list",
    "gate pass": "gate.pass",
    "gate consent": "consent.record",
    "gate stop": "contact.stop",
    "gate go-on": "contact.lift",
    "events source add": "event_source.add",
    "events source connect": "event_source.add",
    "events source address": "event_source.rotate",
    "events source pause": "event_source.pause",
    "events source resume": "event_source.resume",
    "events source remove": "event_source.remove",
    "events replay": "event.replay",
    "webhook add": "webhook.add",
    "webhook disable": "webhook.disable",
    "webhook enable": "webhook.enable",
    "webhook rotate": "webhook.rotate",
    "webhook remove": "webhook.remove",
    "instantly connect": "pull.connect",
    "instantly sync": "pull.file",
    "campaign create": "campaign.create",
    "campaign listen": "event_source.add",
    "instantly disconnect": "pull.disconnect",
    "give-up": "batch.give_up",
    "archive": "upload.archive",
    "restore": "upload.restore",
    "remove": "client.remove",
    "retention": "retention.run",
    "user add": "user.add",
    "user role": "user.role",
    "user disable": "user.disable",
    "user enable": "user.enable",
    "user reset": "user.reset",
    "user totp": "user.totp",
    "user totp --off": "user.totp",
    "mail check": "mail.check",
    "mail accept": "mail.accept",
    "api-key create": "api_key.create",
    "api-key revoke": "api_key.revoke",
}
"""What the commands that change something write down."""
EMPTY = {"mail preview", "freshness --launch", "person known", "rejections", "resolve --retry", "alert incidents"}
"""What may print nothing of its noun here."""


@dataclass(frozen=True)
class Ran:
    """A command that was run: what it printed, and the codes of the changes that it wrote down."""

    name: str
    printed: Any
    changes: list[str]


@pytest.fixture(scope="module")
def ran(
    home: Settings, program: typer.Typer, sandbox_process: SandboxProcess, tmp_path_factory: pytest.TempPathFactory
) -> list[Ran]:
    """Every command of `RUNS`, once, in this order."""
    as_new(sandbox_process)  # a test before may have left it refusing everything
    people = tmp_path_factory.mktemp("lists") / "people.csv"
    people.write_text('First Name,Last Name,Website\nAda,Byron,acme.com\nBob,Bell,acme.com\nCy,"Dee,x\n')
    done: list[Ran] = []
    with (
        connect(home.hq_database_url or "", autocommit=True) as hq,
        pytest.MonkeyPatch.context() as patch,
        answering() as channel,
        dns_server(read_zone('acme.example TXT "v=spf1 -all"')) as port,
    ):
        item = hq.execute("select min(id) as id from batch_items").fetchone()
        hq.execute(
            """
            insert into deliveries (client_id, destination, identity_sha256, identity_field, key, state, item_id,
                                    batch_id, version, actor, written)
            select client_id, 'deliver-to-webhook', 'x', 'email', 'k', 'delivered', id, batch_id, 'v', 'tester',
                   '{"email": "a@b.example"}'
            from batch_items order by id limit 1
            """
        )
        cases, recorded = people.with_name("cases.jsonl"), people.with_name("recorded.jsonl")
        cases.write_text('{"name": "a", "inputs": {"full_name": "Ada Byron"}, "expect": {"last_name": "Byron"}}\n')
        exported = people.with_name("ann.json")
        figures = people.with_name("figures.json")
        figures.write_text('{"campaigns": [{"id": "c1", "status": 1}], "accounts": [{"email": "a@b.example"}]}')
        campaign = people.with_name("golf.yaml")
        campaign.write_text("name: Golf\nschedule: {time_zone: UTC}\nsteps: [{subject: Greens, body: Hello}]\n")
        files = {"cases": str(cases), "recorded": str(recorded), "exported": str(exported), "figures": str(figures)}
        files["campaign"] = str(campaign)
        words = {
            **files,
            "example": str(EXAMPLE),
            "list": str(people),
            "item": str(item and item["id"]),
            "upload": "",
            "dns": f"127.0.0.1:{port}",
        }
        for name, value in (environment(home) | {"T": f"{channel.url}/channel"}).items():
            patch.setenv(name, value)
        for name, typed in RUNS:
            options = [] if name in WITHOUT_JSON else ["--json"]
            patch.setenv("ENRICH_SANDBOX_URL", sandbox_process.url if name in SIMULATED else "")
            result = CliRunner().invoke(program, [*(one.format(**words) for one in typed), *options])
            assert result.exit_code == 0, (name, result.output, result.exception)
            printed = None if name in WITHOUT_JSON else json.loads(result.stdout)
            if name == "upload":
                words["upload"] = str(printed["upload_id"])
            codes = hq.execute("select action from operator_actions order by id").fetchall()
            done.append(Ran(name, printed, [row["action"] for row in codes[sum(len(one.changes) for one in done) :]]))
    return done


def test_what_each_command_prints_has_the_keys_and_types_of_its_noun(ran: list[Ran]) -> None:
    assert {one.name for one in ran} - WITHOUT_JSON == PRINTED.keys()
    assert [one.name for one in ran if not one.printed and one.name not in EMPTY | WITHOUT_JSON] == []
    wrong = [f"{one.name}: {fault}" for one in ran if one.printed for fault in faults(one.printed, PRINTED[one.name])]
    assert wrong == []


def test_a_command_that_changes_something_leaves_one_row_and_no_other_command_leaves_any(ran: list[Ran]) -> None:
    assert {one.name: one.changes for one in ran if one.changes} == {name: [code] for name, code in CHANGES.items()}
    history = next(one.printed for one in ran if one.name == "audit")
    assert [row["action"] for row in history] == [code for one in reversed(ran) for code in one.changes]
    assert {row["actor"] for row in history} == {str(actor())}


def environment(settings: Settings) -> dict[str, str]:
    return {
        "ENRICH_HOME": str(settings.home),
        "HQ_DATABASE_URL": settings.hq_database_url or "",
        "WORKSPACE_DATABASE_URL": settings.workspace_database_url or "",
        "DAGSTER_DATABASE_URL": settings.dagster_database_url or "",
        "ENRICH_SANDBOX_URL": "",
        "DAGSTER_HOME": "",
        "MY_HOOK": SECRET,
        "MY_HOOK_2": SECRET,
    }


def faults(printed: Any, what: str) -> typing.Iterator[str]:
    """What of a printed value is not as its line of `PRINTED` says."""
    found = re.fullmatch(r"(list of )?(\w+)( by \w+)?", what)
    assert found is not None
    shape = shape_classes()[found[2]]
    members = list(printed.values()) if found[3] else [printed]
    for member in members:
        for one in member if found[1] else [member]:
            yield from of_shape(one, shape)


def of_shape(value: Any, shape: type[Shape]) -> typing.Iterator[str]:
    if shape.__name__ == "Row":
        if not isinstance(value, dict):
            yield f"{value!r} is no row"
        return
    expected = dict(keys_of(shape))
    if not isinstance(value, dict) or list(value) != list(expected):
        yield f"{shape.__name__} has {list(value)}, not {list(expected)}"
        return
    for key, hint in expected.items():
        if not has_type(value[key], hint):
            yield f"{shape.__name__}.{key} is {value[key]!r}, not {hint}"
        yield from inner(value[key], hint)


def keys_of(shape: type[Shape]) -> typing.Iterator[tuple[str, Any]]:
    """The keys of a shape with their types; those of a flat field in its place."""
    hints = typing.get_type_hints(shape)
    for one in fields(shape):  # type: ignore[arg-type]
        hint = hints[one.name]
        if not one.metadata.get("flat"):
            yield one.name, hint
        elif issubclass(hint, Shape):
            yield from keys_of(hint)
        else:
            assert issubclass(hint, BaseModel)
            definition = WorkflowDefinition if shape.__name__ == "Workflow" else PipelineDefinition
            yield from ((f.serialization_alias or f.alias or n, Any) for n, f in definition.model_fields.items())


def inner(value: Any, hint: Any) -> typing.Iterator[str]:
    """Faults of shapes in lists and objects."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if isinstance(hint, type) and issubclass(hint, Shape):
        yield from of_shape(value, hint)
    elif origin is tuple and arguments[-1] is Ellipsis:
        for member in value:
            yield from inner(member, arguments[0])


def has_type(value: Any, hint: Any) -> bool:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return True
    if isinstance(hint, types.UnionType):
        return any(has_type(value, one) for one in arguments)
    if origin is tuple:
        inner_types = [arguments[0]] * len(value) if arguments[-1] is Ellipsis else list(arguments)
        return isinstance(value, list) and all(map(has_type, value, inner_types))
    if origin is not None and issubclass(origin, Mapping):
        return isinstance(value, dict) and all(has_type(member, arguments[1]) for member in value.values())
    if hint is Decimal:
        return isinstance(value, str) and MONEY.fullmatch(value) is not None
    if hint is date:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    if hint is datetime:
        return isinstance(value, str) and TIME.fullmatch(value) is not None
    if hint is Hint:
        return isinstance(value, dict) and list(value) == ["action", "arguments", "text"]
    if issubclass(hint, Shape):
        return isinstance(value, dict)
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return type(value) is hint
