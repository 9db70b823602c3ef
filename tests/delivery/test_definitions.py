"""What a delivery may say, and what it is told where it says something that cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from enrichment_assets.domain.deliveries import OnChange, WorkflowPhase, Write
from enrichment_assets.domain.delivery_checks import lead_column_faults
from enrichment_assets.domain.delivery_rendering import FieldRenderer, TargetRenderer, content_hash
from enrichment_assets.domain.errors import ConfigurationError, ContractError
from enrichment_assets.domain.pipeline import PipelineDefinition
from enrichment_assets.domain.planning import validate_pipeline
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.domain.workflow_checks import workflow_faults
from enrichment_assets.providers import PROVIDERS
from enrichment_assets.registry.loader import builtin_workflows
from enrichment_assets.store.catalog.registry import row_of, workflow_of

COLUMNS = {"email", "linkedin_url", "full_name", "company_name", "phone", "icp_score", "country"}

WORKFLOW: dict[str, Any] = {
    "slug": "crm-webhook",
    "title": "Leads to a CRM",
    "phase": "delivery",
    "step": 900,
    "provider": "http",
    "operation": "deliver",
    "mode": "sync",
    "base_url": "https://crm.example.com",
    "parameters": {"list_id": "7"},
    "delivery": {
        "where": "icp_score >= 70",
        "target": "{{ parameters.list_id }}",
        "fields": {
            "Email": "email",
            "Phone": {"from": "phone", "write": "if_empty"},
            "Name": {"value": "{{ full_name }} | {{ company_name }}"},
        },
        "update": {"request": {"method": "PUT", "url": "/contacts/{{ delivery.external_id }}", "body": "{{ fields }}"}},
    },
    "request": {"url": "/contacts", "body": {"key": "{{ key }}", "fields": "{{ fields }}"}},
    "response": {"external_id": "id"},
}


def _workflow(delivery: dict[str, Any] | None = None, **fields: Any) -> WorkflowDefinition:
    given = {**WORKFLOW, **fields, "delivery": {**WORKFLOW["delivery"], **(delivery or {})}}
    return WorkflowDefinition.model_validate({name: value for name, value in given.items() if value is not None})


def _faults(workflow: WorkflowDefinition) -> str:
    found = [*workflow_faults(workflow, PROVIDERS), *lead_column_faults(workflow, COLUMNS)]
    return "; ".join(map(str, found))


def test_a_delivery_is_read_checked_and_comes_back_from_its_row() -> None:
    workflow = _workflow()
    assert workflow.phase is WorkflowPhase.DELIVERY
    assert workflow.delivery is not None
    assert workflow.delivery.where == ["icp_score >= 70"]
    assert workflow.delivery.identity == ["email", "linkedin_url"]
    assert {name: one.write for name, one in workflow.delivery.fields.items()} == {
        "Email": Write.ALWAYS,
        "Phone": Write.IF_EMPTY,
        "Name": Write.ALWAYS,
    }
    assert workflow.delivery.updates
    assert workflow.delivery.on_change is None
    assert not _faults(workflow)
    assert workflow_of({**row_of(workflow), "builtin_version": None}) == workflow
    assert workflow.version() != _workflow({"where": "icp_score >= 80"}).version()


@pytest.mark.parametrize(
    ("delivery", "fields", "said"),
    [
        ({}, {"phase": "enrichment"}, "`delivery` needs `phase: delivery`"),
        ({}, {"request": None}, "a sync workflow needs a `request`"),
        ({}, {"run_if": "email"}, "a delivery has no `run_if`; say it as `delivery.where`"),
        ({}, {"reuse_for": "7d"}, "a delivery has no `reuse_for`"),
        ({}, {"stage": "contacted"}, "a delivery has no `stage`"),
        ({}, {"provides": {"task": "id"}}, "a delivery learns nothing of a lead: remove `provides`"),
        ({}, {"entity": "company"}, "a delivery is about a lead: leave `entity` out"),
        ({"where": "score"}, {}, "'score' is no condition"),
        ({"where": "score >= high"}, {}, "compared with a number or a date"),
        ({"identity": []}, {}, "at least 1 item"),
        ({"identity": ["email", "email"]}, {}, "email stands twice"),
        ({"fields": {"Email": {}}}, {}, "either `from: a column of the lead`, or `value: a template`"),
        ({"fields": {"Email": {"from": "email", "value": "x"}}}, {}, "either `from: a column of the lead`, or"),
        ({"fields": {"Email": {"from": "email", "write": "sometimes"}}}, {}, "'always', 'if_empty' or 'never'"),
        ({"update": None, "on_change": "update"}, {}, "`on_change: update` needs to know how"),
        ({"upsert": True}, {}, "`upsert: true` says that the creating request updates too: remove `update`, or it"),
        ({"fields": {}, "field_update": {"request": {"url": "/x"}}}, {}, "`field_update` writes the changed ones"),
        ({"follows": {"delivery": "first", "wait": "soon"}}, {}, "valid number"),
        ({"gate": "open"}, {}, "'contact' or 'none'"),
        ({"approvall": "exact"}, {}, "Extra inputs are not permitted"),
    ],
)
def test_what_cannot_be_is_refused_in_words(delivery: dict[str, Any], fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        _workflow(delivery, **fields)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("delivery", "fields", "said"),
    [
        (
            {"where": "icp_scor >= 70"},
            {},
            "delivery.where[0]: a lead has no column 'icp_scor': did you mean 'icp_score'?",
        ),
        ({"identity": ["e_mail"]}, {}, "delivery.identity[0]: a lead has no column 'e_mail': did you mean 'email'?"),
        ({"fields": {"Tel": "phonee"}}, {}, "delivery.fields.Tel.from: a lead has no column 'phonee'"),
        (
            {"fields": {"N": {"value": "{{ ful_name }}"}}},
            {},
            "delivery.fields.N.value: a lead has no column 'ful_name'",
        ),
        ({}, {"requires": ["emial"]}, "requires: a lead has no column 'emial': did you mean 'email'?"),
        ({}, {"request": {"url": "/x", "body": "{{ original['Mail'] }}"}}, "a delivery reads leads, and no columns"),
        ({"target": "{{ parameters.lst_id }}"}, {}, "there is no parameter 'lst_id'"),
        ({}, {"request": {"url": "/x", "body": "{{ delivery.id }}"}}, "`delivery` has no 'id'"),
        ({}, {"request": {"url": "/x", "body": "{{ fields.Mail }}"}}, "`fields` has no 'Mail': did you mean 'Email'?"),
        (
            {},
            {"request": {"url": "/x", "body": "{{ field.value }}"}},
            "`field` is there only in `delivery.field_update`",
        ),
        ({}, {"request": {"url": "/x", "body": "{{ lookups.lists }}"}}, "`lookups` has no 'lists'"),
        ({}, {"response": {}}, "nothing says what id it has there"),
        ({"find": {"request": {"url": "/x"}, "external_id": "a["}}, {}, "delivery.find.external_id"),
        ({"target": "{{ 1 +"}, {}, "delivery.target"),
        ({}, {"request": {"url": "/{{ place }}"}}, "`place` is there only where the delivery says `place`"),
        ({}, {"request": {"url": "/{{ each.id }}"}}, "`each` is there only in the request of a lookup"),
        (
            {
                "lookups": {
                    "a": {"request": {"url": "/{{ lookups.b }}"}},
                    "b": {"request": {"url": "/{{ lookups.a }}"}},
                }
            },
            {},
            "a lookup is asked after those that it reads, and 'b' waits for this one",
        ),
    ],
)
def test_a_name_that_nothing_gives_is_found_before_anything_leaves(
    delivery: dict[str, Any], fields: dict[str, Any], said: str
) -> None:
    assert said in _faults(_workflow(delivery, **fields))


def test_fields_and_target_are_made_of_the_lead_and_an_empty_value_is_null() -> None:
    workflow = _workflow()
    lead = {
        "email": "ann@acme.com",
        "phone": " ",
        "full_name": "Ann",
        "company_name": "Acme",
        "parameters": {"list_id": 7},
    }
    assert FieldRenderer(workflow).render(lead) == {"Email": "ann@acme.com", "Phone": None, "Name": "Ann | Acme"}
    assert TargetRenderer(workflow).render(lead) == "7"
    assert content_hash({"a": 1, "b": None}) == content_hash({"a": 1})
    assert content_hash({"a": 1}) != content_hash({"a": "1"})
    failing = _workflow({"fields": {"N": {"value": "{{ 1 / (icp_score | int) }}"}}})
    with pytest.raises(ContractError, match=r"delivery\.fields\.N: the template failed for this lead \(ZeroDivision"):
        FieldRenderer(failing).render({"icp_score": 0})
    with pytest.raises(ConfigurationError, match=r"delivery\.target"):
        TargetRenderer(_workflow({"target": "{{ secrets.key }}"}))


def test_a_pipeline_names_deliveries_under_deliver_and_no_step_there() -> None:
    follow_up = _workflow({"follows": {"delivery": "crm-webhook", "wait": "3d"}}, slug="follow-up")
    workflows = {**builtin_workflows(), "crm-webhook": _workflow(), "follow-up": follow_up}

    def problems(steps: list[str], deliver: list[str]) -> list[str]:
        pipeline = PipelineDefinition.model_validate({"slug": "p", "steps": steps, "deliver": deliver})
        return validate_pipeline(pipeline, workflows)

    assert problems(["normalise-name"], ["crm-webhook", "follow-up"]) == []
    assert "is a delivery and no step: name it under `deliver`" in problems(["crm-webhook"], [])[0]
    assert "is no delivery but a step" in problems(["normalise-name"], ["normalise-name"])[0]
    assert "did you mean 'crm-webhook'?" in problems(["normalise-name"], ["crm-webhok"])[0]
    assert "stands twice" in problems(["normalise-name"], ["crm-webhook", "crm-webhook"])[0]
    assert "follows crm-webhook, which does not stand before it" in problems(["normalise-name"], ["follow-up"])[0]


def test_what_is_written_once_needs_no_way_to_be_changed() -> None:
    once = _workflow({"update": None, "on_change": "never"})
    assert once.delivery is not None
    assert once.delivery.on_change is OnChange.NEVER
    assert not once.delivery.updates
    assert not once.delivery.compares
    left_alone = _workflow({"update": None})
    assert left_alone.delivery is not None
    assert (left_alone.delivery.updates, left_alone.delivery.compares) == (False, True)
