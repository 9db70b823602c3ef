"""Leads as the golden models see them, put into DuckDB directly: hundreds of clients in one session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb

from enrichment_assets.domain.fields import IDENTITY_FIELDS
from enrichment_assets.warehouse.functions import add_functions
from enrichment_assets.warehouse.project import load_project

Row = tuple[Any, ...]
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
_OTHERS = ("apollo_person_id", "pdl_person_id", "phone_type", "email_status", "source")
"""Fields of a lead here besides the identity columns."""


@dataclass(frozen=True)
class Value:
    """A value of a lead as `lead_values` has it."""

    field: str
    value: str | None
    source_kind: str = "upload"
    workflow: str | None = None
    verdict: str | None = None
    kind: str | None = None
    priority: int = 90
    rule: str = "* from upload"
    rank: int = 1
    confidence: float | None = None
    days: int = 0


def values_of(lead: Mapping[str, Any]) -> list[Value]:
    """Each cell as an uploaded value; `phone_type` and `email_status` say what is known of the two."""
    found = []
    for name, value in lead.items():
        if value is None or name in ("phone_type", "email_status", "source"):
            continue
        workflow = name.endswith("_person_id")
        found.append(
            Value(
                name,
                value,
                source_kind="workflow" if workflow else "upload",
                workflow=name.removesuffix("_person_id") if workflow else None,
                kind=lead.get("phone_type") if name == "phone" else None,
                verdict=lead.get("email_status") if name == "email" else None,
            )
        )
    return found


class Leads:
    """A session with the tables that golden models read."""

    def __init__(self) -> None:
        self.connection = duckdb.connect()
        self.connection.execute("set timezone = 'UTC'")
        add_functions(self.connection)
        self._project = load_project()
        self._connection_tables()
        self._items = 0

    def add(self, client: str, leads: Sequence[Mapping[str, Any]], batch: str = "b1", cost: str = "0.10") -> None:
        """A batch of leads, each a mapping of cells, or a list of `Value` under `values`."""
        items, golden, values = [], [], []
        for lead in leads:
            self._items += 1
            given = lead.get("values") or values_of(lead)
            shown = {v.field: v.value for v in given if v.rank == 1}
            uploaded = {v.field: v.value for v in given if v.source_kind == "upload"}
            seen = BEGAN + timedelta(days=self._items)
            key = (client, f"{client}-{batch}", self._items)
            items.append((*key, seen, *(uploaded.get(name) for name in IDENTITY_FIELDS)))
            golden.append((*key, cost, *(shown.get(name) for name in IDENTITY_FIELDS)))
            values += [(*key, *self._value(v)) for v in given]
        for table, rows in (("hq.batch_items", items), ("final_leads", golden), ("lead_values", values)):
            marks = ", ".join("?" for _ in rows[0])
            self.connection.executemany(f"insert into {table} values ({marks})", rows)

    def build(self, *models: str) -> None:
        """Build these models as tables."""
        for name in models:
            self.connection.execute(f"create or replace table {name} as {self._project.models[name].sql}")

    def rows(self, query: str, *parameters: Any) -> list[Row]:
        """The rows of a query."""
        return self.connection.execute(query, parameters).fetchall()

    @staticmethod
    def _value(v: Value) -> Row:
        return (
            v.field, v.value, v.source_kind, v.workflow, v.verdict, v.kind, v.rule, v.priority, None, v.confidence,
            v.verdict in ("invalid", "disposable"), v.verdict != "placeholder", v.rank, BEGAN + timedelta(days=v.days),
        )  # fmt: skip

    def _connection_tables(self) -> None:
        cells = ", ".join(f"{name} varchar" for name in IDENTITY_FIELDS)
        key = "client_slug varchar, batch_key varchar, item_id bigint"
        for statement in (
            "create schema hq",
            f"create table hq.batch_items ({key}, created_at timestamptz, {cells})",
            "create table hq.batch_steps (batch_key varchar, workflow_slug varchar, provider varchar, "
            "id_namespace varchar)",
            f"create table final_leads ({key}, cost decimal(18, 6), {cells})",
            f"create table lead_values ({key}, field varchar, value varchar, source_kind varchar, "
            "source_workflow varchar, verdict varchar, kind varchar, rule varchar, priority integer, "
            "standing integer, confidence double, "
            "is_bad boolean, is_shown boolean, rank integer, fetched_at timestamptz)",
        ):
            self.connection.execute(statement)
