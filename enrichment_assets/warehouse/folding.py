"""Marts that are published folded: one row an item in Postgres, and a view of the mart's own name and columns over it.

A mart with a row for each field of a lead would cost some 200 bytes a field: keys, row headers and index entries that
are the same again and again (ADR 0027). What differs from lead to lead (`published_folded` in `schema.yml`: values and
times) is an array in the item's row; the other columns, of which few combinations exist, are arrays in a row of kinds.
Whoever asks the view notices nothing: it has the mart's rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from psycopg import sql

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.store.database import Connection
from enrichment_assets.warehouse.chunks import ItemRange
from enrichment_assets.warehouse.project import Column, Model

KEYS = ("client_slug", "batch_key", "item_id")
"""What a row of the folded table is about; every folded mart has these columns."""

Integers = npt.NDArray[np.integer[Any]]

_SEEDS = (1, 2)
"""Of the two hashes by which combinations are compared: 128 bits together."""
_WEIGHT = 0x9E3779B97F4A7C15
"""An odd number: its powers tell the same hashes in another order apart."""


@dataclass(frozen=True, slots=True)
class Folded:
    """The two tables behind a folded mart."""

    model: Model

    @property
    def items(self) -> str:
        """One row per item: `KEYS`, `kinds_id`, and an array of each own column."""
        return f"enrich_{self.model.name}"

    @property
    def kinds(self) -> str:
        """One row per combination of the other columns: `batch_key`, `kinds_id`, and an array of each."""
        return f"enrich_{self.model.name}_kinds"

    @property
    def own(self) -> list[Column]:
        """Columns whose values differ from item to item."""
        names = self.model.meta["published_folded"]
        return [column for column in self.model.columns if column.name in names]

    @property
    def common(self) -> list[Column]:
        """Columns of which few combinations exist."""
        apart = {*KEYS, *(column.name for column in self.own)}
        return [column for column in self.model.columns if column.name not in apart]


def folded(model: Model) -> Folded | None:
    """How the mart is folded; None: it is published as it is."""
    return Folded(model) if model.meta.get("published_folded") else None


def tables_of(model: Model) -> list[str]:
    """The tables that hold a published mart's rows, each with a `batch_key`."""
    fold = folded(model)
    return [model.name] if fold is None else [fold.items, fold.kinds]


def creation(fold: Folded, types: Mapping[str, str]) -> list[sql.Composed]:
    """Statements that make the tables and their indexes where they are not there, and add columns of the model's.

    Args:
        fold: The mart.
        types: The Postgres type of each type that a column has.
    """
    keys = {column.name: column.type for column in fold.model.columns if column.name in KEYS}
    items = [sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(types[kind])) for name, kind in keys.items()]
    kinds = [sql.SQL("batch_key text")]
    statements = []
    for table, columns, listed, key in (
        (fold.items, items, fold.own, ("batch_key", "item_id")),
        (fold.kinds, kinds, fold.common, ("batch_key", "kinds_id")),
    ):
        arrays = [sql.SQL("{} {}[]").format(sql.Identifier(c.name), sql.SQL(types[c.type])) for c in listed]
        made = sql.SQL(", ").join([*columns, sql.SQL("kinds_id bigint"), *arrays])
        statements.append(sql.SQL("create table if not exists {} ({})").format(sql.Identifier(table), made))
        grown = sql.SQL(", ").join(sql.SQL("add column if not exists {}").format(array) for array in arrays)
        statements.append(sql.SQL("alter table {} {}").format(sql.Identifier(table), grown))
        index = sql.Identifier(f"ix_{table}_{'_'.join(key)}"[:63])
        on = sql.SQL(", ").join(map(sql.Identifier, key))
        statements.append(sql.SQL("create index if not exists {} on {} ({})").format(index, sql.Identifier(table), on))
    return statements


