"""Nothing of a batch for the simulator leaves for anybody else, whatever addresses are configured.

A second local server stands for every real address: it is the client's Clay table, gateway, n8n server and API.
"""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.provider import RenderedRequest
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.engine.run.advance import EngineOptions
from enrichment_assets.providers import build_providers
from enrichment_assets.sandbox import SandboxProcess
from enrichment_assets.services.batches.advancing import advance_batch
from enrichment_assets.services.batches.items import create_items
from enrichment_assets.services.batches.launching import launch, plan_launch
from enrichment_assets.services.catalog import configuration
from enrichment_assets.services.uploads.upload import upload_file
from enrichment_assets.settings import Settings
from enrichment_assets.wire.simulator import is_below, replaced_addresses, simulated_place
from enrichment_assets.wire.transport import NotTheSimulator, build_client, send
from tests.actors import TESTER
from tests.engine.hostile_server import Answers, answering
from tests.harness.handles import hq_of

RECEIVER = "http://127.0.0.1:9"
MATCH, CLAY, N8N = "match-person-via-apollo", "enrich-company-clay", "run-n8n-webhook"
OWN = ("own-score", "own-job", "own-hook", "own-parameter")


@pytest.fixture
def real() -> Iterator[Answers]:
    """What must not be called."""
    with answering() as server:
        yield server


def own(slug: str, request: dict[str, Any], **fields: Any) -> WorkflowDefinition:
    values: dict[str, Any] = {"title": slug, "step": 900, "provider": "http", "operation": slug, "mode": "sync"}
    return WorkflowDefinition.model_validate(
        {"slug": slug, **values, "request": request, "provides": {f"{slug.replace('-', '_')}_id": "id"}, **fields}
    )


def configure(settings: Settings, real: str) -> None:
    """Addresses of somebody real wherever one can stand."""
    score = own("own-score", {"url": f"{real}/v1/score?by=name", "body": {"first_name": "{{ first_name }}"}})
    job = own(
        "own-job",
        {"url": "/jobs", "body": {"last_name": "{{ last_name }}"}},
        mode="async",
        base_url=f"{real}/api",
        response={"external_id": "id"},
        poll={"request": {"method": "GET", "url": f"{real}/jobs/{{{{ external_id }}}}"}, "every": "10ms"},
    )
    # The simulator keeps its word to whoever is named in a body: nor may it call somebody real.
    hook = own("own-hook", {"url": "/enrich", "body": {"callback_url": f"{real}/hook", "n": "{{ item.row_number }}"}})
    parameter = own(
        "own-parameter", {"url": "{{ parameters.server }}/x", "body": {"n": "{{ item.id }}"}}, parameters={"server": ""}
    )
    for workflow in (score, job, hook, parameter):
        configuration.add_workflow(hq_of(settings), settings, workflow, actor=TESTER)
    steps = ",".join(["normalise-name", "normalise-domain", MATCH, CLAY, N8N, *OWN])
    configuration.add_pipeline(hq_of(settings), configuration.pipeline_from_steps("all", steps), "acme", actor=TESTER)
    for slug, path, value in [
        (MATCH, "base_url", f"{real}/gateway/apollo"),
        (CLAY, "parameters.table_url", f"{real}/v3/sources/webhook/the-tables-key"),
        (N8N, "base_url", f"{real}/n8n"),
        ("own-parameter", "parameters.server", real),
    ]:
        configuration.set_client_config(hq_of(settings), settings, "acme", slug, set_values={path: value}, actor=TESTER)


