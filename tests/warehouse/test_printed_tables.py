"""What every command that prints a table prints: within 80 columns on a terminal, plain and stable in a pipe."""

from __future__ import annotations

import io
import json
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from rich.cells import cell_len

from enrichment_assets.cli import COMMANDS, GROUPS, build_app, built_command
from enrichment_assets.cli.home_guard import commands_of
from enrichment_assets.domain.errors import EnrichError
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.services.insight.named_reports import REPORTS
from enrichment_assets.services.pulls.connecting import connect as connect_pull
from enrichment_assets.services.pulls.syncing import sync_file
from enrichment_assets.services.uploads.upload import upload_file
from enrichment_assets.settings import Settings
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.database import connect
from enrichment_assets.store.money.budgets import set_budget
from tests.actors import TESTER
from tests.harness.handles import hq_of
from tests.mail_services.dns_server import dns_server, read_zone
from tests.warehouse.conftest import Build
from tests.warehouse.hq_data import Answer, Lead

BATCH = "kestrel-and-daughters-12-apollo-basic-1"
PHONE, MATCH, MAIL = "reveal-phone-via-apollo", "match-person-via-apollo", "find-email-via-hunter"
EMAIL = "wilhelmina.vandenbroucke@kestrel-and-daughters.example"
PERSON_ID = "f4bbec591f13a5e03e433412"

TABLES = [
    "status",
    f"ask {BATCH} -w {MATCH} --again --dry-run",
    f"status {BATCH}",
    f"status {BATCH} --failed",
    f"stats {BATCH}",
    "uploads",
    "rejections {upload}",
    "lead show {item}",
    "source list",
    "source show crm",
    "client list",
    "client config kestrel",
    "workflow list",
    "workflow processors",
    "pipeline list",
    "budget list",
    "callbacks list",
    "archived",
    "audit",
    "user list",
    "api-key list",
    "audit --client kestrel --limit 1",
    "suppress list",
    "organisation list",
    "review list",
    "review questions",
    "proposals list",
    "alert list",
    "alert channels",
    "alert incidents",
    "webhook list",
    "gate show kestrel",
    "gate list show kestrel",
    "gate stops",
    "events list",
    "events inbox",
    "events source list",
    "events source kinds",
    "mailbox list",
    "delivery list",
    "destination list",
    "mail check k.example --service google --dns 127.0.0.1:{dns}",
    "instantly list",
    "instantly campaigns",
    "instantly accounts",
    "campaign list",
    "person find --name 'Ada Byron' --company Kestrel",
    "person erased",
    f"person known {EMAIL}",
    f"resolve {BATCH}",
    "launch {upload} --pipeline full-demo --dry-run",
    f"explain {BATCH} {{item}}",
    f"explain {BATCH} {{item}} email",
    *(f"report {name}" for name in REPORTS),
    "worked-at Kestrel",
    "moves Kestrel Merlin",
    "job-changes --since 2020-01-01",
    "query 'select * from final_leads'",
    "query 'select item_id, email, full_name, cost, last_advanced_at from final_leads'",
]
"""Commands of the program that print tables."""

FIGURES = """{"campaigns": [{"id": "c1", "name": "Equipment financing, Texas and Oklahoma", "status": -1}],
 "campaign_analytics": [{"campaign_id": "c1", "contacted_count": 12345, "emails_sent_count": 23456,
   "reply_count_unique": 321, "bounced_count": 98, "total_opportunities": 54}],
 "accounts": [{"email": "wilhelmina@outreach-of-kestrel.example", "status": -2, "stat_warmup_score": 87.5}]}"""

BRIEF = ("instantly", "campaign", "report", "explain", "audit", "api-key", "worked-at", "moves", "job-changes")
"""Those that show a narrow terminal the columns that matter most."""

UNBROKEN = re.compile(
    r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\b|\b[\d.]+ (?:USD|EUR)\b|"
    + "|".join(map(re.escape, (BATCH, MATCH, EMAIL, PERSON_ID)))
)
"""Dates, amounts and identifiers of the batch."""


