"""What is refused of a prompt before it is saved, with the place and the reason; what a pipeline refuses."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from pydantic import ValidationError

from enrichment_assets.domain.known_names import PLATFORM
from enrichment_assets.domain.pipeline import ClientWorkflowConfig, PipelineDefinition
from enrichment_assets.domain.planning import apply_config, validate_pipeline
from enrichment_assets.domain.prompts.checks import prompt_warnings
from enrichment_assets.domain.reads import spelt
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.domain.workflow_checks import workflow_faults
from enrichment_assets.providers import PROVIDERS
from tests.harness.models import SCHEMA

Row = dict[str, Any]

RIGHT: Row = {
    "slug": "qualify",
    "title": "Qualify",
    "step": 600,
    "provider": "openai",
    "operation": "chat",
    "mode": "sync",
    "uses": ["homepage_text"],
    "prompt": {
        "model": "gpt-5.2",
        "instructions": "Score them. Our tone is {{ parameters.tone }}.",
        "inputs": {"page": "{{ homepage_text }}", "name": "{{ company_name }}", "row": "{{ original['Notes'] }}"},
        "answer": SCHEMA,
        "max_output_tokens": 300,
        "grounded": {"email": ["page"]},
    },
    "parameters": {"tone": "dry"},
    "provides": {"fit_score": "score", "fit_reason": "reason", "email": "email"},
}


def changed(**paths: Any) -> Row:
    """The right workflow with members changed by path; None takes one away. `prompt__model` is `prompt.model`."""
    workflow = copy.deepcopy(RIGHT)
    for path, value in paths.items():
        *parents, last = path.split("__")
        node = workflow
        for name in parents:
            node = node.setdefault(name, {})
        if value is None:
            node.pop(last, None)
        else:
            node[last] = value
    return workflow


def faults(workflow: Row) -> dict[str, str]:
    """Place -> what is wrong there."""
    found = workflow_faults(WorkflowDefinition.model_validate(workflow), PROVIDERS, {*PLATFORM, "homepage_text"})
    return {spelt(fault.place): fault.message for fault in found}


def test_a_right_prompt_has_no_fault_and_the_patience_that_models_need() -> None:
    assert faults(RIGHT) == {}
    workflow = WorkflowDefinition.model_validate(RIGHT)
    assert (workflow.retry.timeout, workflow.retry.total, workflow.retry.invalid_answers) == (600, 1800, 1)
    own = WorkflowDefinition.model_validate(changed(retry={"timeout": "90s", "invalid_answers": 0}))
    assert (own.retry.timeout, own.retry.total, own.retry.invalid_answers) == (90, 1800, 0)
    assert WorkflowDefinition.model_validate(workflow.model_dump(mode="json", by_alias=True)) == workflow


def test_what_is_asked_is_in_the_version_of_a_workflow() -> None:
    versions = {
        WorkflowDefinition.model_validate(one).version()
        for one in (
            RIGHT,
            changed(prompt__model="gpt-5.3"),
            changed(prompt__instructions="Score them."),
            changed(prompt__max_output_tokens=301),
            changed(prompt__grounded={"email": ["page", "row"]}),
        )
    }
    assert len(versions) == 5


@pytest.mark.parametrize(
    ("workflow", "place", "reason"),
    [
        (changed(prompt__answer={"type": "array"}), "prompt.answer.type", "an answer is an object"),
        (changed(prompt__answer__required=["score"]), "prompt.answer.required", "'reason' is not"),
        (
            changed(prompt__answer__additionalProperties=True),
            "prompt.answer.additionalProperties",
            "close every object",
        ),
        (
            changed(prompt__answer__properties__score={"type": "integer", "default": 0}),
            "prompt.answer.properties.score.default",
            "no `default`",
        ),
        (
            changed(prompt__answer__properties__score={"type": "integer", "minimum": "0"}),
            "prompt.answer",
            "properties.score.minimum",
        ),
        (
            changed(prompt__answer__properties__reason={"$ref": "#"}),
            "prompt.answer",
            "no end",
        ),
        (changed(prompt__inputs__page="{{ homepage_txt }}"), "prompt.inputs.page", "did you mean 'homepage_text'"),
        (changed(prompt__inputs__page="{{ homepage_text"), "prompt.inputs.page", "homepage_text"),
        (changed(prompt__inputs__page="{{ secrets.api_key }}"), "prompt.inputs.page", "a secret can only stand"),
        (changed(prompt__inputs={"page": "{{ parameters.tone }}"}), "prompt.inputs", "the same for every item"),
        (changed(prompt__instructions="About {{ company_name }}"), "prompt.instructions", "a stranger's text"),
        (changed(prompt__instructions="{{ parameters.tome }}"), "prompt.instructions", "'tone'"),
        (changed(prompt__grounded={"email": ["pgae"]}), "prompt.grounded.email", "did you mean 'page'?"),
        (changed(prompt__grounded={"emial": ["page"]}), "prompt.grounded.emial", "did you mean 'email'?"),
        (changed(prompt__cites={"score": "facts"}), "prompt.cites.score", "there is no input 'facts'"),
        (changed(prompt__grounded=None), "provides.email", "a model may invent it"),
        (changed(provides={"company_website": "reason"}), "provides.company_website", "of type url"),
        (changed(provides={"booking_link": "reason"}), "provides.booking_link", "called like an address"),
        (changed(provides={"reply_recipient": "reason"}), "provides.reply_recipient", "called like an address"),
        (changed(provides={"email": "email.a || reason.b"}), "provides.email", "a model may invent it"),
        (changed(provides={"email": "[email, reason][1]"}), "provides.email", "a model may invent it"),
        (changed(provides={"email": "join('', [email, reason])"}), "provides.email", "a model may invent it"),
        (changed(provides={"email": "email | reason"}), "provides.email", "a model may invent it"),
        (changed(provides={"mobile": "reason"}, types={"mobile": "phone"}), "provides.mobile", "of type phone"),
        (changed(provides={"callback_url": "reason"}), "provides.callback_url", "platform's own"),
        (changed(parameters={"tone": "dry", "api": "response"}), "parameters.api", "did you mean 'responses'?"),
        (changed(parameters={"tone": "dry", "key_headr": "api-key"}), "parameters.key_headr", "'key_header'"),
        (changed(parameters={"tone": "dry", "body": {"model": "x"}}), "parameters.body.model", "decided by the prompt"),
        (changed(parameters={"tone": "dry", "body": "x"}), "parameters.body", "has to be an object"),
        (changed(prompt__search=True), "prompt.search", "api: responses"),
        (changed(provider="http"), "provider", "there are anthropic, openai, perplexity"),
        (changed(provider="antropic"), "provider", "did you mean 'anthropic'?"),
        (changed(provides={"fit_score": "score["}), "provides.fit_score", "score["),
        (changed(run_if="scor > `1`"), "run_if", "scor"),
    ],
)
def test_a_fault_is_named_with_its_place_and_reason(workflow: Row, place: str, reason: str) -> None:
    found = faults(workflow)
    assert place in found, found
    assert reason in found[place], found[place]


@pytest.mark.parametrize(
    ("workflow", "reason"),
    [
        (changed(prompt__modle="x"), "modle"),
        (changed(prompt__inputs={}), "inputs"),
        (changed(prompt__max_output_tokens=0), "max_output_tokens"),
        (changed(prompt__max_output_tokens=None), "max_output_tokens"),
        (changed(prompt__temperature=3), "temperature"),
        (changed(prompt__grounded={"email": []}), "names no input"),
        (changed(request={"url": "/x"}), "remove `request`"),
        (changed(bulk={"at_most": 2, "member": "x", "answers": "x", "match": "position"}), "remove `bulk`"),
        (changed(emits={"items": "people", "key": "email"}), "remove `emits`"),
        (changed(mode="local", provider="local"), "asks nobody"),
        (changed(mode="async"), "answered at once"),
        (changed(prompt__background=True), "mode: async"),
        (changed(prompt__background=True, prompt__batch=True, mode="async"), "two ways to wait"),
        (changed(response={"decode": "choices[0].message.content"}), "remove `response.decode`"),
        (changed(response={"error_if": "error", "found_if": "score"}), "remove `response.error_if`"),
        (changed(emails=[{"address": "email"}]), "grounds them"),
    ],
)
def test_what_is_no_prompt_at_all_is_refused_when_it_is_read(workflow: Row, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        WorkflowDefinition.model_validate(workflow)


def test_a_field_that_says_what_else_it_is_need_not_be_grounded() -> None:
    drafted = changed(
        provides={"opening_email": "reason", "linkedin_message": "reason"}, types={"opening_email": "text"}
    )
    assert faults(drafted) == {}


def test_each_dialect_has_its_own_bounds() -> None:
    optional = {f"o{number}": {"type": "string"} for number in range(25)}
    schema = {
        "type": "object",
        "properties": {**SCHEMA["properties"], **optional},
        "required": list(SCHEMA["properties"]),
    }
    anthropic = faults(changed(provider="anthropic", prompt__answer=schema))
    assert "25 properties may be left out" in anthropic["prompt.answer"]
    perplexity = changed(provider="perplexity", prompt__answer=schema, prompt__search={"domains": ["pumps.example"]})
    assert faults(perplexity) == {}
    vllm = changed(prompt__answer=schema, parameters={"tone": "dry", "schemas": "whole", "token_limit": "max_tokens"})
    assert faults({**vllm, "base_url": "http://127.0.0.1:8000/v1"}) == {}
    assert (
        "answered at once"
        in faults(changed(provider="anthropic", mode="async", prompt__background=True))["prompt.background"]
    )
    background = changed(mode="async", prompt__background=True, parameters={"tone": "dry", "api": "responses"})
    assert faults(background) == {}


def test_a_temperature_that_is_not_sent_is_told() -> None:
    def told(**fields: Any) -> list[str]:
        workflow = WorkflowDefinition.model_validate(changed(prompt__temperature=0.0, **fields))
        return [f"{spelt(fault.place)}: {fault.message}" for fault in prompt_warnings(workflow, PROVIDERS)]

    assert told() == []
    (warning,) = told(provider="anthropic")
    assert warning.startswith("prompt.temperature: is not sent: Anthropic's version 2026-10-21 takes none")
    assert told(provider="anthropic", parameters={"version": "2023-06-01"}) == []


def test_a_grounded_list_of_objects_is_found_in_its_schema() -> None:
    person = {
        "type": "object",
        "properties": {"email": {"type": "string"}},
        "required": ["email"],
        "additionalProperties": False,
    }
    answer = {
        "type": "object",
        "properties": {"people": {"anyOf": [{"type": "array", "items": {"$ref": "#/$defs/person"}}, {"type": "null"}]}},
        "required": ["people"],
        "additionalProperties": False,
        "$defs": {"person": person},
    }
    right = changed(
        prompt__answer=answer, prompt__grounded={"people[].email": ["page"]}, provides={"email": "people[0].email"}
    )
    assert faults(right) == {}
    wrong = changed(prompt__answer=answer, prompt__grounded={"people[].mail": ["page"]}, provides={"n": "people"})
    assert "the answer has no 'mail'" in faults(wrong)["prompt.grounded.people[].mail"]


def later(**request: Any) -> WorkflowDefinition:
    """A step that uses what the prompt says."""
    return WorkflowDefinition.model_validate(
        {
            "slug": "send",
            "title": "Send",
            "step": 700,
            "provider": "http",
            "operation": "send",
            "mode": "sync",
            "request": {"url": "https://crm.example/leads", **request},
            "provides": {"sent": "id"},
        }
    )


@pytest.mark.parametrize(
    ("request_", "place"),
    [
        ({"url": "https://crm.example/{{ fit_reason }}"}, "request.url"),
        ({"headers": {"x-owner": "{{ fit_reason }}"}}, "request.headers.x-owner"),
        ({"query": {"url": "{{ fit_reason }}"}}, "request.query.url"),
        ({"body": {"to": "{{ fit_reason }}"}}, "request.body.to"),
        ({"body": {"message": {"replyTo": "{{ fit_reason }}"}}}, "request.body.message.replyTo"),
        ({"body": {"leads": [{"email": "{{ fit_reason or email }}"}]}}, "request.body.leads[0].email"),
        ({"body": {"webhook_url": "{{ fit_reason }}"}}, "request.body.webhook_url"),
        ({"body": {"list_id": "{{ fit_reason }}"}}, "request.body.list_id"),
    ],
)
def test_what_a_model_made_up_decides_no_destination_in_a_pipeline(request_: Row, place: str) -> None:
    workflows = {w.slug: w for w in (WorkflowDefinition.model_validate(RIGHT), later(**request_))}
    pipeline = PipelineDefinition(slug="p", steps=["qualify", "send"])
    known = ["homepage_text"]
    problems = validate_pipeline(pipeline, workflows, known)
    assert [p for p in problems if place in p and "'fit_reason' is what a model wrote (qualify)" in p], problems


def test_what_is_grounded_or_only_steers_and_shows_may_be_used() -> None:
    fine = later(body={"email": "{{ email }}", "note": "{{ fit_reason }}", "score": "{{ fit_score }}"})
    fine = fine.model_copy(update={"run_if": "fit_score > `70`"})
    workflows = {w.slug: w for w in (WorkflowDefinition.model_validate(RIGHT), fine)}
    pipeline = PipelineDefinition(slug="p", steps=["qualify", "send"])
    assert [p for p in validate_pipeline(pipeline, workflows) if "step 2" in p] == []


def test_nothing_is_grounded_in_what_a_model_wrote() -> None:
    second = changed(slug="pick", prompt__inputs={"page": "{{ fit_reason }}"}, uses=["fit_reason"])
    workflows = {w.slug: w for w in map(WorkflowDefinition.model_validate, (RIGHT, second))}
    problems = validate_pipeline(PipelineDefinition(slug="p", steps=["qualify", "pick"]), workflows, ["homepage_text"])
    assert any("prompt.grounded.email: its input 'page' reads 'fit_reason', which a model wrote" in p for p in problems)


def test_a_client_may_set_the_model_and_not_the_provider() -> None:
    workflow = WorkflowDefinition.model_validate(RIGHT)
    own = apply_config("acme", workflow, ClientWorkflowConfig(settings={"prompt.model": "gpt-5.2-mini"}))
    assert own.prompt is not None and own.prompt.model == "gpt-5.2-mini"
    assert own.version() != workflow.version()
