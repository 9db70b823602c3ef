"""The models of histories alone, over answers put straight into DuckDB: hundreds of payloads a second."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from enrichment_assets.warehouse.files import quoted
from enrichment_assets.warehouse.functions import add_functions
from enrichment_assets.warehouse.project import PROJECT_DIR, load_project

MODELS = (
    "stg_employment",
    "stg_education",
    "person_work_history",
    "work_history_exclusions",
    "person_education",
    "education_exclusions",
)
FETCHED = "2026-01-01"


class HistoryModels:
    """`read(payloads)` fills the models; one item for each payload, in order, from 1."""

    def __init__(self) -> None:
        self.connection = duckdb.connect()
        add_functions(self.connection)
        self.connection.execute("set timezone = 'UTC'")
        self.connection.execute("create schema hq")
        for name in ("date_words", "date_shapes"):
            seed = quoted(str(PROJECT_DIR / "seeds" / f"{name}.csv"))
            self.connection.execute(
                f"create table {name} as select * from read_csv({seed}, header = true, nullstr = '')"
            )
        self._project = load_project()

    def read(self, payloads: Sequence[Any], *, fields: Mapping[str, Any] | None = None) -> None:
        """Build every model of histories from these answers; `fields` is what each mapped."""
        rows = [
            {"item": number, "payload": json.dumps(payload), "fields": json.dumps(fields or {})}
            for number, payload in enumerate(payloads, start=1)
        ]
        self.connection.execute(
            "create or replace table stg_answers as select 'acme' as client_slug, 'b' as batch_key, r.item as item_id, "
            "'match' as workflow_slug, 'apollo' as provider, 'apollo' as id_namespace, r.item as result_id, "
            f"timestamptz '{FETCHED}' as fetched_at, r.payload as payload, r.fields as fields "
            "from (select unnest(?::struct(item bigint, payload varchar, fields varchar)[]) as r)",
            [rows],
        )
        self.connection.execute(
            "create or replace table hq.batch_items as select 'b' as batch_key, item_id, item_id as row_number, "
            "null::varchar as full_name, null::varchar as first_name, null::varchar as last_name from stg_answers"
        )
        for name in MODELS:
            self.connection.execute(f"create or replace table {name} as {self._project.model(name).sql}")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of a query."""
        return self.connection.execute(query).fetchall()

    def balances(self) -> list[tuple[int, int]]:
        """Entries and rows of job histories, then of education, as the platform's reconciliations count them."""
        renderer = self._project.model("final_leads").renderer
        return [
            self.rows(renderer.render("{{ " + macro + "() }}"))[0]  # type: ignore[misc]
            for macro in ("entries_and_rows", "education_entries_and_rows")
        ]
