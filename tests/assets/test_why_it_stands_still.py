"""Each cause for which a step stands still, in one batch: what is said of it, and what to do, wherever it is shown."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pytest
from typer.testing import CliRunner

from enrichment_assets.assets.jobs import BATCH_JOB
from enrichment_assets.assets.partitions import PARTITIONS_NAME
from enrichment_assets.assets.standing import OUTCOME_TAG, outcome_of
from enrichment_assets.cli import build_app
from enrichment_assets.cli.hints import all_worded
from enrichment_assets.cli.standing import print_standing
from enrichment_assets.code_location import build_definitions
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.hints import Action, Hint
from enrichment_assets.domain.pipeline import PipelineDefinition
from enrichment_assets.domain.planning import build_blueprint
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.engine.run.advance import RunReport
from enrichment_assets.installation.stack import only_stack_of
from enrichment_assets.installation.told_addresses import addresses_told
from enrichment_assets.providers import build_providers
from enrichment_assets.sandbox import SandboxProcess
from enrichment_assets.services.batches.advancing import advance_batch
from enrichment_assets.services.batches.foresight import lacking, next_runner
from enrichment_assets.services.batches.items import create_items
from enrichment_assets.services.batches.launching import launch
from enrichment_assets.services.batches.status import BatchStatus, status
from enrichment_assets.services.operations.failed_rows import list_failed
from enrichment_assets.services.operations.retrying import retry
from enrichment_assets.services.operations.standing import Standing
from enrichment_assets.services.uploads.upload import upload_file
from enrichment_assets.settings import Settings
from tests.actors import TESTER
from tests.assets.conftest import platform
from tests.engine.hostile_server import answering
from tests.harness.batches import BatchHarness, Launched, account, async_step, step
from tests.harness.batches import people as persons
from tests.harness.handles import hq_of

MISSING = "A_KEY_THAT_IS_NOT_SET"
ROWS = 25
TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"
AGAIN = rf"it is tried again at {TIME}, by `enrich up` if that runs"


@dataclass(frozen=True)
class Cause:
    """What stands still: step, status, number of rows (None: some), and patterns of the sentence and the remedy."""

    workflow: str
    status: str
    states: int | None
    cause: str | None
    reason: str
    remedy: str


CAUSES = (
    Cause(
        "lacks-key",
        "PENDING",
        ROWS,
        "missing_variable",
        rf"the environment variable {MISSING} is not set in the shell that ran it last \(process .+:\d+\)",
        rf"set {MISSING} \(or write it into the file .env\), then run the batch again",
    ),
    Cause("after-it", "PENDING", ROWS, "earlier_step", r"waits for lacks-key \(25 of 25 not done\)", "see lacks-key"),
    Cause("rejected", "PENDING", ROWS, "auth", "HTTP 401: the key was refused", f"check the key .*then retry; {AGAIN}"),
    Cause("unpaid", "PENDING", ROWS, "payment", "HTTP 402", f"pay what the provider asks for.*; {AGAIN}"),
    Cause("asked-quiet", "PENDING", ROWS, "quiet", "the provider asked for quiet", f"nothing: .* pause; {AGAIN}"),
    Cause("down", "PENDING", ROWS, "breaker", "the provider failed 20 times in a row", f"nothing: one call.*; {AGAIN}"),
    Cause("few-a-day", "PENDING", 21, "day_limit", "the 4 calls of a day are used up", f"wait, or raise.*; {AGAIN}"),
    Cause("nowhere", "FAILED", None, "contract", "HTTP 404", "look at the workflow's address and request, then retry"),
    Cause("nowhere", "PENDING", None, "refused", "the first answers were all the same refusal", f"look at.*; {AGAIN}"),
    Cause(
        "dear",
        "PENDING",
        22,
        "paused",
        r"paused by dagster:budget: a call of dear takes 0\.01 USD, and of the client's budget for dear of 0\.03 USD "
        r"0\.03 USD is spent: the next call needs a budget of 0\.04 USD, all \d+ that wait there "
        r"0\.\d\d USD, besides what later steps cost",
        "raise that budget",
    ),
    Cause("left-out", "SKIPPED", ROWS, "run_if", r"run_if: original\.n == 'x'", "nothing: the workflow's `run_if`"),
    Cause(
        "bad-condition",
        "SKIPPED",
        ROWS,
        "run_if",
        "run_if: the expression fails: run_if: ",
        "mend the workflow's `run_if`",
    ),
    Cause("no-column", "SKIPPED", ROWS, "missing_input", "missing_input: email", "map a column of the list to email"),
    Cause(
        "no-answer",
        "SKIPPED",
        ROWS,
        "missing_input",
        "missing_input: sought",
        "sought is to come from seek: look there for what became of it",
    ),
    Cause(
        "neither",
        "SKIPPED",
        ROWS,
        "missing_input",
        r"missing_input: email\|sought",
        r"email|sought is to come from seek: look there for what became of it",
    ),
    Cause(
        "calls-back",
        "IN_PROGRESS",
        ROWS,
        "callback",
        rf"waits for its callback since {TIME}, the first until {TIME}",
        "nothing, if the provider reaches the receiver",
    ),
    Cause("garbled", "FAILED", ROWS, "contract", "not JSON", "look at the stored answer; mend the workflow's mapping"),
    Cause(
        "lost", "AMBIGUOUS", ROWS, "ambiguous", "no answer within our own time-out", "look the call up at the provider"
    ),
)


def behaving(slug: str, scenario: str, **fields: Any) -> WorkflowDefinition:
    """A step whose provider behaves in one way for every row."""
    request = {
        "url": "/enrich",
        "headers": {"x-api-key": account(slug), "x-sandbox-scenario": scenario},
        "body": {"item": {"id": "{{item.id}}"}, "step": slug},
    }
    return step(slug, request=request, **fields)


@pytest.fixture
def harness(
    simulated: Settings, hq: psycopg.Connection[dict[str, Any]], sandbox: SandboxProcess, tmp_path: Path
) -> BatchHarness:
    return BatchHarness(simulated, hq, sandbox, tmp_path)


@pytest.fixture
def servers() -> Iterator[dict[str, str]]:
    """Addresses of providers that answer everything with one status."""
    with ExitStack() as stack:
        addresses = {}
        for name, code, headers in (
            ("unpaid", 402, {}),
            ("down", 503, {}),
            ("quiet", 429, {"retry-after": "3600"}),
            ("nowhere", 404, {}),
            ("garbled", 200, {}),
        ):
            server = stack.enter_context(answering())
            server.status, server.headers = code, headers
            server.bodies["/garbled"] = b"no JSON"
            addresses[name] = server.url
        yield addresses


def troubled(harness: BatchHarness, servers: dict[str, str]) -> Launched:
    """A batch with a step for each cause."""
    five = {"concurrency": 5}
    many = {"base": 0.01, "max": 0.02, "attempts": 10}
    workflows = [
        step("lacks-key", secrets={"api_key": MISSING}, base_url="http://127.0.0.1:9"),
        step("after-it", uses=["lacks_key"], provides={"x": "id"}),
        step("rejected", base_url=f"{harness.sandbox.url}/http/", limits=five),
        step("unpaid", base_url=servers["unpaid"], limits=five),
        step("asked-quiet", base_url=servers["quiet"], limits={"concurrency": 1}),
        step("down", base_url=servers["down"], limits=five, retry=many, free_or_idempotent=True),
        step("few-a-day", limits={"per_day": 4}),
        step("nowhere", base_url=servers["nowhere"], limits={"concurrency": 1}),
        step("dear"),
        step("left-out", run_if="original.n == 'x'"),
        step("bad-condition", run_if="length(email) > `3`"),
        step("no-column", requires=["email"]),
        behaving("seek", "miss", provides={"sought": "id"}),
        step("no-answer", requires=["sought"]),
        step("neither", requires=[["email", "sought"]]),
        async_step("calls-back"),
        step("garbled", base_url=servers["garbled"], url="/garbled"),
        behaving("lost", "timeout", retry={"base": 0.01, "max": 0.02, "timeout": 0.2}),
    ]
    batch = harness.launch(persons(ROWS), *workflows)
    harness.sandbox.configure(rejected_keys=["rejected"])
    batch.set_budget("0.03", workflow="dear")
    return batch


def found(one: BatchStatus, cause: Cause) -> Standing:
    (standing,) = [r for r in one.reasons if (r.workflow, r.status) == (cause.workflow, cause.status)]
    return standing


@pytest.fixture
def say(simulated: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Runs a command of this home in this process, as `enrich` would, and gives what it prints."""
    monkeypatch.setenv("ENRICH_HOME", str(simulated.home))
    monkeypatch.setenv("ENRICH_SANDBOX_URL", simulated.sandbox_url or "")
    monkeypatch.setenv("HQ_DATABASE_URL", simulated.hq_database_url or "")
    monkeypatch.setenv("WORKSPACE_DATABASE_URL", simulated.workspace_database_url or "")

    def run(*words: str) -> str:
        result = CliRunner().invoke(build_app(), words, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    return run


def test_every_cause_is_kept_and_shown_with_its_remedy_in_status_and_retry(
    harness: BatchHarness, servers: dict[str, str], say: Callable[..., str]
) -> None:
    batch = troubled(harness, servers)
    batch.run()
    shown = status(hq_of(batch.settings), batch.settings, batch.key)
    printed = say("status", batch.key)
    for cause in CAUSES:
        standing = found(shown, cause)
        assert re.search(cause.reason, standing.reason), (cause.workflow, standing)
        assert re.match(cause.remedy, all_worded(standing.hints)), (cause.workflow, standing)
        assert standing.cause == cause.cause, standing
        assert standing.states == cause.states or cause.states is None, standing
        assert f"why  {standing.reason}\n    do   {all_worded(standing.hints)}\n" in printed
    for workflow in shown.workflows:
        told = {s: sum(r.states for r in shown.reasons if (r.workflow, r.status) == (workflow.slug, s)) for s in OPEN}
        assert told == {s: getattr(workflow, s.lower()) for s in OPEN}, "all that is not done is accounted for"
    as_json = json.loads(say("status", batch.key, "--json"))["reasons"]
    (missing,) = [r for r in as_json if r["workflow"] == "lacks-key"]
    assert (missing["cause"], missing["states"]) == ("missing_variable", ROWS)

    failed = list_failed(hq_of(batch.settings), batch.key, 30)
    assert (len(failed.rows), failed.total) == (30, sum(w.failed + w.ambiguous for w in shown.workflows))
    assert (failed.rows[0].row_number, failed.rows[0].who, failed.rows[0].workflow) == (1, "Ann1", "nowhere")
    listed = say("status", batch.key, "--failed", "--limit", "30")
    assert "row 1: Ann1: garbled: failed (contract)\n    why  " in listed
    assert f"30 of {failed.total} are shown" in listed
    assert len(json.loads(say("status", batch.key, "--failed", "--limit", "2", "--json"))["rows"]) == 2

    batch.set_budget("0.01", workflow="garbled")
    retried = say("retry", batch.key, "--workflow", "garbled")
    assert "garbled: 25 failed item(s) will be tried again" in retried
    again = retry(hq_of(batch.settings), batch.settings, batch.key, actor=TESTER)
    assert {h.workflow: h.reason for h in again.hindrances} == {
        "lacks-key": f"the environment variable {MISSING} is not set in this shell",
        "few-a-day": "the 4 calls of a day are used up",
        "dear": "the client's budget for dear of 0.03 has no room for this call",
        "garbled": "the client's budget for garbled of 0.01 has no room for this call",
    }
    assert again.pending["rejected"] == ROWS


OPEN = ("PENDING", "IN_PROGRESS", "SKIPPED", "FAILED", "AMBIGUOUS")


def test_what_the_running_stack_lacks_is_said_by_name_before_a_launch(
    simulated: Settings, people: Path, say: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINE", "set in this shell")
    needy = step("needy", secrets={"api_key": "MINE"}, url="https://needy.example/x")
    either = build_blueprint("acme", PipelineDefinition(slug="p", steps=["needy"]), {"needy": needy}, {})
    real = either.model_copy(update={"simulated": False})
    told = {"ENRICH_SANDBOX_URL": "", "ENRICH_SECRET_NAMES": "ACME_*,MINE", "ACME_KEY": "secret value", "PATH": "/bin"}
    upload = upload_file(hq_of(simulated), simulated, people, "acme", actor=TESTER).upload_id
    with only_stack_of(simulated), addresses_told(simulated, told):
        assert "secret value" not in (simulated.home / "up.json").read_text()
        assert set(next_runner(simulated).variables) == {"ACME_KEY"}
        (lacks,) = lacking(next_runner(simulated), real, ["needy"])
        assert lacks.reason == "the environment variable MINE is not set in `enrich up`"
        assert all_worded(lacks.hints) == "MINE is set in this shell: start `enrich up` again from here"
        planned = say("launch", str(upload), "--pipeline", "apollo-basic", "--client", "acme", "--dry-run")
        assert "warning: the running `enrich up` could not call everything of this batch:" in planned
        assert "why  the batch is for the simulator, and `enrich up` calls real providers" in planned
        assert "do   start `enrich up` again with --sandbox" in planned
    with only_stack_of(simulated), addresses_told(simulated, {**told, "MINE": "x"}):
        assert lacking(next_runner(simulated), real, ["needy"]) == []
    assert "warning" not in say("launch", str(upload), "--pipeline", "apollo-basic", "--client", "acme", "--dry-run")


def test_a_batch_for_the_other_world_says_so_in_its_status(simulated: Settings, people: Path) -> None:
    upload = upload_file(hq_of(simulated), simulated, people, "acme", actor=TESTER).upload_id
    batch = launch(
        hq_of(simulated),
        simulated,
        upload,
        "apollo-basic",
        client="acme",
        add_partition=lambda _key: None,
        actor=TESTER,
    ).batch_key
    create_items(hq_of(simulated), simulated, batch)
    (untouched, *_) = status(hq_of(simulated), simulated, batch).reasons
    assert (untouched.cause, untouched.reason) == ("no_run", "nobody has run the batch yet")
    assert all_worded(untouched.hints) == "run it, or start `enrich up`, which does so by itself"
    with only_stack_of(simulated), addresses_told(simulated, {}):
        assert all_worded(status(hq_of(simulated), simulated, batch).reasons[0].hints) == "nothing: `enrich up` does"
    with pytest.raises(ConfigurationError, match="launched for the simulator"):
        advance_batch(
            hq_of(replace(simulated, sandbox_url=None)),
            replace(simulated, sandbox_url=None),
            batch,
            build_providers(None),
        )
    reasons = status(hq_of(simulated), simulated, batch).reasons
    assert {(r.cause, r.states) for r in reasons} == {("other_world", 4)}
    assert reasons[0].reason.startswith(f"batch {batch} was launched for the simulator")
    assert all_worded(reasons[0].hints) == (
        "set ENRICH_SANDBOX_URL and run the batch again, or launch the upload for real providers"
    )
    again = retry(hq_of(simulated), simulated, batch, actor=TESTER)
    assert again.hindrances == ()
    assert {
        h.workflow
        for h in retry(
            hq_of(replace(simulated, sandbox_url=None)), replace(simulated, sandbox_url=None), batch, actor=TESTER
        ).hindrances
    } == {None}


def run_in_dagster(
    batch: Launched, instance: dg.DagsterInstance, settings: Settings, workflows: list[WorkflowDefinition]
) -> dg.ExecuteInProcessResult:
    """A run of the batch's job, as a sensor would start it."""
    instance.add_dynamic_partitions(PARTITIONS_NAME, [batch.key])
    definitions = build_definitions(workflows, platform=platform(settings))
    return definitions.resolve_job_def(BATCH_JOB).execute_in_process(
        partition_key=batch.key,
        instance=instance,
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        raise_on_error=False,
    )


def test_a_dagster_run_that_could_call_nothing_shows_it_in_the_list_of_runs_and_on_the_assets(
    harness: BatchHarness, instance: dg.DagsterInstance
) -> None:
    lacks = step("lacks-key", secrets={"api_key": MISSING}, base_url="http://127.0.0.1:9")
    left_out = step("left-out", run_if="original.n == 'x'", provides={"y": "id"})
    batch = harness.launch(persons(3), lacks, left_out)
    result = run_in_dagster(batch, instance, batch.settings, [lacks, left_out])
    assert result.success, "a run is disposable; what it could not do is said, not failed"
    run = instance.get_run_by_id(result.run_id)
    assert run is not None
    assert run.tags[OUTCOME_TAG].startswith(
        "blocked: lacks-key: workflow lacks-key needs its secret 'api_key': the environment variable"
    )
    assert MISSING in run.tags[OUTCOME_TAG]
    (observed,) = instance.fetch_observations(dg.AssetKey("lacks_key"), limit=5).records
    assert observed.partition_key == batch.key
    assert observed.asset_observation is not None
    (reason,) = records(observed.asset_observation.metadata)
    assert (reason["states"], reason["status"]) == (3, "PENDING")
    assert str(reason["what_to_do"]).startswith(f"set {MISSING}")
    (materialised,) = instance.fetch_materializations(dg.AssetKey("left_out"), limit=5).records
    assert materialised.asset_materialization is not None
    (skipped,) = records(materialised.asset_materialization.metadata)
    assert (skipped["states"], skipped["why"]) == (3, "run_if: original.n == 'x'")
    (check,) = [e for e in result.get_asset_check_evaluations() if e.check_name == "nothing_stands_still"]
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert MISSING in str(check.description)
    warnings = [e.user_message for e in instance.all_logs(result.run_id) if e.level == logging.WARNING]
    assert any(f"{MISSING} is not set" in text and "What to do: set" in text for text in warnings)


def records(metadata: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [record.data for record in metadata["reasons"].records]


def test_a_failure_begins_with_our_sentence_and_not_with_dagsters(
    harness: BatchHarness, instance: dg.DagsterInstance
) -> None:
    one = step("one")
    batch = harness.launch(persons(1), one)
    batch.change("update batches set blueprint = jsonb_set(blueprint, '{simulated}', 'true')")
    result = run_in_dagster(batch, instance, replace(batch.settings, sandbox_url=None), [one])
    assert not result.success
    (failure,) = [e.step_failure_data for e in result.all_events if e.is_step_failure]
    assert failure.user_failure_data is not None
    assert str(failure.user_failure_data.description).startswith(f"batch {batch.key} was launched for the simulator")
    assert failure.error is not None
    assert failure.error.message.startswith(f"dagster._core.definitions.events.Failure: batch {batch.key} was launched")


def test_a_run_whose_calls_came_through_is_tagged_only_for_what_stands_still() -> None:
    paid = step("paid")
    blueprint = build_blueprint("acme", PipelineDefinition(slug="p", steps=["paid"]), {"paid": paid}, {})
    stopped = Standing("paid", "PENDING", 3, "auth", "HTTP 401", "check the key")
    waiting = replace(stopped, cause="its_turn", reason="its turn has not come")
    for moved, reasons, outcome in (
        ({("paid", "found"): 1}, [stopped], "stands still: paid: HTTP 401"),
        ({("paid", "pending"): 9}, [stopped], "blocked: paid: HTTP 401"),
        (
            {("normalise-name", "found"): 9, ("paid", "skipped"): 1},
            [stopped, stopped],
            "blocked: paid: HTTP 401 (and 1 more)",
        ),
        ({}, [waiting], None),
        ({}, [], None),
    ):
        assert outcome_of(blueprint, reasons, RunReport(moved, {}, False, 0, 0)) == outcome
    long = replace(stopped, reason="x" * 500)
    assert len(outcome_of(blueprint, [long, long], RunReport({}, {}, False, 0, 0)) or "") == 200


def test_steps_of_one_reason_are_told_it_once(capsys: pytest.CaptureFixture[str]) -> None:
    hint = (Hint(Action.RAISE_BUDGET),)
    print_standing(
        [
            Standing("find-email", "PENDING", 14, "paused", "no money", hint),
            Standing("verify-email", "PENDING", 12, "paused", "no money", hint),
            Standing("verify-email", "SKIPPED", 2, None, "no address", ()),
            Standing("write", "PENDING", 14, "paused", "no money", hint),
        ]
    )
    printed = capsys.readouterr().out
    assert printed.count("no money") == 1
    assert (
        "  find-email: 14 pending\n  verify-email: 12 pending\n  write: 14 pending\n    why  no money\n    do   raise"
    ) in printed
    print_standing([Standing(name, "SKIPPED", 3, None, "not for these", ()) for name in ("write", "send")])
    assert "  write, send: 3 skipped each\n    why  not for these\n" in capsys.readouterr().out
