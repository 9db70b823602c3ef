"""The code location: what is in the graph, that the registry decides it, and that it loads whatever happens."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from enrichment_assets.assets.steps import step_key
from enrichment_assets.code_location import build_definitions, kept_definitions, registered_workflows
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.registry.loader import builtin_workflows
from enrichment_assets.resources.platform import PlatformResource
from enrichment_assets.services.catalog.configuration import add_workflow, set_workflow_enabled
from enrichment_assets.settings import Settings
from tests.actors import TESTER
from tests.harness.handles import hq_of

SNAPSHOT = Path(__file__).with_name("graph.json")


def platform(settings: Settings) -> PlatformResource:
    return PlatformResource(
        home=str(settings.home),
        hq_database_url=settings.hq_database_url,
        workspace_database_url=settings.workspace_database_url,
        dagster_database_url=settings.dagster_database_url,
    )


def graph_of(definitions: dg.Definitions) -> dict[str, dict[str, object]]:
    """Asset -> group, upstream assets, checks and whether it is partitioned: what a change of the graph changes."""
    graph = definitions.resolve_asset_graph()
    return {
        key.to_user_string(): {
            "group": graph.get(key).group_name,
            "upstream": sorted(parent.to_user_string() for parent in graph.get(key).parent_keys),
            "checks": sorted(check.name for check in graph.get_check_keys_for_assets({key})),
            "partitioned": graph.get(key).is_partitioned,
        }
        for key in sorted(graph.get_all_asset_keys())
    }


def test_the_graph_of_the_built_in_workflows_is_the_reviewed_one() -> None:
    """A difference is a change of the graph: look at it, then write the new graph.json."""
    actual = graph_of(build_definitions(list(builtin_workflows().values())))
    assert actual == json.loads(SNAPSHOT.read_text(encoding="utf-8"))


def test_lineage_between_steps_comes_from_what_they_require_and_provide() -> None:
    graph = graph_of(build_definitions(list(builtin_workflows().values())))
    assert "find_emails_via_fullenrich" in graph["verify_email_via_hunter"]["upstream"]  # type: ignore[operator]
    assert "find_email_via_hunter" in graph["find_emails_via_fullenrich"]["upstream"]  # type: ignore[operator]
    assert "normalise_name" in graph["match_person_via_apollo"]["upstream"]  # type: ignore[operator]
    assert "scrape_homepage_via_zenrows" not in graph["match_person_via_apollo"]["upstream"]  # type: ignore[operator]


def test_every_asset_has_a_description_an_owner_and_a_kind() -> None:
    graph = build_definitions(list(builtin_workflows().values())).resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.description, key
        assert node.owners, key
        assert node.kinds, key


def test_a_workflow_that_is_added_as_a_row_is_an_asset_after_the_next_load(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "look-up.yaml"
    file.write_text(
        "slug: look-up-industry\ntitle: Look up the industry\nstep: 350\n"
        "provider: http\noperation: look-up\nmode: sync\n"
        "requires: [company_name]\nprovides: {industry_code: code}\n"
        "request: {method: GET, url: 'http://127.0.0.1:9/codes', query: {name: '{{ company_name }}'}}\n",
        encoding="utf-8",
    )
    before = build_definitions(platform=platform(settings)).resolve_asset_graph().get_all_asset_keys()
    add_workflow(hq_of(settings), settings, file, actor=TESTER)
    after = build_definitions(platform=platform(settings)).resolve_asset_graph().get_all_asset_keys()
    assert after - before == {step_key("look-up-industry")}


def test_a_location_that_was_built_is_given_again_until_the_registry_or_the_installation_is_another(
    settings: Settings,
) -> None:
    first = kept_definitions(settings)
    assert kept_definitions(settings) is first
    set_workflow_enabled(hq_of(settings), "run-n8n-webhook", False, actor=TESTER)
    second = kept_definitions(settings)
    assert step_key("run-n8n-webhook") in first.resolve_asset_graph().get_all_asset_keys()
    assert step_key("run-n8n-webhook") not in second.resolve_asset_graph().get_all_asset_keys()
    assert kept_definitions(replace(settings, sandbox_url="http://127.0.0.1:9")) is not second


def test_a_disabled_workflow_is_no_asset(settings: Settings) -> None:
    registered_workflows(settings)
    set_workflow_enabled(hq_of(settings), "run-n8n-webhook", False, actor=TESTER)
    keys = build_definitions(platform=platform(settings)).resolve_asset_graph().get_all_asset_keys()
    assert step_key("run-n8n-webhook") not in keys
    assert step_key("normalise-name") in keys


def test_the_location_loads_with_the_database_down_and_says_so(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    nowhere = replace(settings, hq_database_url="postgresql://nobody:hunter2@127.0.0.1:1/none")
    definitions = build_definitions(platform=platform(nowhere))
    dg.Definitions.validate_loadable(definitions)
    assert step_key("match-person-via-apollo") in definitions.resolve_asset_graph().get_all_asset_keys()
    assert "built-in workflows are shown" in caplog.text
    assert "hunter2" not in caplog.text


def test_loading_imports_neither_pandas_nor_duckdb_nor_arrow() -> None:
    """Every process of Dagster loads the location; these three would double the time that takes."""
    code = (
        "import sys, os; os.environ['HQ_DATABASE_URL'] = 'postgresql://nobody@127.0.0.1:1/none'\n"
        "import enrichment_assets.definitions\n"
        "print([m for m in ('pandas', 'duckdb', 'pyarrow', 'sqlglot') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "[]", done.stderr


def test_two_workflows_never_share_an_asset_key() -> None:
    """Slugs have no underscore, so replacing hyphens cannot make two of them one."""
    with pytest.raises(ValueError, match="slug"):
        WorkflowDefinition(slug="a_b", title="x", step=1, provider="local", operation="x", mode="local")  # type: ignore[arg-type]
