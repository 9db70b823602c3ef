"""Runs the tests of the models, and the reconciliations that have to hold for every batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
from psycopg import sql

from enrichment_assets.settings import Settings
from enrichment_assets.store.database import Connection
from enrichment_assets.store.hq import Hq
from enrichment_assets.warehouse.copies import brought
from enrichment_assets.warehouse.generations import ALL
from enrichment_assets.warehouse.lead_columns import project_of
from enrichment_assets.warehouse.project import load_project
from enrichment_assets.warehouse.session import attach, connect
from enrichment_assets.warehouse.testspecs import Severity, TestSpec

_SHOWN = 3
"""Failing rows that a message quotes the keys of; never more, they may hold personal data."""


@dataclass(frozen=True, slots=True)
class TestReport:
    """The outcome of one test. `failures` is the number of failing rows."""

    __test__ = False

    name: str
    passed: bool
    severity: Severity
    failures: int
    message: str


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Two counts that have to be equal."""

    name: str
    passed: bool
    expected: int
    actual: int


def run_tests(settings: Settings, batch_key: str | None, models: Sequence[str]) -> dict[str, list[TestReport]]:
    """Run every test of these models in one session, over one batch, or over all when `batch_key` is None.

    Returns:
        Model -> its reports, in the order of `models`; a model without tests has none.

    Raises:
        NotFoundError: There is no such model, or nothing was published for the batch.
    """
    project = load_project()
    specs = {name: project.model(name).tests for name in models}
    if not any(specs.values()):
        return {name: [] for name in models}
    connection = _session(settings, batch_key)
    try:
        return {name: [_run(connection, spec) for spec in tests] for name, tests in specs.items()}
    finally:
        connection.close()


def reconcile(hq: Hq, settings: Settings, batch_key: str) -> list[Reconciliation]:
    """What has to add up for a batch, counted in two ways.

    Rows + children = items; items = leads; entries of job histories, and of education, = rows + exclusions; and per
    published model its published rows = warehouse rows.

    Raises:
        NotFoundError: Nothing was published for the batch.
    """
    project = project_of(brought(settings, batch_key=batch_key))
    renderer = project.model("final_leads").renderer
    connection = _session(settings, batch_key)
    try:
        found = [
            _compare(connection, "rows + children = items", renderer.render("{{ rows_and_items() }}")),
            _compare(connection, "items = leads", renderer.render("{{ items_and_leads() }}")),
            _compare(connection, "history entries = rows + exclusions", renderer.render("{{ entries_and_rows() }}")),
            _compare(
                connection,
                "education entries = rows + exclusions",
                renderer.render("{{ education_entries_and_rows() }}"),
            ),
        ]
        marts = [m.name for m in project.models.values() if m.published and m.partitioned]
        expected = {name: _count(connection, f'select count(*) from "{name}"') for name in marts}
    finally:
        connection.close()
    with hq.workspace.transaction() as workspace:
        for name in marts:
            actual = _published_rows(workspace, name, batch_key)
            found.append(Reconciliation(f"published {name}", actual == expected[name], expected[name], actual))
    return found


def _session(settings: Settings, batch_key: str | None) -> duckdb.DuckDBPyConnection:
    layout = brought(settings, batch_key=batch_key or ALL)
    client = None if batch_key is None else layout.client_of(batch_key)
    connection = connect(layout)
    attach(connection, project_of(layout), layout, client_slug=client, batch_key=batch_key)
    return connection


# crash point: models-are-tested
def _run(connection: duckdb.DuckDBPyConnection, spec: TestSpec) -> TestReport:
    query = load_project().model(spec.model).renderer.render(spec.sql)
    failures = _count(connection, f"select count(*) from ({query})")
    if failures == 0:
        return TestReport(spec.name, True, spec.severity, 0, "holds")
    where = f" on {spec.column}" if spec.column else ""
    keys = _keys(connection, query)
    return TestReport(
        spec.name, False, spec.severity, failures, f"{failures} rows of {spec.model} fail {spec.name}{where}{keys}"
    )


def _keys(connection: duckdb.DuckDBPyConnection, query: str) -> str:
    """The items of the first failing rows, where the query tells."""
    columns = {row[0] for row in connection.execute(f"describe {query}").fetchall()}
    if "item_id" not in columns:
        return ""
    items = connection.execute(f"select distinct item_id from ({query}) order by 1 limit {_SHOWN}").fetchall()
    return "; first items: " + ", ".join(str(row[0]) for row in items)


def _compare(connection: duckdb.DuckDBPyConnection, name: str, query: str) -> Reconciliation:
    expected, actual = connection.execute(query).fetchall()[0]
    return Reconciliation(name, expected == actual, int(expected), int(actual))


def _count(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(connection.execute(query).fetchall()[0][0])


def _published_rows(workspace: Connection, model: str, batch_key: str) -> int:
    found = workspace.execute("select to_regclass(%s) is not null as found", [f'"{model}"']).fetchone()
    if found is None or not found["found"]:
        return 0
    query = sql.SQL("select count(*) as n from {} where batch_key = %s").format(sql.Identifier(model))
    row = workspace.execute(query, [batch_key]).fetchone()
    return int(str(row["n"])) if row else 0
