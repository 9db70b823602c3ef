"""Regions that a workflow is closed to, and who processes what it sends: what is taken, refused, merged and listed."""

from __future__ import annotations

from typing import Any

import pytest

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.pipeline import ClientWorkflowConfig, PipelineDefinition
from enrichment_assets.domain.planning import apply_config, build_blueprint
from enrichment_assets.domain.regions import Closing, closing, groups
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.providers import PROVIDERS
from enrichment_assets.registry.loader import builtin_workflows, parse_workflow
from enrichment_assets.services.catalog.configuration import add_client, add_workflow, set_client_config
from enrichment_assets.services.catalog.processors import list_processing, processor_of
from enrichment_assets.settings import Settings
from tests.actors import TESTER
from tests.harness.batches import company_step, step
from tests.harness.handles import hq_of

WRITTEN = """\
slug: rate
title: Rate
step: 1
provider: http
operation: rate
mode: sync
request: {url: "https://api.example.com/rate", body: {name: "{{first_name}}"}}
"""


def test_a_file_says_regions_and_processor_and_gives_them_back() -> None:
    text = WRITTEN + (
        "not_for: [EU, 'NO', CH, XK]\nnot_for_unknown: ask\n"
        "processor: {name: Example Inc., regions: [US], subprocessors: [{name: Cloud Ltd, regions: [EEA]}]}\n"
    )
    workflow = parse_workflow(text, "rate.yaml")
    assert (workflow.not_for, workflow.not_for_unknown) == (["EU", "NO", "CH", "XK"], "ask")
    assert workflow.processor is not None and workflow.processor.regions == ["US"]
    assert [(one.name, one.regions) for one in workflow.processor.subprocessors] == [("Cloud Ltd", ["EEA"])]
    again = WorkflowDefinition.model_validate(workflow.model_dump(mode="json", by_alias=True, exclude_defaults=True))
    assert again == workflow


