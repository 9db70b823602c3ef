"""A client's profile by command, by version, in blueprints, in requests and in the keys of calls."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from psycopg import Connection

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.pipeline import Blueprint, PipelineDefinition
from enrichment_assets.domain.workflow_checks import check_workflow
from enrichment_assets.providers import PROVIDERS
from enrichment_assets.services.batches.launching import launch, plan_launch
from enrichment_assets.services.catalog import configuration
from enrichment_assets.services.catalog.profiles import get_profile, profile_history, set_profile
from enrichment_assets.services.uploads.upload import upload_file
from enrichment_assets.settings import Settings
from tests.actors import TESTER
from tests.harness.batches import BatchHarness, step
from tests.harness.handles import hq_of
from tests.registry.test_registry_commands import Program

HQ = Connection[dict[str, Any]]


@pytest.fixture
def program(settings: Settings) -> Program:
    return Program(settings)


def test_a_profile_is_set_changed_shown_and_listed_by_version(program: Program, hq: HQ, tmp_path: Path) -> None:
    program.ok("client", "add", "acme")
    refused = program("client", "profile", "acme")
    assert refused.exit_code == 1
    assert "client acme has no profile yet" in str(refused.exception)
    assert "no profile yet: enrich client profile acme --file" in program.ok("client", "profile", "acme", "--history")

    file = tmp_path / "profile.yaml"
    file.write_text("offer: Sensors\npersonas: [Head of operations]\nsender: {name: Ada}\n")
    first = program.ok("client", "profile", "acme", "--file", str(file))
    assert first == "client acme: profile 1 set; batches that are launched from now on see it\n"
    changed = program.ok(
        "client", "profile", "acme", "--set", "tone=Plain: no marks", "--set", "sender.title=Founder", "--set",
        "never_say=[guarantee, cheap]", "--json",
    )  # fmt: skip
    said = json.loads(changed)
    assert (said["client"], said["version"], said["profile"]["never_say"]) == ("acme", 2, ["guarantee", "cheap"])
    assert said["profile"]["sender"] == {"name": "Ada", "title": "Founder", "company": None, "email": None}
    assert "profile 2 unchanged" in program.ok("client", "profile", "acme", "--set", "tone=Plain: no marks")

    shown = program.ok("client", "profile", "acme", "--show")
    assert shown.startswith("# client acme, profile 2, by cli:")
    assert yaml.safe_load(shown) == {
        "personas": ["Head of operations"],
        "offer": "Sensors",
        "tone": "Plain: no marks",
        "sender": {"name": "Ada", "title": "Founder"},
        "never_say": ["guarantee", "cheap"],
    }
    file.write_text(shown)
    assert "profile 2 unchanged" in program.ok("client", "profile", "acme", "--file", str(file))
    assert "Founder" not in program.ok("client", "profile", "acme", "--version", "1")

    program.ok("client", "profile", "acme", "--set", "tone=")
    listed = [line.split("\t") for line in program.ok("client", "profile", "acme", "--history").splitlines()]
    assert [(row[0], row[3]) for row in listed[1:]] == [
        ("3", "tone"),
        ("2", "tone, sender, never_say"),
        ("1", "personas, offer, sender"),
    ]
    changes = "select actor, before, after from operator_actions where action = 'client.profile' order by id"
    rows = hq.execute(changes).fetchall()
    assert [(row["before"], row["after"]["version"], row["after"]["changed"]) for row in rows] == [
        (None, 1, ["offer", "personas", "sender"]),
        ({"version": 1}, 2, ["never_say", "sender", "tone"]),
        ({"version": 2}, 3, ["tone"]),
    ]
    assert rows[0]["actor"].startswith("cli:")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["--set", "ofer=x"], "did you mean 'offer'?"),
        (["--set", "personas=CTO"], "is a list: write [one, another]"),
        (["--version", "7"], "client acme has no profile of version 7: the latest is 1"),
        (["--file", "nowhere.yaml"], "there is no file nowhere.yaml"),
    ],
)
def test_a_mistake_says_what_was_meant(program: Program, typed: list[str], said: str) -> None:
    program.ok("client", "add", "acme")
    program.ok("client", "profile", "acme", "--set", "offer=Sensors")
    result = program("client", "profile", "acme", *typed)
    assert result.exit_code == 1
    assert said in str(result.exception)
    both = program("client", "profile", "acme", "--history", "--set", "tone=Plain")
    assert both.exit_code == 2
    assert "--history" in both.output


def test_people_who_set_a_profile_at_once_make_versions_without_gaps(settings: Settings) -> None:
    configuration.add_client(hq_of(settings), "acme", "Acme", actor=TESTER)

    def change(n: int) -> int:
        stored, _ = set_profile(hq_of(settings), "acme", actor=TESTER, values={"proof_points": [f"fact {n}"]})
        return stored.version

    with ThreadPoolExecutor(max_workers=4) as threads:
        made = sorted(threads.map(change, range(8)))
    assert made == list(range(1, 9))
    assert [one.version for one in profile_history(hq_of(settings), "acme")] == list(range(8, 0, -1))


def writing(slug: str, text: str) -> Any:
    body = {"say": text, "x": "{{item.id}}"}
    request = {"url": "/enrich", "headers": {"x-api-key": f"{{{{ '{slug}' }}}}"}, "body": body}
    return step(slug, request=request, provides={f"{slug}_id": "id"})


def test_a_workflow_that_reads_a_name_that_no_profile_has_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="the client's profile has no 'tne': did you mean 'tone'"):
        check_workflow(writing("write", "{{client_profile.tne}}"), PROVIDERS)


def test_a_batch_keeps_the_profile_of_its_launch(harness: BatchHarness, settings: Settings, tmp_path: Path) -> None:
    handle = hq_of(settings)
    environment: dict[str, str] = {}
    simulated = replace(settings, sandbox_url=harness.sandbox.url)
    configuration.add_client(handle, "acme", "Acme", actor=TESTER)
    for workflow in (writing("write", "{{client_profile.offer}}"), writing("plain", "{{first_name}}")):
        configuration.add_workflow(handle, simulated, workflow, actor=TESTER)
    configuration.add_pipeline(handle, PipelineDefinition(slug="p", steps=["write", "plain"]), actor=TESTER)
    file = tmp_path / "people.csv"
    file.write_text("First Name\nAda\n")
    upload = upload_file(handle, simulated, file, "acme", actor=TESTER).upload_id

    plan = plan_launch(handle, simulated, upload, "p", environment=environment)
    missing = "workflow write reads client_profile.offer, and the profile of client acme does not say it"
    assert plan.problems == (missing,)
    with pytest.raises(ConfigurationError, match=missing):
        launch(handle, simulated, upload, "p", actor=TESTER, add_partition=lambda _: None, environment=environment)

    set_profile(handle, "acme", actor=TESTER, values={"offer": "Sensors"})
    assert plan_launch(handle, simulated, upload, "p", environment=environment).problems == ()
    first = launch(handle, simulated, upload, "p", actor=TESTER, add_partition=lambda _: None, environment=environment)
    set_profile(handle, "acme", actor=TESTER, values={"offer": "Robots"})
    second = launch(handle, simulated, upload, "p", actor=TESTER, add_partition=lambda _: None, environment=environment)

    blueprints = {
        row["batch_key"]: Blueprint.model_validate(row["blueprint"])
        for row in harness.hq.execute("select batch_key, blueprint from batches").fetchall()
    }
    harness.hq.rollback()
    kept, later = blueprints[first.batch_key], blueprints[second.batch_key]
    assert kept.client_profile is not None and later.client_profile is not None
    assert (kept.client_profile.version, kept.client_profile.profile.offer) == (1, "Sensors")
    assert (later.client_profile.version, later.client_profile.profile.offer) == (2, "Robots")
    assert later.client_profile.content_hash == get_profile(handle, "acme").content_hash
    # The version is in the keys of calls that are made of it, and of no others.
    assert kept.step("write").version != later.step("write").version
    assert kept.step("plain").version == later.step("plain").version == kept.step("plain").workflow.version()
