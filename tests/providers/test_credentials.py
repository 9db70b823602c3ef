"""Keys go where they belong, at the last moment, and nowhere else."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.templating import RequestRenderer
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.providers import build_providers
from enrichment_assets.providers.zenrows import redact_url
from enrichment_assets.registry.loader import builtin_workflows
from enrichment_assets.wire.addresses import address_of, base_url_of, is_simulated
from enrichment_assets.wire.secrets import SANDBOX_KEY, fill_secrets, missing_secrets, workflow_secrets

PROVIDERS = build_providers()
SANDBOX = "http://127.0.0.1:8720"


def authorise(
    provider: str, secrets: dict[str, str], url: str = "/v1/x", base: str | None = None, **headers: str
) -> Any:
    target = PROVIDERS[provider]
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    rendered = RequestRenderer(workflow(request={"url": "/x", "headers": named})).render({})
    request = replace(rendered, url=url, query={"a": "1"})
    return target.authorise(fill_secrets(request, secrets), secrets, target.base_url if base is None else base)


def workflow(provider: str = "http", **fields: Any) -> WorkflowDefinition:
    given = {"request": {"url": "/v1/x"}} | fields
    return WorkflowDefinition(slug="a", title="a", step=1, provider=provider, operation="x", mode="sync", **given)


def test_apollo_and_hunter_take_their_key_in_a_header() -> None:
    apollo = authorise("apollo", {"api_key": "k"}, x_api_key="from the template")
    assert apollo.url == "https://api.apollo.io/v1/x"
    assert {name: value for name, value in apollo.headers.items() if name == "x-api-key"} == {"x-api-key": "k"}
    hunter = authorise("hunter", {"api_key": "k"}, "/v2/email-finder")
    assert (hunter.url, hunter.headers["x-api-key"], hunter.query) == (
        "https://api.hunter.io/v2/email-finder",
        "k",
        {"a": "1"},
    )


def test_zenrows_takes_its_key_in_the_query_and_its_url_can_be_redacted() -> None:
    request = authorise("zenrows", {"api_key": "very-secret"})
    assert request.query == {"a": "1", "apikey": "very-secret"}
    assert "very-secret" not in request.url
    shown = redact_url("https://api.zenrows.com/v1/?url=https%3A%2F%2Fx.com&apikey=very-secret&js=1")
    assert shown == "https://api.zenrows.com/v1/?url=https%3A%2F%2Fx.com&apikey=***&js=1"


def test_zerobounce_takes_its_key_in_a_form_or_in_json_and_never_in_the_address() -> None:
    zerobounce = PROVIDERS["zerobounce"]
    for body_format, sent in (("form", b"email=a%40b.example&api_key=k%26y"), ("json", b'{"email":"a@b.example"')):
        request = {"url": "/v2/validate", "body": {"email": "a@b.example"}, "body_format": body_format}
        rendered = RequestRenderer(workflow(request=request)).render({})
        keyed = zerobounce.authorise(rendered, {"api_key": "k&y"}, zerobounce.base_url)
        assert keyed.content is not None and keyed.content.startswith(sent)
        assert b"k&y" in keyed.content or b"k%26y" in keyed.content
        assert (keyed.url, keyed.query) == ("https://api.zerobounce.net/v2/validate", {})
    with pytest.raises(ConfigurationError, match="travels in the body"):
        authorise("zerobounce", {"api_key": "k"})


def test_clay_sends_its_token_only_where_there_is_one_and_goes_to_the_clients_table() -> None:
    url = "https://api.clay.com/v3/sources/webhook/abc"
    assert authorise("clay", {}, url).headers == {}
    assert authorise("clay", {"webhook_auth": "t"}, url).headers == {"x-clay-webhook-auth": "t"}
    assert authorise("clay", {}, url).url == url
    assert authorise("clay", {}, "/tables/1/webhook", f"{SANDBOX}/clay").url == f"{SANDBOX}/clay/tables/1/webhook"
    with pytest.raises(ConfigurationError, match="has no address"):
        authorise("clay", {}, "/tables/1/webhook")


def test_n8n_uses_basic_header_or_no_authentication() -> None:
    base = "https://n8n.example"
    basic = authorise("n8n", {"user": "u", "password": "p:w"}, base=base).headers["authorization"]
    assert base64.b64decode(basic.removeprefix("Basic ")) == b"u:p:w"
    assert authorise("n8n", {"t": "v"}, base=base, x_auth="{{secrets.t}}").headers == {"x-auth": "v"}
    assert authorise("n8n", {}, base=base).headers == {}


def test_http_fills_secrets_into_the_headers_that_name_them() -> None:
    request = authorise(
        "http", {"token": "v"}, "https://x.example/y", authorization="Bearer {{secrets.token}}", x="plain"
    )
    assert request.headers == {"authorization": "Bearer v", "x": "plain"}
    with pytest.raises(ConfigurationError, match=r"\{\{secrets.nope\}\}"):
        authorise("http", {"token": "v"}, "https://x.example/y", authorization="{{secrets.nope}}")


def test_a_secret_that_cannot_stand_in_a_header_is_refused_without_being_shown() -> None:
    with pytest.raises(ConfigurationError) as caught:
        authorise("http", {"token": "se\ncret"}, "https://x.example/y", authorization="{{secrets.token}}")
    assert "cret" not in str(caught.value).replace("secret", "")


@pytest.mark.parametrize(
    "provider", ["apollo", "hunter", "zenrows", "serper", "brave", "enrichlayer", "firecrawl", "jina"]
)
def test_a_key_does_not_go_to_another_host_than_its_providers(provider: str) -> None:
    for url in (
        "https://evil.example/v1",
        "https://api.apollo.io.evil.example/",
        "http://api.apollo.io/",
        "file:///etc/passwd",
    ):
        with pytest.raises(ConfigurationError):
            authorise(provider, {"api_key": "k"}, url)


def test_overpass_is_told_who_asks_and_how_they_are_reached() -> None:
    request = authorise("overpass", {"contact": "ops@agency.example"}, "/api/interpreter")
    assert request.headers["user-agent"] == "enrichment-assets (ops@agency.example)"
    assert "agency" not in request.url


def test_a_missing_variable_is_named_with_workflow_and_purpose() -> None:
    match = builtin_workflows()["match-person-via-apollo"]
    with pytest.raises(ConfigurationError) as caught:
        workflow_secrets(match, environment={"APOLLO_API_KEY": ""})
    assert str(caught.value) == (
        "workflow match-person-via-apollo needs its secret 'api_key': "
        "the environment variable APOLLO_API_KEY is not set"
    )
    assert workflow_secrets(match, environment={"APOLLO_API_KEY": "v", "OTHER": "w"}) == {"api_key": "v"}
    assert missing_secrets(match, {}) == {"api_key": "APOLLO_API_KEY"}


def test_a_secret_can_stand_in_a_file_that_another_variable_names(tmp_path: Path) -> None:
    match, kept = builtin_workflows()["match-person-via-apollo"], tmp_path / "key"
    kept.write_text("from-a-file\n")
    told = {"APOLLO_API_KEY_FILE": str(kept)}
    assert missing_secrets(match, told) == {}
    assert workflow_secrets(match, environment=told) == {"api_key": "from-a-file"}
    assert workflow_secrets(match, environment={**told, "APOLLO_API_KEY": "v"}) == {"api_key": "v"}
    binary, long = tmp_path / "binary", tmp_path / "long"
    binary.write_bytes(b"\xff\xfe")
    long.write_bytes(b"x" * 70_000)
    for wrong in (tmp_path / "gone", tmp_path, binary, long):
        with pytest.raises(ConfigurationError, match="APOLLO_API_KEY_FILE names a file that cannot be read") as caught:
            workflow_secrets(match, environment={"APOLLO_API_KEY_FILE": str(wrong)})
        assert str(tmp_path) not in str(caught.value)


def test_a_workflow_of_ones_own_uses_its_providers_usual_variable() -> None:
    assert workflow_secrets(workflow("hunter"), environment={"HUNTER_API_KEY": "v"}) == {"api_key": "v"}
    own = workflow("hunter", secrets={"api_key": "MY_HUNTER_KEY"})
    assert workflow_secrets(own, environment={"HUNTER_API_KEY": "v", "MY_HUNTER_KEY": "m"}) == {"api_key": "m"}


def test_the_clay_token_is_optional_until_it_is_asked_for() -> None:
    clay = builtin_workflows()["enrich-company-clay"]
    assert workflow_secrets(clay, environment={}) == {}
    assert workflow_secrets(clay, environment={"CLAY_WEBHOOK_AUTH": "t"}) == {"webhook_auth": "t"}
    asked = clay.model_copy(update={"secrets": {"webhook_auth": "ACME_CLAY"}})
    assert missing_secrets(asked, {}) == {"webhook_auth": "ACME_CLAY"}


def test_the_literal_key_goes_only_to_the_sandbox() -> None:
    providers = build_providers(SANDBOX)
    match = builtin_workflows()["match-person-via-apollo"]
    assert is_simulated(match, providers["apollo"], SANDBOX)
    assert workflow_secrets(match, simulated=True, environment={}) == {"api_key": SANDBOX_KEY}
    assert workflow_secrets(match, simulated=True, environment={"APOLLO_API_KEY": "v"}) == {"api_key": "v"}
    for elsewhere in (
        "https://api.apollo.io",
        "http://127.0.0.1:9000",
        f"{SANDBOX}.evil.example",
        f"{SANDBOX}0/apollo",
    ):
        moved = match.model_copy(update={"base_url": elsewhere})
        assert not is_simulated(moved, providers["apollo"], SANDBOX), elsewhere
    assert not is_simulated(match, PROVIDERS["apollo"], None)


def test_an_absolute_address_is_not_the_sandbox_because_the_provider_is() -> None:
    absolute = workflow(request={"url": "https://api.example.com/{{ email }}"}, secrets={"token": "T"})
    provider = build_providers(SANDBOX)["http"]
    assert not is_simulated(absolute, provider, SANDBOX)
    assert is_simulated(workflow(), provider, SANDBOX)
    assert address_of(absolute, provider) == "https://api.example.com/"
    assert base_url_of(workflow(base_url="http://x"), provider) == "http://x"


def test_with_a_sandbox_every_provider_is_below_its_own_name() -> None:
    assert {name: provider.base_url for name, provider in build_providers(SANDBOX + "/").items()} == {
        name: f"{SANDBOX}/{name}" for name in PROVIDERS
    }