@pytest.mark.parametrize(
    ("line", "place", "said"),
    [
        ("not_for: [DE, UK]", "not_for[1] (line 8)", "did you mean 'GB'"),
        ("not_for: [DE, Germany]", "not_for[1] (line 8)", "did you mean 'DE'"),
        ("not_for: [de]", "not_for[0] (line 8)", "did you mean 'DE'"),
        ("not_for: [eea]", "not_for[0] (line 8)", "did you mean 'EEA'"),
        ("not_for: [DEU]", "not_for[0] (line 8)", "did you mean 'DE'"),
        ("not_for: [EFTA]", "not_for[0] (line 8)", "neither an ISO 3166 code of two capitals nor EU nor EEA"),
        ("not_for: [ZZ]", "not_for[0] (line 8)", "neither an ISO 3166 code"),
        ("not_for: [SU]", "not_for[0] (line 8)", "neither an ISO 3166 code"),
        ("not_for: [SE, NO]", "not_for[1] (line 8)", "YAML reads NO as false: write 'NO' in quotes"),
        ("not_for: [49]", "not_for[0] (line 8)", "49 is no code of a country"),
        ("not_for: EU", "not_for", "list"),
        ("not_for_unknown: buy", "not_for_unknown", "'skip' or 'ask'"),
        ("processor: {name: A, regions: [Europe]}", "processor.regions[0]", "neither an ISO 3166 code"),
        ("processor: {name: A, subprocessors: [{name: B, regions: [UK]}]}", "subprocessors[0].regions[0]", "'GB'"),
        ("processor: {regions: [US]}", "processor.name", "required"),
    ],
)
def test_what_is_no_region_is_refused_with_its_place(line: str, place: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        parse_workflow(f"{WRITTEN}{line}\n", "rate.yaml")
    assert place in str(refused.value) and said in str(refused.value)


def test_the_groups_hold_their_members_and_the_parts_of_them_that_have_codes_of_their_own() -> None:
    # europa.eu: 27 members; the seven parts are those of Articles 349 and 355 TFEU with an ISO 3166 code.
    assert len(set(groups()["EU"])) == len(groups()["EU"]) == 27 + 7
    assert set(groups()["EEA"]) - set(groups()["EU"]) == {"IS", "LI", "NO"}
    assert not {"GB", "CH", "BL", "GL", "SJ", "NC"} & set(groups()["EEA"])


@pytest.mark.parametrize(
    ("countries", "why"),
    [
        (["Deutschland"], "EU (DE)"),
        (["La R\u00e9union"], "EU (RE)"),
        (["\u00c5land Islands"], "EU (AX)"),
        (["Brasil"], "BR"),
        (["US", "germany"], "EU (DE)"),
        (["Norway"], None),
        (["United Kingdom"], None),
        (["nowhere", "US"], None),
        ([None, "", "DACH", 7], "the country is not known"),
        (["Germany / Austria"], "the country is not known"),
        ([], "the country is not known"),
    ],
)
def test_any_country_that_is_said_of_a_lead_closes_it_and_none_does_too(countries: list[Any], why: str | None) -> None:
    closed = closing(["EU", "BR"], "skip")
    assert closed is not None and closed.reason(countries) == why
    asking = Closing(closed.closed, "ask")
    assert asking.reason(countries) == (None if why == "the country is not known" else why)


def test_a_client_adds_regions_and_takes_none_away() -> None:
    closed = step("find", not_for=["EU"])
    merged = apply_config("acme", closed, ClientWorkflowConfig(settings={"not_for": ["BR", "EU"]}))
    assert merged.not_for == ["EU", "BR"]
    assert apply_config("acme", closed, ClientWorkflowConfig(settings={"not_for": []})).not_for == ["EU"]
    own = apply_config(
        "acme", step("find"), ClientWorkflowConfig(settings={"not_for": ["EU"], "not_for_unknown": "ask"})
    )
    assert (own.not_for, own.not_for_unknown) == (["EU"], "ask")
    asks = step("find", not_for=["EU"], not_for_unknown="ask")
    assert apply_config("acme", asks, ClientWorkflowConfig(settings={"not_for_unknown": "skip"})).not_for == ["EU"]
    for settings in ({"not_for_unknown": "ask"}, {"not_for": None}, {"not_for": "BR"}, {"not_for": ["UK"]},
                     {"not_for.0": "BR"}):  # fmt: skip
        with pytest.raises(ConfigurationError, match=r"client acme, workflow find: .*not_for"):
            apply_config("acme", closed, ClientWorkflowConfig(settings=settings))


def test_closing_a_workflow_changes_no_question_and_lets_it_wait_for_whoever_finds_the_country() -> None:
    closed = step("ask", not_for=["EU"], processor={"name": "A"})
    assert closed.version() == step("ask").version()
    assert closed.content_version() != step("ask").content_version()
    finder, firm = step("locate", provides={"country": "c"}), company_step("firm", provides={"company_country": "c"})
    about = company_step("about", not_for=["EU"])
    workflows = {one.slug: one for one in (finder, firm, closed, about)}
    pipeline = PipelineDefinition.model_validate({"slug": "p", "steps": list(workflows)})
    blueprint = build_blueprint("acme", pipeline, workflows, {})
    assert (blueprint.step("ask").after, blueprint.step("about").after) == (["locate"], ["firm"])


def test_the_processor_is_who_the_workflow_says_else_whose_address_it_is() -> None:
    shipped = builtin_workflows()
    apollo = shipped["match-person-via-apollo"]
    said = processor_of(apollo)
    assert said is not None and (said.name, said.regions) == ("Apollo", [])
    assert processor_of(apollo.model_copy(update={"base_url": "https://gateway.example"})) is None
    assert processor_of(step("find")) is processor_of(shipped["run-n8n-webhook"]) is None
    own = step("find", processor={"name": "Example Inc.", "regions": ["US"]})
    assert processor_of(own) == own.processor
    assert {name for name, provider in PROVIDERS.items() if provider.company is None} == {
        "files",
        "http",
        "n8n",
        "person",
        "smtp",
        "webhook",
    }


def test_the_register_lists_what_sends_as_it_runs_for_a_client(settings: Settings) -> None:
    hq = hq_of(settings)
    add_client(hq, "acme", "Acme", actor=TESTER)
    add_workflow(hq, settings, step("find", not_for=["EU"], url="https://api.example.com/x"), actor=TESTER)
    set_client_config(hq, settings, "acme", "find", set_values={"not_for": ["BR"]}, actor=TESTER)
    set_client_config(hq, settings, "acme", "match-person-via-apollo", enabled=False, actor=TESTER)
    everybody = {one.workflow.slug: one for one in list_processing(hq)}
    for_acme = {one.workflow.slug: one for one in list_processing(hq, "acme")}
    assert everybody["find"].workflow.not_for == ["EU"] and for_acme["find"].workflow.not_for == ["EU", "BR"]
    assert set(everybody) - set(for_acme) == {"match-person-via-apollo"}
    assert "normalise-name" not in everybody, "it sends nothing"
