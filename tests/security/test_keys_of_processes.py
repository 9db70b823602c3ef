"""Only the processes that make calls are given the providers' keys."""

from __future__ import annotations

from pathlib import Path

from enrichment_assets.domain.variables import is_own_variable, without_keys
from enrichment_assets.installation.stack import Ports, stack_environment, stack_services
from enrichment_assets.providers import PROVIDERS
from enrichment_assets.settings import Settings


def test_only_the_code_server_and_the_runs_are_given_keys(tmp_path: Path) -> None:
    services = stack_services(Ports(3000, 8710, 8720), tmp_path)
    assert [service.name for service in services if service.makes_calls] == ["code-server", "runs"]
    assert len(services) == 7


def test_no_key_of_a_provider_is_a_variable_of_our_own() -> None:
    keys = [name for provider in PROVIDERS.values() for name in provider.default_variables().values()]
    assert keys
    for name in [*keys, "ACME_APOLLO_KEY", "AWS_SECRET_ACCESS_KEY", "N8N_PASSWORD", "SLACK_TOKEN", "OPENAI_API_KEY"]:
        assert not is_own_variable(name), name


def test_what_the_platform_reads_reaches_every_process(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    environment = {
        "HQ_DATABASE_URL": "postgresql://h/q",
        "DAGSTER_DATABASE_URL": "postgresql://h/d",
        "PGSSLROOTCERT": "/ca.pem",
        "ENRICH_MAX_UPLOAD_BYTES": "1",
        "ENRICH_RETENTION_DAYS": "30",
        "ENRICH_WARM_MINUTES": "5",
        "ENRICH_SUPPRESSION_PEPPER": "a pepper for tests",
        "PATH": "/bin",
        "https_proxy": "http://proxy.example",
        "ACME_APOLLO_KEY": "canary",
    }
    told = stack_environment(settings, Ports(3000, 8710, 8720), environment)
    assert without_keys(told) == {name: value for name, value in told.items() if name != "ACME_APOLLO_KEY"}
