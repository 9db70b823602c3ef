"""A workflow file names no variable that it may not, holds no key, and sends a provider's key to that provider only."""

from __future__ import annotations

from typing import Any

import pytest

from enrichment_assets.cli.hints import told
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.literal_keys import literal_key
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.registry.loader import builtin_workflows
from enrichment_assets.services.catalog.clients import add_client, set_client_config
from enrichment_assets.services.catalog.configuration import add_workflow, get_workflow
from enrichment_assets.services.catalog.key_safety import key_uses, refuse_unsafe_keys
from enrichment_assets.settings import Settings
from enrichment_assets.wire.secrets import secret_names, workflow_secrets
from tests.actors import TESTER
from tests.harness.handles import hq_of

ENVIRONMENT = {"ENRICH_SECRET_NAMES": "MY_SERVICE_*, LISTED"}


def workflow(provider: str = "http", **fields: Any) -> WorkflowDefinition:
    request = {"url": "https://service.example/x", "headers": {"authorization": "Bearer {{secrets.token}}"}}
    given = {"request": request if provider == "http" else {"url": "/v1/x"}, "mode": "sync"} | fields
    return WorkflowDefinition(slug="mine", title="Mine", step=1, provider=provider, operation="x", **given)


def refused(one: WorkflowDefinition, *, replace: bool = False, sandbox_url: str | None = None) -> str | None:
    try:
        refuse_unsafe_keys(one, sandbox_url=sandbox_url, replace=replace, environment=ENVIRONMENT)
    except ConfigurationError as error:
        return told(error)
    return None


@pytest.mark.parametrize(
    "name",
    ["HQ_DATABASE_URL", "WORKSPACE_DATABASE_URL", "DAGSTER_DATABASE_URL", "PGPASSWORD", "ENRICH_HOME", "PATH",
     "hq_database_url",
     "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "MY_TOKEN", "DATABASE_URL", "LISTED_TOO", "NOT_MY_SERVICE_KEY"],
)  # fmt: skip
def test_a_variable_that_nobody_allowed_is_refused_when_saved_and_when_used(name: str) -> None:
    one = workflow(secrets={"token": name})
    assert name in (refused(one) or "")
    with pytest.raises(ConfigurationError, match=name):
        workflow_secrets(one, environment={**ENVIRONMENT, name: "canary"})


@pytest.mark.parametrize(
    "name", ["LISTED", "MY_SERVICE_TOKEN", "my_service_token", "ACME_HUNTER_KEY", "N8N_PASSWORD", "CLIENT_N8N"]
)
def test_a_listed_variable_and_a_providers_key_are_allowed(name: str) -> None:
    used = workflow_secrets(workflow(secrets={"token": name}), environment={**ENVIRONMENT, name: "canary"})
    assert used == {"token": "canary"}


@pytest.mark.parametrize(
    ("fields", "variable", "host"),
    [
        ({"secrets": {"token": "APOLLO_API_KEY"}}, "APOLLO_API_KEY", "service.example"),
        ({"secrets": {"token": "ACME_HUNTER_KEY"}}, "ACME_HUNTER_KEY", "service.example"),
        ({"provider": "apollo", "base_url": "https://apollo.example"}, "APOLLO_API_KEY", "apollo.example"),
        ({"provider": "hunter", "base_url": "http://api.hunter.io:8080"}, "HUNTER_API_KEY", "api.hunter.io:8080"),
        (
            {"provider": "zenrows", "base_url": "https://api.zenrows.com.example"},
            "ZENROWS_API_KEY",
            "api.zenrows.com.example",
        ),
    ],
)
def test_a_providers_key_goes_elsewhere_only_when_that_is_said(
    fields: dict[str, Any], variable: str, host: str
) -> None:
    one = workflow(**fields)
    why = refused(one) or ""
    assert variable in why
    assert host in why
    assert "--replace" in why
    assert refused(one, replace=True) is None
    assert [(use.variable, use.host, use.foreign) for use in key_uses(one)] == [(variable, host, True)]


def test_a_variable_with_the_words_of_two_providers_may_go_to_either_and_to_no_third() -> None:
    for provider in ("apollo", "hunter"):
        assert refused(workflow(provider, secrets={"api_key": "HUNTER_APOLLO_KEY"})) is None
    assert "HUNTER_APOLLO_KEY" in (refused(workflow("zenrows", secrets={"apikey": "HUNTER_APOLLO_KEY"})) or "")


def test_the_simulator_and_this_machine_may_be_sent_to() -> None:
    sandbox = "http://127.0.0.1:8720"
    assert refused(workflow("apollo", base_url=f"{sandbox}/apollo"), sandbox_url=sandbox) is None
    assert refused(workflow("apollo", base_url="http://simulator.example/apollo"), sandbox_url=sandbox) is not None


def test_every_built_in_workflow_is_safe_as_it_is() -> None:
    shown = 0
    for one in builtin_workflows().values():
        assert refused(one) is None, one.slug
        shown += len(secret_names(one))
    assert shown >= 5


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        (
            {"request": {"url": "/x", "headers": {"authorization": "Bearer abcdef123456"}}},
            "request.headers.authorization",
        ),
        ({"request": {"url": "/x", "headers": {"X-API-Key": "abcdef123456"}}}, "request.headers.X-API-Key"),
        ({"request": {"url": "/x", "headers": {"Cookie": "session=abcdef"}}}, "request.headers.Cookie"),
        ({"request": {"url": "/x", "query": {"api_key": "abcdef123456"}}}, "request.query.api_key"),
        ({"request": {"url": "/x?token=abcdef123456"}}, "request.url"),
        ({"request": {"url": "https://x.example/y?apikey=abcdef123456"}}, "request.url"),
        ({"request": {"url": "https://user:pass@x.example/y"}}, "request.url"),
        ({"request": {"url": "/x", "body": {"auth": {"password": "abcdef123456"}}}}, "request.body.auth.password"),
        ({"request": {"url": "/x", "body": {"note": "sk-proj-abcdefghijklmnop1234"}}}, "request.body.note"),
        ({"parameters": {"nested": [{"secret": "abcdef123456"}]}}, "parameters.nested.secret"),
        ({"parameters": {"key": "abcdef123456"}}, "parameters.key"),
        ({"base_url": "https://u:p@x.example"}, "base_url"),
        (
            {"mode": "async", "poll": {"request": {"url": "/p", "headers": {"x-token": "abcdef123456"}}}},
            "poll.request.headers.x-token",
        ),
    ],
)
def test_a_key_in_a_workflow_is_found_wherever_it_stands(fields: dict[str, Any], place: str) -> None:
    assert literal_key(workflow(**fields)) == place