def view(fold: Folded, shown_before: Sequence[str] = ()) -> sql.Composed:
    """The statement that makes the view, or shows the model's new columns in it.

    Args:
        fold: The mart.
        shown_before: The columns of the view that is there, in its order: they keep their places, so that views of
            others over it stay as they are.
    """
    places = {name: place for place, name in enumerate(shown_before)}
    columns = sorted(fold.model.columns, key=lambda column: places.get(column.name, len(places)))
    arrays = [sql.SQL("i.{}").format(sql.Identifier(c.name)) for c in fold.own]
    arrays += [sql.SQL("k.{}").format(sql.Identifier(c.name)) for c in fold.common]
    names = [sql.Identifier(c.name) for c in (*fold.own, *fold.common)]
    shown = [sql.SQL("{}.{}").format(sql.SQL("i" if c.name in KEYS else "e"), sql.Identifier(c.name)) for c in columns]
    comma = sql.SQL(", ").join
    return sql.SQL(
        "create or replace view {view} as select {shown} from {items} i "
        "join {kinds} k on k.batch_key = i.batch_key and k.kinds_id = i.kinds_id "
        "cross join lateral unnest({arrays}) as e ({names})"
    ).format(
        view=sql.Identifier(fold.model.name),
        shown=comma(shown),
        items=sql.Identifier(fold.items),
        kinds=sql.Identifier(fold.kinds),
        arrays=comma(arrays),
        names=comma(names),
    )


def row_count(fold: Folded) -> sql.Composed:
    """The query that counts what the view shows of one batch (parameter `batch_key`) without unfolding it.

    As in the view, an item has as many rows as its longest array.
    """
    lengths = [sql.SQL("cardinality(i.{})").format(sql.Identifier(c.name)) for c in fold.own]
    lengths += [sql.SQL("cardinality(k.{})").format(sql.Identifier(c.name)) for c in fold.common]
    return sql.SQL(
        "select coalesce(sum(greatest({lengths})), 0) as n from {items} i "
        "join {kinds} k on k.batch_key = i.batch_key and k.kinds_id = i.kinds_id where i.batch_key = %s"
    ).format(
        lengths=sql.SQL(", ").join(lengths),
        items=sql.Identifier(fold.items),
        kinds=sql.Identifier(fold.kinds),
    )


def conversion(fold: Folded) -> list[sql.Composed]:
    """Statements that fold the rows of a table that an earlier version published, once, and drop it."""
    comma = sql.SQL(", ").join
    table, order = sql.Identifier(fold.model.name), sql.Identifier(fold.common[0].name)
    arrays = comma(
        sql.SQL("array_agg({0} order by {1}) as {0}").format(sql.Identifier(c.name), order)
        for c in (*fold.own, *fold.common)
    )
    keys, common = comma(map(sql.Identifier, KEYS)), comma(sql.Identifier(c.name) for c in fold.common)
    own = comma(sql.Identifier(c.name) for c in fold.own)
    same = sql.SQL(" and ").join(sql.SQL("k.{0} = f.{0}").format(sql.Identifier(c.name)) for c in fold.common)
    return [
        sql.SQL("create temporary table folded on commit drop as select {}, {} from {} group by {}").format(
            keys, arrays, table, keys
        ),
        sql.SQL(
            "insert into {} (batch_key, kinds_id, {}) select batch_key, row_number() over (), {} "
            "from (select distinct batch_key, {} from folded) d"
        ).format(sql.Identifier(fold.kinds), common, common, common),
        sql.SQL(
            "insert into {} ({}, kinds_id, {}) select {}, k.kinds_id, {} from folded f "
            "join {} k on k.batch_key = f.batch_key and {}"
        ).format(
            sql.Identifier(fold.items), keys, own, comma(sql.Identifier("f", n) for n in KEYS),
            comma(sql.Identifier("f", c.name) for c in fold.own), sql.Identifier(fold.kinds), same,
        ),
        sql.SQL("drop table {}").format(table),
    ]  # fmt: skip


def readers_of(workspace: Connection, table: str) -> list[sql.Composable]:
    """The roles that may read a table, besides its owner: what takes its place is to be theirs too."""
    found = workspace.execute(
        """
        select distinct r.rolname as role from pg_class c cross join aclexplode(c.relacl) a
        left join pg_roles r on r.oid = a.grantee
        where c.oid = to_regclass(%s) and a.privilege_type = 'SELECT' and a.grantee <> c.relowner
        """,
        [f'"{table}"'],
    )
    return [sql.SQL("public") if row["role"] is None else sql.Identifier(row["role"]) for row in found.fetchall()]


