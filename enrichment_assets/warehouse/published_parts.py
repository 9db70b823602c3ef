"""What of a mart stands in Postgres already as it is in the warehouse, so that publishing again writes only the rest.

The rows of a batch are taken in parts of `ITEMS_A_PART` items. Beside the marts stands `enrich_published_parts`: of
each part how many rows it has, a fingerprint of them, and the transaction that wrote them. A part is left as it is if
its fingerprint is the warehouse's and its rows in Postgres are that many, all written by that transaction: what
somebody changed, deleted, added or restored there is written again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

import duckdb
from psycopg import sql

from enrichment_assets.warehouse.folding import folded
from enrichment_assets.warehouse.project import Model

ITEMS_A_PART = 1_000
TABLE = "enrich_published_parts"
CREATION = sql.SQL(
    f"create table if not exists {TABLE} (model text, batch_key text, part bigint, rows bigint, fingerprint text, "
    "written_by bigint, primary key (model, batch_key, part))"
)


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of a part as the warehouse has them: how many rows they are in Postgres, and what they are known by."""

    rows: int
    fingerprint: str


TOUCHED: Final = Part(-1, "")
"""A part whose rows in Postgres are not those that were published."""

Run = Callable[[sql.Composable], list[tuple[Any, ...]]]
"""Runs a statement in the publishing transaction and gives its rows."""


def parts_of(duck: duckdb.DuckDBPyConnection, model: Model) -> dict[int, Part]:
    """Every part of a model that has rows; a model whose rows are not each an item's, or that is folded, has one."""
    fold, columns = folded(model), ", ".join(f'"{c.name}"' for c in model.columns)
    rows = "count(distinct item_id)" if fold else "count(*)"
    types = ", ".join(f"{c.name} {c.type}" for c in model.columns)
    seed = f"{duckdb.__version__}; {types}".replace("'", "''")
    found = duck.execute(
        f"select {_part(model, '//')} as part, {rows}, concat(sum(hash('{seed}', row({columns}))), ' ', count(*)) "
        f'from "{model.name}" group by part'
    ).fetchall()
    return {part: Part(rows, fingerprint) for part, rows, fingerprint in found}


def standing_parts(run: Run, model: Model, batch_key: str | None) -> dict[int, Part]:
    """The parts that Postgres has: as they were published where nobody has touched their rows since, else `TOUCHED`.

    Empty: nothing is known of the batch, and it is written whole.
    """
    fold = folded(model)
    kept = run(
        sql.SQL(
            f"select part, rows, fingerprint, written_by from {TABLE} where model = {{}} and batch_key = {{}}"
        ).format(sql.Literal(model.name), sql.Literal(batch_key or ""))
    )
    if not kept:
        return {}
    there = run(
        sql.SQL(
            "select {} as part, count(*), min(xmin::text::bigint), max(xmin::text::bigint) from {}{} group by 1"
        ).format(sql.SQL(_part(model, "/")), sql.Identifier(fold.items if fold else model.name), of_batch(batch_key))
    )
    written = {part: (rows, first, last) for part, rows, first, last in there}
    noted = {part: (Part(rows, fingerprint), (rows, by, by)) for part, rows, fingerprint, by in kept}
    return {
        part: noted[part][0] if part in noted and noted[part][1] == written.get(part) else TOUCHED
        for part in noted.keys() | written.keys()
    }


def note_parts(
    run: Run, model: Model, batch_key: str | None, parts: Mapping[int, Part], changed: Collection[int]
) -> None:
    """Say that these parts were written in this transaction, and forget those that are no more."""
    name, batch = sql.Literal(model.name), sql.Literal(batch_key or "")
    run(
        sql.SQL(f"delete from {TABLE} where model = {{}} and batch_key = {{}} and part = any({{}}::bigint[])").format(
            name, batch, sql.Literal(sorted(changed))
        )
    )
    new = [(part, parts[part]) for part in sorted(changed) if part in parts]
    run(
        sql.SQL(
            f"insert into {TABLE} select {{}}, {{}}, p, r, f, pg_current_xact_id()::xid::text::bigint "
            "from unnest({}::bigint[], {}::bigint[], {}::text[]) as n (p, r, f)"
        ).format(
            name,
            batch,
            sql.Literal([part for part, _ in new]),
            sql.Literal([one.rows for _, one in new]),
            sql.Literal([one.fingerprint for _, one in new]),
        )
    )


def of_batch(batch_key: str | None) -> sql.Composed:
    """The condition on a mart's rows, ` where ...`; none for a mart over all batches."""
    where = sql.SQL(" where batch_key = {}").format(sql.Literal(batch_key))
    return where if batch_key is not None else sql.Composed([])


def of_parts(model: Model, parts: Collection[int], divided: str) -> str:
    """The same for some parts, as SQL: `divided` is the operator that divides whole numbers."""
    return f"{_part(model, divided)} in ({', '.join(map(str, sorted(parts)))})"


def _part(model: Model, divided: str) -> str:
    return f"item_id {divided} {ITEMS_A_PART}" if model.per_item and folded(model) is None else "0"
