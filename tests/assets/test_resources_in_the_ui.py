"""The resources tab of Dagster's UI shows what is in force, with a description per field, and no password or key."""

from __future__ import annotations

import json
from typing import Any

import pytest
from dagster._core.remote_representation.external_data import RepositorySnap, ResourceSnap

from enrichment_assets.code_location import build_definitions
from enrichment_assets.providers import PROVIDERS
from enrichment_assets.registry.loader import builtin_workflows
from enrichment_assets.resources.platform import PlatformResource

DATABASE = "postgresql://enrich:very-secret@db.example:6543/hq?application_name=very-secret"


def shown(sandbox_url: str | None = None) -> dict[str, ResourceSnap]:
    platform = PlatformResource(home="/srv/enrich", hq_database_url=DATABASE, sandbox_url=sandbox_url)
    workflows = list(builtin_workflows().values())
    definitions = build_definitions(workflows, platform)
    return {one.name: one for one in RepositorySnap.from_def(definitions.get_repository_def()).resources}


def values(resource: ResourceSnap) -> dict[str, Any]:

    return {
        str(field.name): json.loads(field.default_value_as_json_str) if field.default_value_as_json_str else None
        for field in resource.config_field_snaps
    }


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WORKSPACE_DATABASE_URL", "DAGSTER_DATABASE_URL", "ENRICH_SANDBOX_URL", "ENRICH_RECEIVER_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HUNTER_API_KEY", "very-secret")


def test_there_is_a_resource_per_provider_and_one_for_the_platform_and_each_field_is_described() -> None:
    found = shown()
    assert set(found) == {"platform", "io_manager", *PROVIDERS}
    for resource in found.values():
        assert resource.resource_snapshot.description, resource.name
        assert all(field.description for field in resource.config_field_snaps), resource.name
        assert "very-secret" not in repr(resource), resource.name
    assert found["hunter"].resource_type == "enrichment_assets.resources.providers.ProviderResource"
    assert values(found["platform"]) == {
        "home": "/srv/enrich",
        "hq_database_url": "db.example:6543/hq",
        "workspace_database_url": "on the server of this installation",
        "dagster_database_url": "on the server of this installation",
        "receiver_url": "http://127.0.0.1:8710",
        "sandbox_url": "none: providers are called themselves",
    }


def test_a_provider_shows_the_address_the_names_of_its_keys_its_limits_and_its_prices() -> None:
    assert values(shown()["hunter"]) == {
        "title": "Hunter",
        "address": "https://api.hunter.io",
        "key_variables": ["HUNTER_API_KEY"],
        "limits": {
            "find-email-via-hunter": "15 a second, 500 a minute, 15 at once",
            "find-people-via-hunter": "15 a second, 500 a minute, 15 at once",
            "find-colleagues-via-hunter": "15 a second, 500 a minute, 15 at once",
            "verify-email-via-hunter": "10 a second, 300 a minute, 10 at once",
            "verify-replacement-via-hunter": "10 a second, 300 a minute, 10 at once",
        },
        "prices": {
            "find-email-via-hunter": "0.049 USD, a miss 0 USD",
            "find-people-via-hunter": "0.049 USD, a miss 0 USD",
            "find-colleagues-via-hunter": "0.049 USD, a miss 0 USD",
            "verify-email-via-hunter": "0.0245 USD",
            "verify-replacement-via-hunter": "0.0245 USD",
        },
        "abilities": [],
        "billing": PROVIDERS["hunter"].billing,
        "documentation": "https://hunter.io/api-documentation/v2",
    }
    clay = values(shown()["clay"])
    assert (clay["address"], clay["key_variables"]) == ("each workflow or client gives its own", ["CLAY_WEBHOOK_AUTH"])


def test_with_a_simulator_every_provider_shows_its_place_there() -> None:
    found = shown("http://127.0.0.1:8720")
    assert {name: values(found[name])["address"] for name in PROVIDERS} == {
        name: f"http://127.0.0.1:8720/{name}" for name in PROVIDERS
    }
    assert values(found["platform"])["sandbox_url"] == "http://127.0.0.1:8720"
