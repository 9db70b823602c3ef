"""The commands for clients, workflows, pipelines and launching, run as a user runs them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from psycopg import Connection
from typer.testing import CliRunner, Result

from enrichment_assets.assets.instance import open_instance
from enrichment_assets.assets.partitions import PARTITIONS_NAME
from enrichment_assets.cli import client, pipeline, workflow
from enrichment_assets.cli import launch as launch_command
from enrichment_assets.cli.assignments import parse_values
from enrichment_assets.services.uploads.upload import upload_file
from enrichment_assets.settings import Settings
from tests.actors import TESTER
from tests.harness.handles import hq_of


class Program:
    """The four commands on one installation."""

    def __init__(self, settings: Settings) -> None:
        self.app = typer.Typer()
        for name, module in (("client", client), ("workflow", workflow), ("pipeline", pipeline)):
            self.app.add_typer(module.app, name=name)
        launch_command.register(self.app)
        self.environment = {
            "ENRICH_HOME": str(settings.home),
            "HQ_DATABASE_URL": settings.hq_database_url,
            "WORKSPACE_DATABASE_URL": settings.workspace_database_url,
            "DAGSTER_DATABASE_URL": settings.dagster_database_url,
            "DAGSTER_HOME": "",
            "ENRICH_SANDBOX_URL": "",
            "APOLLO_API_KEY": "",
        }

    def __call__(self, *arguments: str, **environment: str) -> Result:
        return CliRunner().invoke(self.app, arguments, env=self.environment | environment)

    def ok(self, *arguments: str, **environment: str) -> str:
        result = self(*arguments, **environment)
        assert result.exit_code == 0, (result.output, result.exception)
        return result.stdout


@pytest.fixture
def program(settings: Settings) -> Program:
    return Program(settings)


def test_a_client_is_added_listed_and_configured(program: Program) -> None:
    assert "client acme (Acme) is there" in program.ok("client", "add", "acme", "--name", "Acme")
    assert [row["slug"] for row in json.loads(program.ok("client", "list", "--json"))] == ["acme"]
    step = "match-person-via-apollo"
    program.ok(
        "client", "config", "acme", step, "--set", "base_url=http://127.0.0.1:9000", "--set", "limits.per_second=2",
        "--secret", "api_key=ACME_APOLLO_KEY",
    )  # fmt: skip
    shown = program.ok("client", "config", "acme", step)
    assert [line.split() for line in shown.splitlines()] == [
        ["workflow", "path", "value"],
        [step, "base_url", '"http://127.0.0.1:9000"'],
        [step, "limits.per_second", "2"],
        [step, "secrets.api_key", "$ACME_APOLLO_KEY"],
    ]
    program.ok("client", "config", "acme", step, "--unset", "base_url", "--disable")
    config = json.loads(program.ok("client", "config", "acme", "--json"))[step]
    assert config == {"settings": {"limits.per_second": 2}, "secrets": {"api_key": "ACME_APOLLO_KEY"}, "enabled": False}
    merged = json.loads(program.ok("client", "config", "acme", step, "--show"))
    assert (merged["limits"]["per_second"], merged["secrets"]) == (2.0, {"api_key": "ACME_APOLLO_KEY"})


def test_a_key_on_the_command_line_is_refused_and_not_echoed(program: Program) -> None:
    program.ok("client", "add", "acme")
    for arguments in (("--secret", "api_key=q7XyZabc1234"), ("--secret", "q7XyZabc1234"), ("--set", "q7XyZabc1234")):
        result = program("client", "config", "acme", "match-person-via-apollo", *arguments)
        assert result.exit_code != 0
        assert "q7XyZ" not in result.output + str(result.exception)


def test_a_shown_workflow_can_be_saved_edited_and_added_again(program: Program, tmp_path: Path) -> None:
    file = tmp_path / "step.yaml"
    file.write_text(program.ok("workflow", "show", "verify-email-via-hunter"))
    assert "unchanged" in program.ok("workflow", "add", str(file))
    file.write_text(file.read_text().replace("slug: verify-email-via-hunter", "slug: my-check"))
    assert "workflow my-check: added" in program.ok("workflow", "add", str(file))
    program.ok("workflow", "disable", "my-check")
    rows = {row["slug"]: row for row in json.loads(program.ok("workflow", "list", "--json"))}
    assert (rows["my-check"]["enabled"], rows["my-check"]["origin"]) == (False, "added")
    assert "added, disabled" in program.ok("workflow", "list")
    program.ok("workflow", "enable", "my-check")
    assert json.loads(program.ok("workflow", "show", "my-check", "--json"))["enabled"]


def test_a_pipeline_is_saved_from_steps_or_a_file_and_a_wrong_order_is_refused(
    program: Program, tmp_path: Path
) -> None:
    program.ok("client", "add", "acme")
    assert "pipeline mails: added" in program.ok(
        "pipeline", "add", "mails", "--steps", "normalise-domain,find-email-via-hunter", "--client", "acme"
    )
    file = tmp_path / "p.yaml"
    file.write_text(program.ok("pipeline", "show", "mails", "--client", "acme").replace("slug: mails", "slug: shared"))
    program.ok("pipeline", "add", str(file))
    listed = [(row["slug"], row["client"]) for row in json.loads(program.ok("pipeline", "list", "--json"))]
    assert ("mails", "acme") in listed
    assert ("shared", None) in listed
    assert "(all)" in program.ok("pipeline", "list", "--client", "acme")
    refused = program("pipeline", "add", "wrong", "--steps", "no-such-step")
    assert "there is no workflow 'no-such-step'" in str(refused.exception)


def test_a_launch_is_planned_and_then_made_with_its_dagster_partition(
    program: Program,
    settings: Settings,
    hq: Connection[dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    program.ok("client", "add", "acme")
    csv = tmp_path / "people.csv"
    csv.write_text("First Name,Last Name,Company,Website\nAnn,A,Acme,acme.com\nBob,B,Acme,acme.com\n")
    upload = str(upload_file(hq_of(settings), settings, csv, "acme", actor=TESTER).upload_id)
    planned = program.ok("launch", upload, "--pipeline", "apollo-basic", "--dry-run")
    assert "cost      at most 0.06 USD" in planned
    assert planned.count("APOLLO_API_KEY is not set") == 2
    assert hq.execute("select 1 from batches").fetchone() is None
    plan = json.loads(
        program.ok("launch", upload, "--pipeline", "apollo-basic", "--dry-run", "--json", APOLLO_API_KEY="k")
    )
    assert (plan["problems"], plan["companies"], plan["cost_at_most"]) == ([], 1, {"USD": "0.06"})
    refused = program("launch", upload, "--pipeline", "apollo-basic")
    assert "APOLLO_API_KEY is not set" in str(refused.exception)
    launched = json.loads(program.ok("launch", upload, "--pipeline", "apollo-basic", "--json", APOLLO_API_KEY="k"))
    assert (launched["batch"], launched["items"]) == (f"acme-{upload}-apollo-basic-1", 2)
    for name, value in program.environment.items():
        monkeypatch.setenv(name, value or "")
    with open_instance(settings) as instance:
        assert instance.get_dynamic_partitions(PARTITIONS_NAME) == [launched["batch"]]
    repeated = program.ok("launch", upload, "--pipeline", "apollo-basic", "--batch", launched["batch"])
    assert "was launched already" in repeated


def test_values_are_yaml_but_text_that_only_looks_like_a_number_stays_text() -> None:
    given = ["a=2", "b=0.5", "c=true", "d=null", "e=[1, x]", "f=007", "g=1:30", "h=2026-01-31"]
    given += ["i=1_000", "j=", "k=a=b", "l=-1.50", "m=0x1F", "n={a: 1}", "o={as_of: 2026-11-28, x: [2026-01-31]}"]
    assert parse_values(given, "--set") == {
        "a": 2, "b": 0.5, "c": True, "d": None, "e": [1, "x"], "f": "007", "g": "1:30", "h": "2026-01-31",
        "i": "1_000", "j": None, "k": "a=b", "l": -1.5, "m": "0x1F", "n": {"a": 1},
        "o": {"as_of": "2026-11-28", "x": ["2026-01-31"]},
    }  # fmt: skip


@pytest.mark.parametrize(
    "command", ["client add", "client list", "client config", "workflow list", "workflow show", "workflow add",
                "workflow disable", "workflow enable", "workflow processors",
                "pipeline list", "pipeline show", "pipeline add", "launch"],
)  # fmt: skip
def test_every_command_teaches_with_an_example(command: str, tmp_path: Path) -> None:
    assert f"Example: enrich {command}" in " ".join(
        Program(Settings(home=tmp_path)).ok(*command.split(), "--help").split()
    )