def refuse_views_over(workspace: Connection, table: str) -> None:
    """Raise `ConfigurationError` where somebody has made views over a table that is to become a view itself."""
    found = workspace.execute(
        """
        select distinct d.objid::regclass::text as name from (
          select r.ev_class as objid, p.refobjid from pg_depend p join pg_rewrite r on r.oid = p.objid
          where p.classid = 'pg_rewrite'::regclass and p.refclassid = 'pg_class'::regclass
        ) d where d.refobjid = to_regclass(%s) and d.objid <> d.refobjid order by 1
        """,
        [f'"{table}"'],
    )
    if views := [row["name"] for row in found.fetchall()]:
        listed = ", ".join(views)
        raise ConfigurationError(
            f"{table} of the workspace database becomes a view, and {listed} read it as the table that it was: keep "
            "their definitions, drop them, extract once more, and make them again",
            code="publication.views_over_table",
        )


def fold_rows(
    duck: duckdb.DuckDBPyConnection, fold: Folded, part: ItemRange | None, first_id: int
) -> dict[str, pa.Table]:
    """What goes into each of the two tables for the model's rows of one range of items.

    The rows come in the order of their items; an array of Arrow is made of a column by saying where each item begins,
    where DuckDB's lists would take ten times the memory. `first_id`: the first `kinds_id` that is free in the batch.
    """
    own, common = ([c.name for c in columns] for columns in (fold.own, fold.common))
    listed = ", ".join(f'"{name}"' for name in (*KEYS, *own, *common))
    apart = ", ".join(f'"{name}"' for name in common)
    hashes = ", ".join(f"hash({seed}, row({apart})) as hash_{seed}" for seed in _SEEDS)
    where = f"where {part.condition}" if part else ""
    rows = duck.execute(
        f'select {listed}, {hashes} from "{fold.model.name}" {where} order by item_id, "{common[0]}"'
    ).to_arrow_table()
    starts, sizes = _groups(rows["item_id"].to_numpy())
    firsts, kinds_of = _kinds(rows, starts, sizes)
    items = {name: rows[name].take(starts) for name in KEYS}
    items["kinds_id"] = pa.array(kinds_of + first_id, pa.int64())
    items |= {name: _arrays(rows[name], sizes) for name in own}
    kinds = {"batch_key": rows["batch_key"].take(starts[firsts])}
    kinds["kinds_id"] = pa.array(np.arange(len(firsts)) + first_id, pa.int64())
    there = _places(starts[firsts], sizes[firsts])
    kinds |= {name: _arrays(rows[name].take(there), sizes[firsts]) for name in common}
    return {fold.kinds: pa.table(kinds), fold.items: pa.table(items)}


def _groups(item_ids: Integers) -> tuple[Integers, Integers]:
    """Where each item's rows begin, and how many they are."""
    starts = np.flatnonzero(np.diff(item_ids, prepend=-1))
    return starts, np.diff(starts, append=len(item_ids))


def _kinds(rows: pa.Table, starts: Integers, sizes: Integers) -> tuple[Integers, Integers]:
    """For each distinct combination of the common columns an item that has it; for each item its combination."""
    place = np.arange(rows.num_rows) - np.repeat(starts, sizes)
    weights = np.power(np.uint64(_WEIGHT), place.astype(np.uint64))  # wraps round, as it is to
    sums = [
        np.add.reduceat(rows[f"hash_{seed}"].to_numpy() * weights, starts) if len(starts) else starts for seed in _SEEDS
    ]
    told = np.stack([*sums, sizes.astype(np.uint64)])
    _, firsts, kinds_of = np.unique(told, axis=1, return_index=True, return_inverse=True)
    return firsts, kinds_of.reshape(-1)


def _places(starts: Integers, sizes: Integers) -> Integers:
    """The places of all rows of some items, item by item."""
    before = np.cumsum(sizes) - sizes
    places: Integers = np.arange(sizes.sum()) + np.repeat(starts - before, sizes)
    return places


def _arrays(column: pa.ChunkedArray, sizes: Integers) -> pa.ListArray:
    """A column's values as one array an item."""
    offsets = pa.array(np.concatenate([[0], np.cumsum(sizes)]), pa.int32())
    values = column.combine_chunks()
    return pa.ListArray.from_arrays(offsets, values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values)
