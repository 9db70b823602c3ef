"""The deployment files: keys where calls are made, little rights, separate networks, pinned packages."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager

from enrichment_assets.domain.variables import is_own_variable
from enrichment_assets.installation.databases import Databases
from enrichment_assets.installation.stack import DAEMON
from enrichment_assets.resources.dagster_events import EventLogSaidOnce

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
REQUIREMENTS = ["requirements.txt", "requirements-runtime.txt", "requirements-build.txt", "requirements-audit.txt"]


def _pins(file: str) -> dict[str, str]:
    found = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)", (ROOT / file).read_text(), re.MULTILINE)
    return {name.lower(): version for name, version in found}


def test_only_the_container_that_makes_calls_reads_keys() -> None:
    assert [name for name, service in SERVICES.items() if "env_file" in service] == ["code-server"]
    for name, service in SERVICES.items():
        if name != "postgres":
            assert all(is_own_variable(variable) for variable in service["environment"]), name


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_is_read_only_and_has_few_rights(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    assert "privileged" not in service


def test_the_database_and_the_code_server_are_on_networks_without_a_way_out() -> None:
    assert SERVICES["postgres"]["networks"] == ["database"]
    assert [name for name, network in COMPOSE["networks"].items() if network.get("internal")] == ["database", "code"]
    assert [name for name, service in SERVICES.items() if "outside" in service["networks"]] == ["code-server"]
    assert not {"code", "outside"} & set(SERVICES["receiver"]["networks"])


def test_no_url_holds_a_password() -> None:
    for name, service in SERVICES.items():
        for variable, value in service["environment"].items():
            assert not re.search(r"://[^/@]*:[^/@]*@", str(value)), (name, variable)


def test_the_platforms_role_is_no_superuser() -> None:
    script = (ROOT / "deploy/create-databases.sh").read_text()
    assert "create role enrich login nosuperuser nocreatedb nocreaterole" in script
    assert all(
        f"create database {name} owner enrich" in script for name in ("enrich_hq", "enrich_workspace", "dagster")
    )
    assert all(
        "enrich@" in SERVICES["daemon"]["environment"][name] for name in ("HQ_DATABASE_URL", "DAGSTER_DATABASE_URL")
    )


def test_the_daemon_is_the_one_that_enrich_up_runs_and_reaches_hq_the_code_server_and_the_inbox() -> None:
    python, module_option, module, *arguments = SERVICES["daemon"]["command"].split()
    assert (python, module_option, module) == ("python", "-m", DAEMON)
    assert arguments == ["run", "--workspace", "/opt/dagster/workspace.yaml"]
    assert importlib.util.find_spec(module) is not None
    assert {"database", "code"} <= set(SERVICES["daemon"]["networks"])
    assert SERVICES["daemon"]["volumes"] == ["home:/var/lib/enrich"], "it looks whether anything lies in the inbox"
    assert "HQ_DATABASE_URL" in SERVICES["daemon"]["environment"]


def test_dagster_loads_what_its_configuration_names(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HQ_DATABASE_URL", databases.hq)
    written = (ROOT / "deploy/dagster.yaml").read_text()
    (tmp_path / "dagster.yaml").write_text(written.replace("/var/lib/enrich", str(tmp_path)))
    with dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(tmp_path))) as instance:
        assert isinstance(instance.event_log_storage, EventLogSaidOnce)
        assert instance.storage_directory().startswith(str(tmp_path))
        assert isinstance(instance.compute_log_manager, LocalComputeLogManager)
        assert instance.run_launcher is not None
        assert instance.scheduler is not None


def test_what_runs_is_pinned_as_it_was_tested_and_without_the_tools_of_tests() -> None:
    tested, runs = _pins("requirements.txt"), _pins("requirements-runtime.txt")
    assert runs.items() <= tested.items()
    assert {"dagster", "duckdb", "psycopg"} <= runs.keys()
    assert not {"pytest", "mypy", "ruff", "hypothesis", "import-linter", "pre-commit"} & runs.keys()
    assert {"uv", "hatchling", "editables"} <= _pins("requirements-build.txt").keys()


@pytest.mark.parametrize("file", REQUIREMENTS)
def test_every_pin_has_a_hash_and_no_file_names_an_index(file: str) -> None:
    text = (ROOT / file).read_text()
    blocks = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(blocks) >= len(_pins(file)) > 3
    assert all("--hash=sha256:" in block for block in blocks)
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links", text)
