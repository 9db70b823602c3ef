"""Pipelines that can work, pipelines that cannot, and the blueprint that a batch runs by."""

from __future__ import annotations

from typing import Any

import pytest

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.pipeline import Blueprint, ClientWorkflowConfig, PipelineDefinition
from enrichment_assets.domain.planning import build_blueprint, switched_off, validate_pipeline
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.domain.workflow_checks import check_workflow
from enrichment_assets.providers import PROVIDERS
from enrichment_assets.registry.loader import builtin_pipelines, builtin_workflows


def step(
    slug: str, requires: list[Any] | None = None, provides: list[str] | None = None, **fields: Any
) -> WorkflowDefinition:
    return WorkflowDefinition(
        slug=slug,
        title=slug,
        step=1,
        provider="http",
        operation="x",
        mode="sync",
        request={"url": "https://example.com/x"},
        requires=requires or [],
        provides={name: name for name in provides or []},
        **fields,
    )


def registry(*workflows: WorkflowDefinition) -> dict[str, WorkflowDefinition]:
    return {workflow.slug: workflow for workflow in workflows}


def pipeline(*steps: Any) -> PipelineDefinition:
    return PipelineDefinition(slug="p", steps=list(steps))


def blueprint(
    pipeline_: PipelineDefinition, workflows: dict[str, WorkflowDefinition], **configs: ClientWorkflowConfig
) -> Blueprint:
    return build_blueprint("acme", pipeline_, workflows, {slug.replace("_", "-"): c for slug, c in configs.items()})


def test_the_builtin_pipelines_can_work_with_the_builtin_workflows() -> None:
    for definition in builtin_pipelines().values():
        assert validate_pipeline(definition, builtin_workflows()) == []
        assert build_blueprint("acme", definition, builtin_workflows(), {})


def test_the_builtin_workflows_compile_and_name_only_capital_variables() -> None:
    for workflow in builtin_workflows().values():
        check_workflow(workflow, PROVIDERS)
        assert all(name.isupper() for name in workflow.secrets.values())


def test_company_workflows_ask_for_nothing_but_company_fields_and_what_company_workflows_found() -> None:
    of_companies = [workflow for workflow in builtin_workflows().values() if workflow.entity == "company"]
    found = {name for workflow in of_companies for name in workflow.provides}
    for workflow in of_companies:
        assert all(name.startswith("company_") or name in found for name in workflow.required_fields), workflow.slug


def test_a_step_before_its_provider_is_refused_and_both_are_named() -> None:
    workflows = registry(step("first", ["score"]), step("second", provides=["score"]))
    assert validate_pipeline(pipeline("first", "second"), workflows) == [
        "step 1, first: needs the field score, which second provides only after it: move that step before this one"
    ]
    assert validate_pipeline(pipeline("second", "first"), workflows) == []


def test_a_field_that_nobody_provides_is_named_and_alternatives_are_enough() -> None:
    workflows = registry(step("a", [["score", "rank"]]), step("b", [["score", "email"]]))
    assert validate_pipeline(pipeline("a", "b"), workflows) == [
        "step 1, a: needs the field score or rank, which no upload and no earlier step provides"
    ]


def test_unknown_and_repeated_steps_are_named() -> None:
    problems = validate_pipeline(pipeline("a", "nope", "a"), registry(step("a")))
    assert problems == ["step 2: there is no workflow 'nope'", "step 3, a: stands twice in the pipeline"]


def test_a_step_comes_after_whoever_provides_what_it_reads() -> None:
    workflows = registry(
        step("names", provides=["first_name"]),
        step("other", provides=["unrelated"]),
        step("score", provides=["score"]),
        step("sites", provides=["homepage_text"]),
        step("last", ["first_name"], uses=["homepage_text"], run_if="score > `3` && !email"),
    )
    made = blueprint(pipeline("names", "other", "score", "sites", "last"), workflows)
    assert made.step("last").after == ["names", "score", "sites"]
    assert made.step("other").after == []


def test_a_waterfall_member_comes_after_all_members_before_it() -> None:
    workflows = registry(*(step(slug, provides=["email"]) for slug in ("a", "b", "c")))
    made = blueprint(pipeline({"waterfall": ["a", "b", "c"]}), workflows)
    assert [(s.slug, s.fallback_of, s.after) for s in made.steps] == [
        ("a", [], []),
        ("b", ["a"], ["a"]),
        ("c", ["a", "b"], ["a", "b"]),
    ]