def test_only_the_simulator_is_called_and_the_launch_says_instead_of_whom(
    simulated: Settings,
    hq: Connection[dict[str, Any]],
    people: Path,
    sandbox: SandboxProcess,
    real: Answers,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    configure(simulated, real.url)
    monkeypatch.setenv("APOLLO_API_KEY", "a real key")
    upload = upload_file(hq_of(simulated), simulated, people, "acme", actor=TESTER).upload_id

    plan = plan_launch(hq_of(simulated), simulated, upload, "all", client="acme", environment={})
    assert plan.problems == ()
    instead = {step.slug: step.replaced for step in plan.steps if step.replaced}
    assert instead == dict.fromkeys([MATCH, CLAY, N8N, "own-score", "own-job", "own-parameter"], (real.url,))
    assert {use.host for step in plan.steps for use in step.keys} == {sandbox.url.removeprefix("http://")}

    launched = launch(
        hq_of(simulated), simulated, upload, "all", client="acme", add_partition=lambda _key: None, actor=TESTER
    )
    assert dict(launched.replaced) == dict.fromkeys(instead, real.url)
    create_items(hq_of(simulated), simulated, launched.batch_key)
    options = EngineOptions(RECEIVER, simulated.sandbox_url, linger_seconds=0.2)
    advance_batch(
        hq_of(simulated), simulated, launched.batch_key, build_providers(simulated.sandbox_url), options=options
    )
    hq.execute("update workflow_states set next_poll_at = now() where next_poll_at is not null")
    hq.commit()
    advance_batch(
        hq_of(simulated), simulated, launched.batch_key, build_providers(simulated.sandbox_url), options=options
    )
    sandbox.flush_callbacks()

    assert real.asked == {}
    calls = sandbox.calls()
    paths = {(call["provider"], call["path"].partition("/results/")[0]) for call in calls}
    assert {("apollo", "/api/v1/people/match"), ("n8n", "/webhook/enrich"), ("http", "/enrich")} <= paths
    assert all(call["status"] in (200, 202) for call in calls if "/results/" not in call["path"])
    assert [call["path"].startswith("/tables/") for call in calls if call["provider"] == "clay"] == [True, True]
    assert "the-tables-key" not in str(calls)
    assert sum(call["path"].startswith("/results/") for call in calls) >= 4, "polls go there too"
    assert sandbox.callbacks()["foreign"] == 4
    with urllib.request.urlopen(f"{real.url}/it-would-have-been-seen"):
        assert real.asked == {"/it-would-have-been-seen": 1}


def test_a_pipeline_of_foreign_addresses_alone_is_launched_for_the_simulator_too(
    simulated: Settings, people: Path, real: Answers
) -> None:
    configuration.add_workflow(
        hq_of(simulated), simulated, own("own-score", {"url": f"{real.url}/v1/score"}), actor=TESTER
    )
    configuration.add_pipeline(
        hq_of(simulated), configuration.pipeline_from_steps("one", "own-score"), "acme", actor=TESTER
    )
    upload = upload_file(hq_of(simulated), simulated, people, "acme", actor=TESTER).upload_id
    batch = launch(
        hq_of(simulated), simulated, upload, "one", client="acme", add_partition=lambda _key: None, actor=TESTER
    ).batch_key
    create_items(hq_of(simulated), simulated, batch)
    with pytest.raises(ConfigurationError, match="was launched for the simulator"):
        advance_batch(
            hq_of(replace(simulated, sandbox_url=None)),
            replace(simulated, sandbox_url=None),
            batch,
            build_providers(None),
        )
    # A run that was started past that question, by other providers than the settings': nothing leaves either.
    for options in (EngineOptions(RECEIVER, None, linger_seconds=0), EngineOptions(RECEIVER, simulated.sandbox_url)):
        advance_batch(hq_of(simulated), simulated, batch, build_providers(None), options=options)
    assert real.asked == {}


async def test_the_wire_itself_refuses_every_other_address(real: Answers) -> None:
    with answering() as simulator:
        simulator.status, simulator.headers = 302, {"location": f"{real.url}/redirected"}
        async with build_client(only_below=f"{simulator.url}/sandbox") as client:
            port = simulator.url.rpartition(":")[2]
            for elsewhere in (
                real.url,
                f"{real.url}/sandbox/x",
                f"{simulator.url}/other",
                f"{simulator.url}/sandboxed",
                f"{simulator.url}/sandbox/../other",
                f"{simulator.url}/sandbox/%2e%2e/other",
                f"http://127.0.0.1:{port}@{real.url.removeprefix('http://')}/sandbox/",
                f"http://localhost:{port}/sandbox/x",
                f"https://127.0.0.1:{port}/sandbox/x",
            ):
                with pytest.raises(NotTheSimulator, match="calls nobody else"):
                    await send(client, RenderedRequest("POST", elsewhere, {}, {}, b"{}"), 5)
                with pytest.raises(NotTheSimulator):
                    await client.get(elsewhere)
            answer = await send(client, RenderedRequest("GET", f"{simulator.url}/sandbox/a"), 5)
            assert answer.status == 302
            with pytest.raises(NotTheSimulator):
                await client.get(f"{simulator.url}/sandbox/b", follow_redirects=True)
        assert set(simulator.asked) == {"/sandbox/a", "/sandbox/b"}
    assert real.asked == {}


SANDBOX = "http://127.0.0.1:8720"


@pytest.mark.parametrize(
    ("provider", "base_url", "url", "is_poll", "expected"),
    [
        ("apollo", None, "/api/v1/people/match", False, "/api/v1/people/match"),
        ("apollo", "https://gw.example/apollo", "/api/v1/people/match", False, "/api/v1/people/match"),
        ("apollo", None, "https://api.apollo.io/api/v1/people/match", False, "/api/v1/people/match"),
        ("hunter", "https://h.example/p", "https://h.example/p/v2/email-finder?x=1", False, "/v2/email-finder?x=1"),
        ("n8n", "https://n8n.example", "/webhook/a/b", False, "/webhook/a/b"),
        ("n8n", None, "https://n8n.example/n/webhook-test/lead", False, "/webhook/lead"),
        ("n8n", "https://n8n.example/start", "/now", False, "/webhook/now"),
        ("http", "https://api.example", "/v1/score?a=b", False, "/enrich?a=b"),
        ("http", None, "https://api.example/jobs/7", True, "/results/7"),
        ("http", None, "/echo", False, "/echo"),
        ("http", f"{SANDBOX}/gateway", "/v1/chat", False, "/v1/chat"),
        ("http", None, f"{SANDBOX}/pdl/v5/person", False, f"{SANDBOX}/pdl/v5/person"),
        ("http", f"{SANDBOX}.evil.example", "/v1", False, "/enrich"),
    ],
)
def test_every_address_has_a_place_in_the_simulator(
    provider: str, base_url: str | None, url: str, is_poll: bool, expected: str
) -> None:
    workflow = own("w", {"url": url}, provider=provider, base_url=base_url)
    place = simulated_place(
        workflow, build_providers(SANDBOX)[provider], RenderedRequest("POST", url), SANDBOX, is_poll=is_poll
    )
    assert place.url == expected
    assert is_below(place.base_url, SANDBOX)
    foreign = "example" in f"{base_url}{url}" or "apollo.io" in url
    assert bool(replaced_addresses(workflow, SANDBOX)) is foreign


def test_what_is_not_called_is_named_by_its_host_alone() -> None:
    table = own("w", {"url": "https://user:pw@api.clay.com/v3/sources/webhook/key?token=t"}, provider="clay")
    assert replaced_addresses(table, SANDBOX) == ("https://api.clay.com",)
