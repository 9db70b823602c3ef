"""Each cause for which a step stands still, in one batch: what is said of it, and what to do, wherever it is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.sandbox import SandboxProcess
from enrichment_assets.services.batches import BatchStatus, status
from enrichment_assets.services.failed_rows import list_failed
from enrichment_assets.services.standing import Standing
from enrichment_assets.settings import Settings
from tests.engine.hostile_server import answering
from tests.engine.world import Launched, World, account, async_step, people, step

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
        "SKIPPED",
        22,
        "budget",
        "budget: the client's budget for dear of 0.03 has no room for this call",
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
def world(
    simulated: Settings, hq: psycopg.Connection[dict[str, Any]], sandbox: SandboxProcess, tmp_path: Path
) -> World:
    return World(simulated, hq, sandbox, tmp_path)


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


def troubled(world: World, servers: dict[str, str]) -> Launched:
    """A batch with a step for each cause."""
    five = {"concurrency": 5}
    many = {"base": 0.01, "max": 0.02, "attempts": 10}
    workflows = [
        step("lacks-key", secrets={"api_key": MISSING}, base_url="http://127.0.0.1:9"),
        step("after-it", uses=["lacks_key"], provides={"x": "id"}),
        step("rejected", base_url=f"{world.sandbox.url}/http/", limits=five),
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
        async_step("calls-back"),
        step("garbled", base_url=servers["garbled"], url="/garbled"),
        behaving("lost", "timeout", retry={"base": 0.01, "max": 0.02, "timeout": 0.2}),
    ]
    batch = world.launch(people(ROWS), *workflows)
    world.sandbox.configure(rejected_keys=["rejected"])
    batch.set_budget("0.03", workflow="dear")
    return batch


def found(one: BatchStatus, cause: Cause) -> Standing:
    (standing,) = [r for r in one.reasons if (r.workflow, r.status) == (cause.workflow, cause.status)]
    return standing


def test_every_cause_is_kept_and_shown_with_its_remedy(world: World, servers: dict[str, str]) -> None:
    batch = troubled(world, servers)
    batch.run()
    shown = status(batch.settings, batch.key)
    for cause in CAUSES:
        standing = found(shown, cause)
        assert re.search(cause.reason, standing.reason), (cause.workflow, standing)
        assert re.match(cause.remedy, standing.remedy), (cause.workflow, standing)
        assert standing.cause == cause.cause, standing
        assert standing.states == cause.states or cause.states is None, standing
    for workflow in shown.workflows:
        told = {
            s: sum(r.states for r in shown.reasons if (r.workflow, r.status) == (workflow.slug, s)) for s in STATUSES
        }
        assert told == {s: getattr(workflow, s.lower()) for s in STATUSES}, (
            "every state that is not done is accounted for"
        )
    failed = list_failed(batch.settings, batch.key, 30)
    assert (len(failed.rows), failed.total) == (30, sum(w.failed + w.ambiguous for w in shown.workflows))
    assert (failed.rows[0].row_number, failed.rows[0].who, failed.rows[0].workflow) == (1, "Ann1", "nowhere")


STATUSES = ("PENDING", "IN_PROGRESS", "SKIPPED", "FAILED", "AMBIGUOUS")
