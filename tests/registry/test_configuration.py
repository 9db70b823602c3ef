"""Clients, workflows, overrides and pipelines as the entry points use them, on a real database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from psycopg import Connection

from enrichment_assets.cli.hints import told
from enrichment_assets.domain.errors import ConfigurationError, InfrastructureError, NotFoundError
from enrichment_assets.domain.pipeline import PipelineDefinition
from enrichment_assets.registry import loader
from enrichment_assets.registry.loader import builtin_workflows
from enrichment_assets.services.catalog import configuration as service
from enrichment_assets.settings import Settings
from tests.actors import TESTER
from tests.harness.handles import hq_of

HQ = Connection[dict[str, Any]]

MY_STEP = {
    "slug": "my-step",
    "title": "My step",
    "step": 350,
    "provider": "http",
    "operation": "lookup",
    "mode": "sync",
    "requires": ["email"],
    "provides": {"score": "data.score"},
    "secrets": {"token": "MY_TOKEN"},
    "request": {
        "url": "https://api.example.com/score",
        "headers": {"authorization": "Bearer {{secrets.token}}"},
        "body": {"email": "{{email}}"},
    },
    "destination": {
        "table": "scores",
        "create": True,
        "columns": {"score": {"from": "fields.score", "type": "integer"}},
    },
}


@pytest.fixture
def my_step(tmp_path: Path) -> Path:
    path = tmp_path / "my-step.yaml"
    path.write_text(yaml.safe_dump(MY_STEP))
    return path


def test_shipped_files_are_read_as_a_persons_own_would_be() -> None:
    folder = Path(loader.__file__).parent
    workflows = [loader.parse_workflow(f.read_text("utf-8"), f.name) for f in (folder / "workflows").glob("*.yaml")]
    pipelines = [loader.parse_pipeline(f.read_text("utf-8"), f.name) for f in (folder / "pipelines").glob("*.yaml")]
    assert {workflow.slug: workflow for workflow in workflows} == builtin_workflows()
    assert {pipeline.slug: pipeline for pipeline in pipelines} == loader.builtin_pipelines()
    assert loader.builtin_versions() == {workflow.slug: workflow.content_version() for workflow in workflows}


def test_a_client_is_added_once(settings: Settings) -> None:
    assert service.add_client(hq_of(settings), "acme", "Acme, Inc.", actor=TESTER).name == "Acme, Inc."
    assert service.add_client(hq_of(settings), "b-2", actor=TESTER).name == "b-2"
    with pytest.raises(ConfigurationError, match="there is a client 'acme' already"):
        service.add_client(hq_of(settings), "acme", actor=TESTER)
    assert [client.slug for client in service.list_clients(hq_of(settings))] == ["acme", "b-2"]
    with pytest.raises(NotFoundError) as unknown:
        service.get_client(hq_of(settings), "nobody")
    assert "enrich client add nobody" in told(unknown.value)


@pytest.mark.parametrize("slug", ["Acme", "a b", "", "-a", "a" * 64, "a/b", "ä"])
def test_a_client_needs_a_slug(tmp_path: Path, slug: str) -> None:
    with pytest.raises(ConfigurationError, match="not a client slug"):
        service.add_client(hq_of(Settings(home=tmp_path)), slug, actor=TESTER)


def test_the_builtin_workflows_are_there_without_being_asked_for(settings: Settings, hq: HQ) -> None:
    found = service.list_workflows(hq_of(settings))
    assert [row.definition for row in found] == list(builtin_workflows().values())
    assert {row.origin for row in found} == {"built-in"}
    assert hq.execute("select count(*) as n from enrichment_registry").fetchone() == {"n": len(found)}


def test_a_workflow_is_a_row_after_its_file_was_added(settings: Settings, hq: HQ, my_step: Path) -> None:
    assert service.add_workflow(hq_of(settings), settings, my_step, actor=TESTER).change == "added"
    assert service.add_workflow(hq_of(settings), settings, my_step, actor=TESTER).change == "unchanged"
    my_step.write_text(yaml.safe_dump(MY_STEP | {"title": "Better"}))
    assert service.add_workflow(hq_of(settings), settings, my_step, actor=TESTER).change == "updated"
    row = hq.execute("select * from enrichment_registry where workflow_slug = 'my-step'").fetchone()
    assert row is not None
    assert (row["title"], row["destination_table_name"], row["builtin_version"]) == ("Better", "scores", None)
    assert service.get_workflow(hq_of(settings), "my-step").origin == "added"


def test_adding_a_workflow_with_a_destination_does_not_make_the_table_yet(
    settings: Settings, databases: Any, my_step: Path
) -> None:
    service.add_workflow(hq_of(settings), settings, my_step, actor=TESTER)
    from enrichment_assets.store.database import connect

    with connect(databases.workspace) as workspace:
        assert workspace.execute("select to_regclass('scores') as found").fetchone() == {"found": None}


def test_an_edited_builtin_says_so(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "edited.yaml"
    definition = service.get_workflow(hq_of(settings), "normalise-name").definition
    path.write_text(yaml.safe_dump(definition.model_dump(mode="json", by_alias=True) | {"title": "Mine"}))
    assert service.add_workflow(hq_of(settings), settings, path, actor=TESTER).change == "updated"
    assert service.get_workflow(hq_of(settings), "normalise-name").origin == "edited"


WRONG_CHANGES: list[tuple[dict[str, Any], str]] = [
    ({"step": -1}, "my-step.yaml: step"),
    ({"colour": "red"}, "colour"),
    ({"provides": {"x": "a..b"}}, r"provides\.x"),
    ({"provider": "nobody"}, "no provider 'nobody'"),
    ({"secrets": {"token": "sk-live-1234"}}, "NAME of an environment variable"),
    ({"secrets": {"token": "q7XyZabc12345678"}}, "NAME of an environment variable"),
    ({"request": {"url": "https://{{company_domain}}/"}}, "may not choose the host"),
]


def test_a_workflow_file_that_is_wrong_is_refused_and_nothing_is_stored(
    settings: Settings, hq: HQ, my_step: Path
) -> None:
    for change, message in WRONG_CHANGES:
        my_step.write_text(yaml.safe_dump(MY_STEP | change))
        with pytest.raises(ConfigurationError, match=message) as caught:
            service.add_workflow(hq_of(settings), settings, my_step, actor=TESTER)
        assert "1234" not in str(caught.value)
    assert hq.execute("select 1 from enrichment_registry where workflow_slug = 'my-step'").fetchone() is None


@pytest.mark.parametrize(
    "content", [b"", b"- a list", b"a: [", b"\xff\xfe\x00", b"!!python/object/apply:os.system [ls]"]
)
def test_a_file_that_is_no_yaml_mapping_is_refused_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    settings = Settings(home=tmp_path)
    path = tmp_path / "x.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"^x\.yaml: [^\n]+$"):
        service.add_workflow(hq_of(settings), settings, path, actor=TESTER)
    with pytest.raises(NotFoundError):
        service.add_workflow(hq_of(settings), settings, tmp_path / "missing.yaml", actor=TESTER)


def test_replacing_a_workflow_names_the_pipelines_that_break(settings: Settings, my_step: Path) -> None:
    service.add_workflow(hq_of(settings), settings, my_step, actor=TESTER)
    service.add_pipeline(hq_of(settings), PipelineDefinition(slug="scored", steps=["my-step"]), actor=TESTER)
    my_step.write_text(yaml.safe_dump(MY_STEP | {"requires": ["nothing_has_it"]}))
    (warning,) = service.add_workflow(hq_of(settings), settings, my_step, actor=TESTER).warnings
    assert "pipeline scored cannot work any more" in warning
    assert "nothing_has_it" in warning


def test_a_workflow_is_switched_off_and_on(settings: Settings) -> None:
    service.set_workflow_enabled(hq_of(settings), "normalise-name", False, actor=TESTER)
    found = service.get_workflow(hq_of(settings), "normalise-name")
    assert (found.definition.enabled, found.origin) == (False, "built-in")
    service.set_workflow_enabled(hq_of(settings), "normalise-name", True, actor=TESTER)
    assert service.get_workflow(hq_of(settings), "normalise-name").definition.enabled
    with pytest.raises(NotFoundError):
        service.set_workflow_enabled(hq_of(settings), "nope", False, actor=TESTER)


def test_overrides_are_kept_merged_and_given_back(settings: Settings) -> None:
    service.add_client(hq_of(settings), "acme", actor=TESTER)
    slug = "match-person-via-apollo"
    service.set_client_config(
        hq_of(settings), settings, "acme", slug, set_values={"base_url": "http://127.0.0.1:9000"}, actor=TESTER
    )
    service.set_client_config(
        hq_of(settings),
        settings,
        "acme",
        slug,
        set_values={"limits.per_second": 2},
        secrets={"api_key": "ACME_APOLLO_KEY"},
        actor=TESTER,
    )
    config = service.get_client_config(hq_of(settings), "acme", slug)
    assert config.settings == {"base_url": "http://127.0.0.1:9000", "limits.per_second": 2}
    assert config.secrets == {"api_key": "ACME_APOLLO_KEY"}
    assert service.get_client_configs(hq_of(settings), "acme") == {slug: config}
    config = service.set_client_config(
        hq_of(settings), settings, "acme", slug, unset=["base_url", "secrets.api_key"], enabled=False, actor=TESTER
    )
    assert (config.settings, config.secrets, config.enabled) == ({"limits.per_second": 2}, {}, False)
    with pytest.raises(ConfigurationError, match="sets no 'base_url'"):
        service.set_client_config(hq_of(settings), settings, "acme", slug, unset=["base_url"], actor=TESTER)


@pytest.mark.parametrize(
    "override",
    [
        {"columns.company_industry.type": "text"},
        {"columns": {}},
        {"provides.mood": {"from": "organization.mood", "column": {"type": "text", "description": "Its mood."}}},
    ],
)
def test_a_client_has_no_columns_of_its_own_in_final_leads(settings: Settings, override: dict[str, object]) -> None:
    service.add_client(hq_of(settings), "acme", actor=TESTER)
    slug = "enrich-organization-via-apollo"
    with pytest.raises(ConfigurationError):
        service.set_client_config(hq_of(settings), settings, "acme", slug, set_values=override, actor=TESTER)
    assert service.get_client_config(hq_of(settings), "acme", slug).settings == {}


def test_two_clients_do_not_see_each_others_overrides(settings: Settings) -> None:
    for slug in ("acme", "beta"):
        service.add_client(hq_of(settings), slug, actor=TESTER)
    service.set_client_config(
        hq_of(settings),
        settings,
        "acme",
        "enrich-company-clay",
        set_values={"parameters.table_url": "https://a/1"},
        actor=TESTER,
    )
    assert service.get_client_configs(hq_of(settings), "beta") == {}
    assert service.get_client_config(hq_of(settings), "beta", "enrich-company-clay").settings == {}


def test_an_override_that_would_break_the_workflow_is_refused_and_not_stored(settings: Settings) -> None:
    service.add_client(hq_of(settings), "acme", actor=TESTER)
    broken: list[dict[str, Any]] = [
        {"limits.nope": 1},
        {"limits.per_second": 0},
        {"request.url": "{{ a b }}"},
        {"run_if": "a ="},
        {"mode": "async"},
    ]
    for values in broken:
        with pytest.raises(ConfigurationError, match="match-person-via-apollo"):
            service.set_client_config(
                hq_of(settings), settings, "acme", "match-person-via-apollo", set_values=values, actor=TESTER
            )
    assert service.get_client_configs(hq_of(settings), "acme") == {}


@pytest.mark.parametrize(
    "key", ["q7XyZabc12345678", "sk_live_abcdef", "AKIA1234567890EXAMPLE", "0123abcd", "a-b", "my key"]
)
def test_a_key_given_for_its_name_is_refused_and_not_repeated(tmp_path: Path, key: str) -> None:
    settings = Settings(home=tmp_path)
    with pytest.raises(ConfigurationError, match="give the NAME") as caught:
        service.set_client_config(
            hq_of(settings),
            settings,
            "acme",
            "match-person-via-apollo",
            secrets={"api_key": key},
            environment={},
            actor=TESTER,
        )
    assert key not in str(caught.value)


def test_a_lower_case_name_is_a_name_when_the_variable_exists(settings: Settings) -> None:
    service.add_client(hq_of(settings), "acme", actor=TESTER)
    config = service.set_client_config(
        hq_of(settings),
        settings,
        "acme",
        "match-person-via-apollo",
        secrets={"api_key": "acme_key"},
        environment={"acme_key": "x", "ENRICH_SECRET_NAMES": "acme_key"},
        actor=TESTER,
    )
    assert config.secrets == {"api_key": "acme_key"}


@pytest.mark.parametrize(
    "values",
    [
        {"parameters.api_key": "q7XyZ"},
        {"request.headers.Authorization": "Bearer q7XyZ"},
        {"secrets.api_key": "q7XyZ"},
        {"base_url": "https://user:q7XyZ@api.example.com"},
    ],
)
def test_a_secret_among_the_settings_is_refused_and_not_repeated(tmp_path: Path, values: dict[str, Any]) -> None:
    settings = Settings(home=tmp_path)
    with pytest.raises(ConfigurationError) as caught:
        service.set_client_config(
            hq_of(settings), settings, "acme", "match-person-via-apollo", set_values=values, actor=TESTER
        )
    assert "q7XyZ" not in str(caught.value)


def test_a_pipeline_that_cannot_work_is_refused_naming_step_and_field(settings: Settings, my_step: Path) -> None:
    my_step.write_text(yaml.safe_dump(MY_STEP | {"requires": ["apollo_person_id"]}))
    service.add_workflow(hq_of(settings), settings, my_step, actor=TESTER)
    wrong = service.pipeline_from_steps("scored", "my-step, match-person-via-apollo")
    with pytest.raises(ConfigurationError, match="step 1, my-step: needs the field apollo_person_id"):
        service.add_pipeline(hq_of(settings), wrong, actor=TESTER)
    right = service.pipeline_from_steps("scored", "match-person-via-apollo,my-step")
    assert service.add_pipeline(hq_of(settings), right, actor=TESTER).change == "added"
    assert service.add_pipeline(hq_of(settings), right, actor=TESTER).change == "unchanged"


def test_a_client_can_have_a_pipeline_of_its_own_under_a_shared_name(settings: Settings) -> None:
    service.add_client(hq_of(settings), "acme", actor=TESTER)
    mine = service.pipeline_from_steps("apollo-basic", "match-person-via-apollo")
    with pytest.raises(ConfigurationError, match="built in"):
        service.add_pipeline(hq_of(settings), mine, actor=TESTER)
    assert service.add_pipeline(hq_of(settings), mine, "acme", actor=TESTER).change == "added"
    assert service.get_pipeline(hq_of(settings), "apollo-basic", "acme").definition == mine
    assert len(service.get_pipeline(hq_of(settings), "apollo-basic").definition.slugs()) == 4
    service.add_client(hq_of(settings), "beta", actor=TESTER)
    assert service.get_pipeline(hq_of(settings), "apollo-basic", "beta").client is None
    assert "acme" not in {row.client for row in service.list_pipelines(hq_of(settings), "beta")}


def test_a_waterfall_can_be_written_on_the_command_line() -> None:
    made = service.pipeline_from_steps("p", "a, b|c ,d")
    assert made.slugs() == ["a", "b", "c", "d"]
    assert made.model_dump(mode="json")["steps"] == ["a", {"waterfall": ["b", "c"]}, "d"]
    with pytest.raises(ConfigurationError, match="pipeline 'p'"):
        service.pipeline_from_steps("p", "a,,b")


def test_without_a_database_the_service_says_so_and_the_files_stand_in(tmp_path: Path) -> None:
    down = Settings(home=tmp_path, hq_database_url="postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(InfrastructureError):
        service.list_workflows(hq_of(down))
    assert "match-person-via-apollo" in builtin_workflows()
