"""A definition, its row, and back: the same thing in three coats."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.registry.loader import builtin_workflows
from enrichment_assets.services.catalog.seeding import seed_builtins
from enrichment_assets.store.catalog import registry as store

HQ = Connection[dict[str, Any]]

_text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
_line = _text.filter(bool)
_names = st.from_regex(r"[a-z_][a-z0-9_]{0,10}", fullmatch=True)
_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.decimals(-1000, 1000, places=3).map(float) | _text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3),
    max_leaves=5,
)
_money = st.decimals(0, 100, places=6).map(str)
_seconds = st.decimals(0, 10_000, places=3).map(float)
_destinations = st.fixed_dictionaries(
    {
        "database": st.sampled_from(["workspace", "hq"]),
        "table": _names,
        "create": st.booleans(),
        "key": st.lists(_names, min_size=1, max_size=3),
        "columns": st.dictionaries(
            _names,
            st.fixed_dictionaries({"from": _line, "type": st.sampled_from(["text", "numeric", "jsonb"])}),
            min_size=1,
            max_size=3,
        ),
    }
)
_requests = st.fixed_dictionaries(
    {
        "method": st.sampled_from(["GET", "POST"]),
        "url": _line,
        "headers": st.dictionaries(_text, _text, max_size=3),
        "query": st.dictionaries(_text, _values, max_size=3),
        "body": st.dictionaries(_text, _values, max_size=3) | st.none() | _text,
    }
)
_workflows = st.fixed_dictionaries(
    {
        "slug": st.from_regex(r"[a-z0-9][a-z0-9-]{0,20}", fullmatch=True),
        "title": _line,
        "description": _text,
        "step": st.integers(0, 100_000),
        "provider": _names,
        "operation": _line,
        "mode": st.sampled_from(["sync", "async"]),
        "entity": st.sampled_from(["person", "company"]),
        "requires": st.lists(_names | st.lists(_names, min_size=1, max_size=3), max_size=3),
        "uses": st.lists(_names, max_size=3),
        "provides": st.dictionaries(_names, _text, max_size=4),
        "run_if": st.none() | _text,
        "base_url": st.none() | _text,
        "parameters": st.dictionaries(_text, _values, max_size=3),
        "secrets": st.dictionaries(_text, _names, max_size=2),
        "request": _requests,
        "destination": st.none() | _destinations,
        "price": st.fixed_dictionaries(
            {"estimate": _money, "not_found": st.none() | _money, "per_unit": st.none() | _money}
        ),
        "limits": st.fixed_dictionaries(
            {"per_second": st.none() | st.floats(0.001, 1000), "concurrency": st.integers(1, 2000)}
        ),
        "retry": st.fixed_dictionaries({"attempts": st.integers(1, 20), "base": _seconds, "timeout": _seconds}),
        "deadline": _seconds,
        "reuse_for": st.none() | _seconds,
        "emits": st.none() | _text,
        "enabled": st.booleans(),
    }
).map(WorkflowDefinition.model_validate)


def stored(hq: HQ, slug: str) -> dict[str, Any]:
    return next(row for row in store.list_workflow_rows(hq) if row["workflow_slug"] == slug)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_workflows)
def test_a_definition_comes_back_from_postgres_as_it_was(hq: HQ, workflow: WorkflowDefinition) -> None:
    store.upsert_workflow(hq, workflow, None)
    row = stored(hq, workflow.slug)
    hq.rollback()
    assert store.workflow_of(row) == workflow
    assert store.workflow_of(row).version() == row["version"] == workflow.version()


def test_the_columns_hold_what_their_names_say_and_what_sql_changes_is_the_truth(hq: HQ) -> None:
    seed_builtins(hq)
    row = stored(hq, "verify-email-via-hunter")
    assert (row["destination_db"], row["destination_table_name"]) == ("workspace", "verified_emails")
    assert row["destination_field_mappings"]["score"] == {"from": "fields.email_verification_score", "type": "integer"}
    assert (row["overall_step_number"], row["price"]["estimate"]) == (600, "0.0245")
    hq.execute(
        'update enrichment_registry set overall_step_number = 7, price = price || \'{"estimate": "0.5"}\' '
        "where workflow_slug = 'verify-email-via-hunter'"
    )
    changed = store.workflow_of(stored(hq, "verify-email-via-hunter"))
    assert (changed.step, str(changed.price.estimate)) == (7, "0.5")


def test_seeding_again_changes_nothing(hq: HQ) -> None:
    assert sorted(seed_builtins(hq)) == sorted(builtin_workflows())
    before = store.list_workflow_rows(hq), store.list_pipeline_rows(hq)
    assert seed_builtins(hq) == []
    assert (store.list_workflow_rows(hq), store.list_pipeline_rows(hq)) == before


def test_a_newer_file_updates_a_row_that_nobody_edited_and_keeps_it_switched_off(hq: HQ) -> None:
    seed_builtins(hq)
    store.set_enabled(hq, "normalise-name", False)
    older = builtin_workflows()["normalise-name"].model_copy(update={"title": "Older", "enabled": True})
    store.upsert_workflow(hq, older.model_copy(update={"enabled": False}), older.version())
    assert seed_builtins(hq) == ["normalise-name"]
    row = stored(hq, "normalise-name")
    assert (row["title"], row["enabled"]) == (builtin_workflows()["normalise-name"].title, False)


def test_a_newer_file_leaves_a_row_that_a_user_edited_even_by_sql(hq: HQ) -> None:
    seed_builtins(hq)
    hq.execute(
        "update enrichment_registry set title = 'Mine', builtin_version = 'an older file' "
        "where workflow_slug = 'normalise-name'"
    )
    assert seed_builtins(hq) == []
    assert stored(hq, "normalise-name")["title"] == "Mine"


def test_a_users_workflow_under_the_name_of_a_later_builtin_is_left_alone(hq: HQ) -> None:
    mine = builtin_workflows()["normalise-name"].model_copy(update={"title": "Mine"})
    store.upsert_workflow(hq, mine, None)
    assert "normalise-name" not in seed_builtins(hq)
    assert stored(hq, "normalise-name")["title"] == "Mine"