@pytest.mark.parametrize(
    "fields",
    [
        {
            "request": {
                "url": "/x",
                "headers": {"authorization": "Bearer {{secrets.token}}", "accept": "application/json"},
            }
        },
        {
            "request": {
                "url": "/x",
                "body": {"key": "{{ company_domain }}", "max_tokens": 4000, "sort_key": "company_name"},
            }
        },
        {"request": {"url": "https://x.example/{{ parameters.path }}?token_type=short"}},
        {"request": {"url": "/x", "query": {"sort_key": "company_name", "order-key": "founded_year"}}},
        {"parameters": {"monkey": "abcdef123456", "token": None, "keyboard": "qwertyuiop"}},
        {"request": {"url": "/x", "headers": {"x-auth": "{{ secrets.token }}"}}},
    ],
)
def test_what_only_sounds_like_a_key_is_taken(fields: dict[str, Any]) -> None:
    assert literal_key(workflow(**fields)) is None


def test_the_registry_and_a_clients_config_refuse_alike(settings: Settings) -> None:
    add_client(hq_of(settings), "acme", actor=TESTER)
    hostile = workflow("apollo", base_url="https://elsewhere.example", request={"url": "/v1/x"})
    with pytest.raises(ConfigurationError, match=r"elsewhere\.example"):
        add_workflow(hq_of(settings), settings, hostile, actor=TESTER)
    with pytest.raises(ConfigurationError, match=r"elsewhere\.example"):
        set_client_config(
            hq_of(settings),
            settings,
            "acme",
            "match-person-via-apollo",
            set_values={"base_url": "https://elsewhere.example"},
            actor=TESTER,
        )
    with pytest.raises(ConfigurationError, match="HQ_DATABASE_URL is a setting"):
        set_client_config(
            hq_of(settings),
            settings,
            "acme",
            "match-person-via-apollo",
            secrets={"api_key": "HQ_DATABASE_URL"},
            actor=TESTER,
        )
    assert get_workflow(hq_of(settings), "match-person-via-apollo").origin == "built-in"
    assert add_workflow(hq_of(settings), settings, hostile, replace=True, actor=TESTER).change == "added"
