"""What Dagster's pages show: direct edges, and descriptions without markup."""

from __future__ import annotations

import re

import dagster as dg
import pytest

from enrichment_assets.assets.descriptions import plain
from enrichment_assets.assets.direct import direct_parents
from enrichment_assets.code_location import build_definitions
from enrichment_assets.registry.loader import builtin_workflows


@pytest.mark.parametrize(
    ("given", "direct"),
    [
        ({"c": ["a", "b"], "b": ["a"]}, {"c": ["b"], "b": ["a"]}),
        ({"d": ["a", "b", "c"], "c": ["a"], "b": ["a"]}, {"d": ["b", "c"], "c": ["a"], "b": ["a"]}),
        ({"d": ["a", "c"], "c": ["b"], "b": ["a"]}, {"d": ["c"], "c": ["b"], "b": ["a"]}),
        ({"c": ["b", "a"]}, {"c": ["b", "a"]}),
        ({"b": ["a", "a"]}, {"b": ["a"]}),
        ({"a": []}, {"a": []}),
    ],
)
def test_only_edges_that_no_longer_path_implies_are_left(
    given: dict[str, list[str]], direct: dict[str, list[str]]
) -> None:
    assert direct_parents(given) == direct


def test_no_edge_of_the_graph_follows_from_others() -> None:
    graph = build_definitions(list(builtin_workflows().values())).resolve_asset_graph()
    parents = {key: list(graph.get(key).parent_keys) for key in graph.get_all_asset_keys()}
    assert {key: set(found) for key, found in direct_parents(parents).items()} == {
        k: set(p) for k, p in parents.items()
    }


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Set `base_url` to the server.", "Set base_url to the server."),
        ("**Find** the __address__", "Find the address"),
        ("## Costs\nA credit.", "Costs\nA credit."),
        ("See [the docs](https://x.example/a_b).", "See the docs: https://x.example/a_b."),
        ("<https://x.example> stays, and so does 2 * 3 * 4", "<https://x.example> stays, and so does 2 * 3 * 4"),
        ("```\nGET /people\n```", "\nGET /people\n"),
        ("my__name__here and person_work_history", "my__name__here and person_work_history"),
    ],
)
def test_a_description_loses_its_markup_and_nothing_else(written: str, shown: str) -> None:
    assert plain(written) == shown


def test_nothing_that_a_list_shows_has_markup() -> None:
    definitions = build_definitions(list(builtin_workflows().values()))
    graph = definitions.resolve_asset_graph()
    specs = [graph.get(key) for key in graph.get_all_asset_keys()]
    checks = [spec for definition in graph.assets_defs for spec in definition.check_specs]
    columns = [c for spec in specs for c in _columns(spec.metadata.get("dagster/column_schema"))]
    sensors = definitions.sensors or []
    told = [one.description or "" for one in (*specs, *checks, *columns, *sensors)]
    assert len(told) > 200
    assert [text for text in told if re.search(r"`|\*\*|^#|\]\(", text) and "JMESPath" not in text] == []


def _columns(schema: object) -> list[dg.TableColumn]:
    return list(schema.columns) if isinstance(schema, dg.TableSchema) else []


def test_the_columns_of_a_step_have_the_types_of_their_fields() -> None:
    graph = build_definitions(list(builtin_workflows().values())).resolve_asset_graph()
    person = graph.get(dg.AssetKey("match_person_via_apollo")).metadata["dagster/column_schema"]
    types = {column.name: column.type for column in _columns(person)}
    assert (types["email"], types["linkedin_url"], types["title"]) == ("email", "linkedin_profile", "text")
