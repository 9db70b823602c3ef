"""Runs the tests of the models, and the reconciliations that have to hold for every batch."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb
from psycopg import sql

from enrichment_assets.settings import Settings
from enrichment_assets.store.database import Connection
from enrichment_assets.store.hq import Hq
from enrichment_assets.warehouse.batch_session import BatchSession, open_session
from enrichment_assets.warehouse.copies import brought
from enrichment_assets.warehouse.folding import folded, row_count
from enrichment_assets.warehouse.generations import ALL
from enrichment_assets.warehouse.lead_columns import project_of
from enrichment_assets.warehouse.project import PUBLISHED_OF_SYSTEM, Model, load_project
from enrichment_assets.warehouse.session import attach, connect
from enrichment_assets.warehouse.testspecs import Severity, TestSpec

_COUNTED_TWICE = (
    ("rows + children = items", "rows_and_items", "items_equal_rows_and_children"),
    ("items = leads", "items_and_leads", "items_equal_leads"),
    ("history entries = rows + exclusions", "entries_and_rows", "entries_equal_rows_and_exclusions"),
    (
        "education entries = rows + exclusions",
        "education_entries_and_rows",
        "education_entries_equal_rows_and_exclusions",
    ),
)
"""What has to add up within the warehouse, the macro of the SQL project that counts it in two ways, and the test of it.

The counts read every answer again, so a session that tests and reconciles takes them once.
"""
_MACRO_OF_TEST = {test: macro for _, macro, test in _COUNTED_TWICE}
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
    if batch_key is None:
        with _all_batches(settings, models) as connection:
            return _run_all(connection, models)
    with open_session(settings, batch_key) as session:
        return run_tests_in(session, models)


def run_tests_in(session: BatchSession, models: Sequence[str]) -> dict[str, list[TestReport]]:
    """`run_tests` over what a batch's session sees."""
    session.read_all()
    specs = [spec for name in models for spec in session.project.model(name).tests]
    adding_up = {spec.name for spec in specs if (macro := _MACRO_OF_TEST.get(spec.name)) and _adds_up(session, macro)}
    return _run_all(session.connection, models, adding_up)


def _run_all(
    connection: duckdb.DuckDBPyConnection, models: Sequence[str], known_to_hold: Collection[str] = ()
) -> dict[str, list[TestReport]]:
    project = load_project()
    return {
        name: [
            _holds(spec) if spec.name in known_to_hold else _run(connection, spec) for spec in project.model(name).tests
        ]
        for name in models
    }


def reconcile(hq: Hq, settings: Settings, batch_key: str) -> list[Reconciliation]:
    """What has to add up for a batch, counted in two ways.

    Rows + children = items; items = leads; entries of job histories, and of education, = rows + exclusions; and per
    published model its published rows = warehouse rows (those of the batch's system together).

    Raises:
        NotFoundError: Nothing was published for the batch.
    """
    with open_session(settings, batch_key) as session:
        return reconcile_in(session, hq)


def reconcile_in(session: BatchSession, hq: Hq) -> list[Reconciliation]:
    """`reconcile` over what a batch's session sees."""
    session.read_all()
    connection, batch_key = session.connection, session.batch_key
    found = [_compare(session, name, macro) for name, macro, _ in _COUNTED_TWICE]
    marts = [m.name for m in session.project.models.values() if m.published and m.partitioned]
    expected = {name: _count(connection, f'select count(*) from "{name}"') for name in marts}
    with hq.workspace.transaction() as workspace:
        actual = {name: _published_rows(workspace, session.project.models[name], batch_key) for name in marts}
    common = [name for name in marts if session.project.models[name].system is None]
    found += [_compare_published(f"published {name}", {name: expected[name]}, actual) for name in common]
    of_system = {name: rows for name, rows in expected.items() if name not in common}
    return [*found, _compare_published(PUBLISHED_OF_SYSTEM, of_system, actual)]


def _compare_published(name: str, expected: Mapping[str, int], actual: Mapping[str, int]) -> Reconciliation:
    """Rows of some marts in the warehouse and in the workspace database: each has to have as many here as there."""
    passed = all(actual[mart] == rows for mart, rows in expected.items())
    return Reconciliation(name, passed, sum(expected.values()), sum(actual[mart] for mart in expected))


@contextmanager
def _all_batches(settings: Settings, models: Sequence[str]) -> Iterator[duckdb.DuckDBPyConnection]:
    """A session that sees these models of all batches, and what their tests read."""
    layout = brought(settings, batch_key=ALL)
    project = project_of(layout)
    read = [name for model in models for spec in project.model(model).tests for name in spec.reads]
    connection = connect(layout)
    try:
        attach(connection, project.needed_for([*models, *read]), layout)
        yield connection
    finally:
        connection.close()


# crash point: models-are-tested
def _run(connection: duckdb.DuckDBPyConnection, spec: TestSpec) -> TestReport:
    query = _rendered(spec)
    failures = _count(connection, f"select count(*) from ({query})")
    if failures == 0:
        return _holds(spec)
    where = f" on {spec.column}" if spec.column else ""
    keys = _keys(connection, query)
    return TestReport(
        spec.name, False, spec.severity, failures, f"{failures} rows of {spec.model} fail {spec.name}{where}{keys}"
    )


def _holds(spec: TestSpec) -> TestReport:
    return TestReport(spec.name, True, spec.severity, 0, "holds")


def _rendered(spec: TestSpec) -> str:
    return load_project().model(spec.model).renderer.render(spec.sql)


def _keys(connection: duckdb.DuckDBPyConnection, query: str) -> str:
    """The items of the first failing rows, where the query tells."""
    columns = {row[0] for row in connection.execute(f"describe {query}").fetchall()}
    if "item_id" not in columns:
        return ""
    items = connection.execute(f"select distinct item_id from ({query}) order by 1 limit {_SHOWN}").fetchall()
    return "; first items: " + ", ".join(str(row[0]) for row in items)


def _compare(session: BatchSession, name: str, macro: str) -> Reconciliation:
    expected, actual = _counts(session, macro)
    return Reconciliation(name, expected == actual, expected, actual)


def _adds_up(session: BatchSession, macro: str) -> bool:
    expected, actual = _counts(session, macro)
    return expected == actual


def _counts(session: BatchSession, macro: str) -> tuple[int, int]:
    """What a macro of `_COUNTED_TWICE` counts in its two ways; once in a session."""
    if macro not in session.counted:
        query = session.project.model("final_leads").renderer.render(f"{{{{ {macro}() }}}}")
        expected, actual = session.connection.execute(query).fetchall()[0]
        session.counted[macro] = int(expected), int(actual)
    return session.counted[macro]


def _count(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(connection.execute(query).fetchall()[0][0])


def _published_rows(workspace: Connection, model: Model, batch_key: str) -> int:
    found = workspace.execute("select to_regclass(%s) is not null as found", [f'"{model.name}"']).fetchone()
    if found is None or not found["found"]:
        return 0
    fold = folded(model)
    if fold is None:
        query = sql.SQL("select count(*) as n from {} where batch_key = %s").format(sql.Identifier(model.name))
    else:
        query = row_count(fold)
    row = workspace.execute(query, [batch_key]).fetchone()
    return int(str(row["n"])) if row else 0