def test_a_clients_overrides_reach_any_field_by_its_path() -> None:
    config = ClientWorkflowConfig(
        settings={
            "base_url": "http://127.0.0.1:9000",
            "limits.per_second": 2,
            "parameters.table_url": "u",
            "request.headers": {"x": "1"},
        },
        secrets={"api_key": "ACME_KEY"},
    )
    original = step("a", secrets={"other": "B"}, parameters={"kept": 1})
    made = blueprint(pipeline("a"), registry(original), a=config).step("a")
    assert made.workflow.base_url == "http://127.0.0.1:9000"
    assert made.workflow.limits.per_second == 2
    assert made.workflow.parameters == {"kept": 1, "table_url": "u"}
    assert made.workflow.request is not None
    assert made.workflow.request.headers == {"x": "1"}
    assert made.workflow.secrets == {"other": "B", "api_key": "ACME_KEY"}
    assert made.registry_version == original.version() != made.workflow.version()
    assert original.limits.per_second is None


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("limits.nope", 1),
        ("nope", 1),
        ("limits.per_second", -1),
        ("title.x", 1),
        ("slug", "b"),
        ("mode", "async"),
        ("price.estimate", "x"),
        ("a..b", 1),
    ],
)
def test_an_override_that_does_not_fit_names_client_workflow_and_path(path: str, value: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        blueprint(pipeline("a"), registry(step("a")), a=ClientWorkflowConfig(settings={path: value}))
    message = str(caught.value)
    assert "client acme, workflow a: " in message
    assert path.split(".")[-1] in message or path in message


def test_a_step_switched_off_for_the_client_is_left_out() -> None:
    workflows = registry(step("a", provides=["email"]), step("b"), step("c"))
    off = ClientWorkflowConfig(enabled=False)
    waterfall = pipeline({"waterfall": ["a", "b"]}, "c")
    made = blueprint(waterfall, workflows, a=off)
    assert [(s.slug, s.position, s.fallback_of) for s in made.steps] == [("b", 0, []), ("c", 1, [])]
    assert switched_off(waterfall, {"a": off}) == ["a"]
    with pytest.raises(ConfigurationError, match="switches every step off"):
        blueprint(pipeline("a"), workflows, a=off)


def test_a_workflow_disabled_for_all_is_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match="pipeline p cannot run: a: is disabled"):
        blueprint(pipeline("a"), registry(step("a", enabled=False)))


def test_a_blueprint_comes_back_from_json_as_it_was() -> None:
    made = build_blueprint("acme", builtin_pipelines()["full-demo"], builtin_workflows(), {})
    assert Blueprint.model_validate_json(made.model_dump_json(by_alias=True)) == made


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"run_if": "a ="}, "run_if"),
        ({"provides": {"x": "a..b"}}, "provides.x"),
        ({"request": {"url": "/x", "body": {"y": "{{ a b }}"}}}, "request.body.y"),
        ({"provider": "nobody"}, "no provider 'nobody'"),
        ({"provider": "local"}, "belong together"),
    ],
)
def test_what_cannot_be_compiled_is_refused_before_it_is_saved(fields: dict[str, Any], named: str) -> None:
    broken = WorkflowDefinition.model_validate(step("a").model_dump() | fields)
    with pytest.raises(ConfigurationError) as caught:
        check_workflow(broken, PROVIDERS)
    assert "workflow a" in str(caught.value)
    assert named in str(caught.value)


def test_a_version_changes_with_the_content_and_not_with_the_order_or_what_the_model_learns_later() -> None:
    class Later(WorkflowDefinition):
        learned_later: int = 0

    for workflow in builtin_workflows().values():
        fields = workflow.model_dump(mode="json", by_alias=True)
        backwards = {
            name: dict(reversed(value.items())) if isinstance(value, dict) else value
            for name, value in reversed(fields.items())
        }
        assert WorkflowDefinition.model_validate(backwards).version() == workflow.version()
        assert Later.model_validate(fields).version() == workflow.version()
        assert workflow.model_copy(update={"title": "Another"}).version() != workflow.version()