class Terminal(io.StringIO):
    """Standard output of a person's terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(scope="module")
def settings(shared: Build, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """One batch with every kind of state, calls paid in two currencies, a budget, a dead callback, rejected rows."""
    jobs = [
        {"organization_name": "Kestrel", "organization_id": "k1", "title": "CTO", "current": True,
         "start_date": "2024-03-01"},
        {"organization_name": "Merlin", "organization_id": "m1", "title": "VP", "start_date": "2019-01-01",
         "end_date": "2024-02-01"},
    ]  # fmt: skip
    found = [
        Answer(MATCH, {"person": {"employment_history": jobs}}, {"title": "CTO", "apollo_person_id": PERSON_ID}),
        Answer(MAIL, {}, {"email": EMAIL}, provider="hunter", stage="email"),
        Answer(PHONE, status="AMBIGUOUS", outcome=None, reason="the connection broke after the request had left " * 3),
    ]
    states = [
        Answer(MATCH, None, {}, outcome="not_found", reason="the answer has none of the asked fields"),
        Answer(MAIL, provider="hunter", status="SKIPPED", outcome=None, reason="missing_input: company_domain"),
        Answer(PHONE, status="FAILED", outcome=None, error_class="contract", reason="no JSON: https://x.y/" + "z" * 90),
    ]
    waiting = [Answer(MATCH, status="PENDING", outcome=None), Answer(PHONE, status="IN_PROGRESS", outcome=None)]
    name = {"full_name": "Wilhelmina van den Broucke 李小龙", "company_name": "Kestrel", "company_domain": "k.example"}
    shared([Lead(name, found), Lead(name, states), Lead(name, waiting)], batch_key=BATCH, client="kestrel")
    hq = shared.settings.hq_database_url or ""
    with connect(hq) as connection:
        _pay(connection)
        note_action(
            connection,
            TESTER,
            Code.BUDGET_SET,
            f"kestrel/{BATCH}/{PHONE}",
            before={"amount": "3703.50", "currency": "USD"},
            after={"amount": "5000.00", "currency": "USD", "note": "a long one " * 30},
        )
        said = {"key": "id", "where": {"state": "new"}, "map": {}, "done": {"state": "a"}, "failed": {"state": "b"}}
        said |= {"table": "people_of_kestrel", "reason": None, "every": 60, "at_most": 500, "gather": "hour"}
        connection.execute(
            "insert into sources (name, client_id, pipeline_slug, definition, problem) "
            "select 'crm', id, 'full-demo', %s, 'the workspace has no table people_of_kestrel' from clients limit 1",
            (json.dumps(said),),
        )
        connection.execute(
            "insert into source_rows (client_id, source_id, row_key, batch_id, item_id) "
            "select b.client_id, s.id, 'a-key-of-theirs', b.id, 1 from batches b, sources s where b.batch_key = %s",
            (BATCH,),
        )
        connection.execute(
            "insert into outreach_campaigns (client_id, service, name, key, definition, body_sha256, state, "
            "external_id, status_code, created_by) select client_id, 'instantly', 'Equipment financing, Texas', "
            "'1f2e3d4c', '{}', '', 'made', '0b9f3c52-6f0e-4a8e-9d5c-1c0c8a7e5b11', 0, 'cli:ada' from batches "
            "where batch_key = %s",
            (BATCH,),
        )
        connection.execute(
            "insert into deliveries (client_id, destination, target, identity_sha256, identity_field, key, state, "
            "external_id, item_id, batch_id, version, actor) select s.client_id, 'hubspot-contacts', 'contacts', "
            "sha256(s.id::text::bytea), 'email', encode(sha256(s.id::text::bytea), 'hex'), 'unknown', "
            "'2f9ad2a1-7c51-4b3e-9a65-4f0c8a7e5b11', s.id, s.batch_id, 'v', 'cli:ada' "
            "from batch_items s, batches b where b.id = s.batch_id and b.batch_key = %s",
            (BATCH,),
        )
    path = tmp_path_factory.mktemp("upload") / "people-of-kestrel-and-daughters.csv"
    path.write_text("full_name,company_name,email\nAda,Kestrel,ada@k.example\n1,2,3,4,5\nBo,Kestrel,b@k.example\n")
    upload_file(hq_of(shared.settings), shared.settings, path, "kestrel", actor=TESTER)
    figures = path.with_name("figures.json")
    figures.write_text(FIGURES)
    connect_pull(hq_of(shared.settings), "instantly", "kestrel", "A_KEY_OF_KESTREL", actor=TESTER)
    sync_file(hq_of(shared.settings), "instantly", "kestrel", figures, actor=TESTER)
    return shared.settings


def _pay(connection: psycopg.Connection[dict[str, Any]]) -> None:
    """Calls of two currencies, one of them answered by a callback nobody could read, and a budget."""
    execute = connection.execute
    batch = execute("select id, client_id from batches where batch_key = %s", (BATCH,)).fetchone()
    assert batch is not None
    execute(
        "update batches set blueprint = jsonb_set(jsonb_set(blueprint, '{steps,0,workflow,price}', %s), "
        "'{steps,1,workflow,price}', %s) where id = %s",
        (json.dumps({"currency": "USD"}), json.dumps({"currency": "EUR"}), batch["id"]),
    )
    execute(
        "insert into provider_calls (client_id, batch_id, item_id, call_key, workflow_slug, subject_key, provider, "
        "operation, state, fence, estimated_cost, cost) select client_id, batch_id, item_id, workflow_slug || item_id, "
        "workflow_slug, 'item:' || item_id, 'p', 'o', 'applied', 1, 0.02, case workflow_slug when %s then 1234.5 else "
        "0.0125 end from workflow_states where batch_id = %s and workflow_slug <> %s",
        (MATCH, batch["id"], PHONE),
    )
    execute(
        "insert into callback_inbox (client_id, batch_id, call_id, headers, body, body_sha256, status, error) "
        "select client_id, batch_id, min(id), '{}', '{', '\\x00', 'dead', 'line 1: a document ends in the middle of an "
        "object, which is no JSON' from provider_calls where batch_id = %s group by 1, 2",
        (batch["id"],),
    )
    set_budget(connection, batch["client_id"], batch["id"], MATCH, Decimal(5000))


Run = Callable[..., str]


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs a command of the program in this process, on a terminal of some width or (None) in a pipe."""
    monkeypatch.setenv("ENRICH_HOME", str(settings.home))
    monkeypatch.setenv("HQ_DATABASE_URL", settings.hq_database_url or "")
    monkeypatch.setenv("TERM", "xterm-256color")
    with connect(settings.hq_database_url or "") as connection:
        names = connection.execute(
            "select (select max(id) from uploads) as upload, (select min(id) from batch_items) as item"
        ).fetchone()
    assert names is not None

    def run(line: str, width: int | None) -> str:
        if width is not None:
            monkeypatch.setenv("COLUMNS", str(width))
        out = io.StringIO() if width is None else Terminal()
        monkeypatch.setattr(sys, "stdout", out)
        built_command(None)(shlex.split(line.format(**names)), standalone_mode=False)
        return out.getvalue()

    with dns_server(read_zone('k.example TXT "v=spf1 a:k.example ?all"')) as port:
        names["dns"] = port
        yield run


