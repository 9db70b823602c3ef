"""A batch belongs to the simulator or to real providers from its launch on, and commands agree on which."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from enrichment_assets.cli.deliver import print_delivery
from enrichment_assets.domain.delivery_courses import reason_in_words
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.pipeline import ClientWorkflowConfig
from enrichment_assets.installation.running_stack import running_addresses
from enrichment_assets.installation.stack import only_stack_of
from enrichment_assets.installation.told_addresses import addresses_told
from enrichment_assets.providers import build_providers
from enrichment_assets.sandbox import SandboxProcess
from enrichment_assets.services.batches.advancing import advance_batch
from enrichment_assets.services.batches.items import create_items
from enrichment_assets.services.batches.launching import launch
from enrichment_assets.services.deliveries.delivering import deliver
from enrichment_assets.services.shapes.deliveries import LeadDelivery
from enrichment_assets.services.uploads.upload import upload_file
from enrichment_assets.settings import Settings
from tests.actors import TESTER
from tests.harness.handles import hq_of


def launched(settings: Settings, people: Path, pipeline: str) -> str:
    upload = upload_file(hq_of(settings), settings, people, "acme", actor=TESTER)
    batch = launch(
        hq_of(settings),
        settings,
        upload.upload_id,
        pipeline,
        client="acme",
        add_partition=lambda _key: None,
        actor=TESTER,
    ).batch_key
    create_items(hq_of(settings), settings, batch)
    return batch


def test_a_batch_launched_for_the_simulator_never_calls_a_real_provider(
    simulated: Settings, people: Path, sandbox: SandboxProcess
) -> None:
    batch = launched(simulated, people, "apollo-basic")
    real = replace(simulated, sandbox_url=None)
    with pytest.raises(ConfigurationError, match="launched for the simulator"):
        advance_batch(hq_of(real), real, batch, build_providers(None))
    assert sandbox.billing()["calls"] == 0


def test_a_batch_launched_for_real_providers_is_not_filled_with_made_up_data(
    simulated: Settings, people: Path, sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APOLLO_API_KEY", "a real key")
    batch = launched(replace(simulated, sandbox_url=None), people, "apollo-basic")
    with pytest.raises(ConfigurationError, match="launched for real providers"):
        advance_batch(hq_of(simulated), simulated, batch, build_providers(simulated.sandbox_url))
    assert sandbox.billing()["calls"] == 0


def test_a_batch_of_local_steps_runs_anywhere(simulated: Settings, people: Path) -> None:
    batch = launched(simulated, people, "normalise-only")
    real = replace(simulated, sandbox_url=None)
    assert advance_batch(hq_of(real), real, batch, build_providers(None)).finished


def test_commands_learn_the_addresses_of_the_stack_that_runs_for_their_home(settings: Settings) -> None:
    told = {"ENRICH_RECEIVER_URL": "http://127.0.0.1:1", "ENRICH_SANDBOX_URL": "http://127.0.0.1:2"}
    with only_stack_of(settings), addresses_told(settings, told):
        assert running_addresses(settings) == told
    assert running_addresses(settings) == {}


def test_what_a_killed_stack_left_behind_is_not_believed(settings: Settings) -> None:
    settings.home.mkdir(parents=True)
    (settings.home / "up.lock").write_text("1")
    (settings.home / "up.json").write_text('{"ENRICH_SANDBOX_URL": "http://127.0.0.1:2"}')
    assert running_addresses(settings) == {}


def test_leads_of_a_batch_of_local_steps_go_to_the_world_of_its_launch_and_to_no_other(
    simulated: Settings, people: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hq, real = hq_of(simulated), replace(simulated, sandbox_url=None)
    batch = launched(simulated, people, "normalise-only")
    advance_batch(hq, simulated, batch, build_providers(simulated.sandbox_url))

    over = {
        "deliver-to-webhook": ClientWorkflowConfig(
            settings={"base_url": "https://crm.example", "delivery.identity": ["first_name"]}
        )
    }
    with pytest.raises(ConfigurationError, match="launched for the simulator"):
        deliver(hq, real, batch, ["deliver-to-webhook"], actor=TESTER, providers=build_providers(None), over=over)
    with hq.transaction() as connection:
        assert connection.execute("select workflow_slug from batch_deliveries").fetchall() == []

    providers = build_providers(simulated.sandbox_url)
    done = deliver(hq, simulated, batch, ["deliver-to-webhook"], actor=TESTER, providers=providers, over=over)
    assert done.plans[0].created > 0
    assert {one.status for one in done.stands} == {"COMPLETED"}
    print_delivery(LeadDelivery.of(batch, done.plans[0]))
    assert capsys.readouterr().out.startswith("deliver-to-webhook (sandbox): 4 leads\n")


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("missing_input: company_name", "missing input: company_name"),
        ("same_lead", "same lead"),
        ("HTTP 400: no unique property enrichment_key", "HTTP 400: no unique property enrichment_key"),
        ("the list is my_list", "the list is my_list"),
    ],
)
def test_of_a_reason_the_code_alone_is_put_into_words(reason: str, words: str) -> None:
    assert reason_in_words(reason) == words