def lines_of(shown: str) -> list[str]:
    return re.sub(r"\x1b\[[0-9;]*m", "", shown).split("\n")


@pytest.mark.parametrize("line", TABLES)
def test_a_table_fits_80_columns_unbroken_and_is_plain_in_a_pipe(
    run: Run, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = lines_of(run(line, 80))
    assert [text for text in shown if cell_len(text) > 80] == []
    monkeypatch.setenv("FORCE_COLOR", "1")
    piped = run(line, None)
    assert not re.search("[│┃─━┏└\x1b]", piped + "".join(shown))
    assert "…" not in piped
    if line.split()[0] not in BRIEF:
        assert set(UNBROKEN.findall(piped)) <= set(UNBROKEN.findall("\n".join(shown)))


def test_every_command_with_a_table_is_tried_above() -> None:
    source = Path(build_app.__code__.co_filename).parent
    modules_of_commands = {*COMMANDS, *GROUPS} - {"shell"}  # which prints as query does, when a line is typed
    printing = {name for name in modules_of_commands if "print_table(" in (source / f"{name}.py").read_text()}
    tried = {line.split()[0] for line in TABLES}
    modules = {
        (command.callback.__module__.rpartition(".")[2] if command.callback else "")
        for name, command in commands_of(build_app())
        if name.split()[0] in tried
    }
    assert printing <= modules


def test_money_has_its_currency_and_a_sum_for_each(run: Run) -> None:
    rows = [line.split("\t") for line in run(f"status {BATCH}", None).splitlines()]
    sums = [(row[0], row[-1]) for row in rows if row[0] in (MATCH, MAIL, "sum")]
    assert sums[:4] == [
        (MATCH, "3703.500 USD"),
        (MAIL, "0.025 EUR"),
        ("sum", "3703.500 USD"),
        ("sum", "0.025 EUR"),
    ]
    assert "3703.50 USD + 0.025 EUR" in run("status", None)
    assert "\t0.02 EUR + 0.04 USD\t" in run(f"person known {EMAIL}", None)
    run("workflow list", None)  # what a budget is paid in, the registry says
    assert "5000.00 USD" in run("budget list", None)


def test_columns_without_a_value_are_left_out_and_what_all_rows_share_is_said_once(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = lines_of(run("callbacks list", 80))
    assert shown[0] == f"client kestrel, batch {BATCH}"
    assert "client" not in shown[1]
    assert "saved" not in run(f"stats {BATCH}", 80)
    piped = run("callbacks list", None).splitlines()
    monkeypatch.setenv("COLUMNS", "40")
    assert run("callbacks list", None).splitlines() == piped
    assert piped[0].split("\t") == ["id", "status", "received", "client", "batch", "workflow", "bytes", "error"]


def test_a_question_says_on_standard_error_how_many_rows_there_were(
    run: Run, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run("query 'select unnest([1, 2, 3]) as n' --limit 2", None) == "n\n1\n2\n"
    assert capfd.readouterr().err == "3 rows, 1 not shown (--limit)\n"


WITH_CLIENT = sorted(
    name
    for name, command in commands_of(build_app())
    if command.callback is not None and not command.hidden and "client" in command.callback.__annotations__
)
"""Commands that take the name of a client, and what else they must be given."""

NEEDED = {
    "upload": "{file} --client nobody",
    "launch": "{upload} --pipeline full-demo --client nobody --dry-run",
    "discover": "fs --region Erie --client nobody --dry-run",
    "lead add": "first_name=Ada --pipeline full-demo --client nobody",
    "lead show": "1 --client nobody",
    "source add": "crm --table people --key id --where state=new --pipeline full-demo --done state=a --failed state=b "
    "--client nobody",
    "query": "'select 1' --client nobody",
    "report": "funnel --client nobody",
    "worked-at": "Kestrel --client nobody",
    "moves": "Kestrel Merlin --client nobody",
    "job-changes": "--since 2020-01-01 --client nobody",
    "budget set": "5 --client nobody",
    "user add": "ada --client nobody",
    "user role": "ada reader --client nobody",
    "api-key create": "zapier --scope batches:read --client nobody",
    "pipeline show": "full-demo --client nobody",
    "pipeline add": "mine --steps normalise-name --client nobody",
    "client config": "nobody",
    "client weight": "nobody 2",
    "client grant-reader": "nobody",
    "client revoke-reader": "nobody",
    "organisation join": "name:a name:b --reason no --client nobody",
    "organisation part": "name:a --reason no --client nobody",
    "organisation undo": "1 --client nobody",
    "organisation list": "--client nobody",
    "suppress add": "a@b.de --reason no --client nobody",
    "suppress import": "{file} --reason no --client nobody",
    "suppress check": "a@b.de --client nobody",
    "suppress remove": "a@b.de --client nobody",
    "alert add": "batch.stuck --channel slack:T --client nobody",
    "person find": "--email a@b.de --client nobody",
    "person known": "a@b.de --client nobody",
    "person export": "--email a@b.de --to {file}.json --client nobody",
    "person erase": "--email a@b.de --reason asked --client nobody",
    "try": "normalise-name --set full_name=Ada --client nobody",
    "client profile": "nobody",
    "mail check": "acme.example --dns 127.0.0.1:9 --client nobody",
    "mailbox add": "ann@acme.example --set host=smtp.x --postal-address Erie --time-zone UTC --client nobody",
    "webhook add": "sink https://sink.example/in --secret ACME_WEBHOOK_SECRET --client nobody",
    "campaign create": "{file}.yaml --client nobody",
    "campaign launch": "Golf --batch acme-1 --client nobody",
    "campaign show": "Golf --client nobody",
    "campaign activate": "Golf --yes --client nobody",
    "campaign listen": "golf --client nobody",
    "instantly connect": "--key ACME_INSTANTLY_KEY --client nobody",
    "instantly report": "--html {file}.html --client nobody",
    "gate consent": "nobody a@b.de --evidence form",
    "gate go-on": "nobody a@b.de",
    "gate list add": "nobody {file} --kind customers",
    "gate list remove": "nobody --kind customers --company b.de",
    "gate list show": "nobody",
    "gate set": "nobody company_cap people=5",
    "gate show": "nobody",
    "gate stop": "nobody a@b.de --reason no",
    "destination check": "hubspot-contacts --client nobody",
    "events source add": "nobody-crm --kind instantly --client nobody",
    "events source connect": "new-crm --kind clickup --settings {folder}/crm.yaml --secret WORD --client nobody",
    "archive": "pipeline mine --client nobody",
    "restore": "pipeline mine --client nobody",
    "remove": "pipeline mine --client nobody --yes",
}


@pytest.mark.parametrize("name", WITH_CLIENT)
def test_a_client_that_does_not_exist_is_an_error_everywhere(run: Run, name: str, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("email\na@b.example\n")
    (tmp_path / "crm.yaml").write_text("team_id: '9'\n")
    golf = "name: Golf\nschedule: {time_zone: UTC}\nsteps: [{subject: Greens, body: Hello}]\n"
    (tmp_path / "people.csv.yaml").write_text(golf)
    words = NEEDED.get(name, "--client nobody").replace("{folder}", str(tmp_path))
    words = words.replace("{file}", str(tmp_path / "people.csv"))
    with pytest.raises(EnrichError, match="no client"):
        run(f"{name} {words}", None)
