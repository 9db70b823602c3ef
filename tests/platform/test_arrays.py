"""Columns of rows as parameters: what comes back of an array is what was put in, whatever its values are."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest

from enrichment_assets.settings import Settings
from enrichment_assets.store.arrays import (
    Bigints,
    Blobs,
    Booleans,
    Column,
    Doubles,
    Integers,
    Numerics,
    Texts,
    Uuids,
)
from enrichment_assets.store.database import connect_async

COLUMNS: list[tuple[type[Column], str, list[Any]]] = [
    (Bigints, "bigint[]", [0, -1, None, 2**63 - 1, -(2**63)]),
    (Integers, "int4[]", [200, None, -(2**31), 2**31 - 1]),
    (Doubles, "float8[]", [0.1, None, -math.inf, 1e308]),
    (Booleans, "boolean[]", [True, False, True]),
    (Texts, "text[]", ["", None, "NULL", 'a "b", {c}\\', "Zoë 🙂", "x" * 100_000]),
    (Blobs, "bytea[]", [b"", None, b"\0\xff", b"y" * 100_000]),
    (Uuids, "uuid[]", [UUID(int=0), None, UUID(int=2**128 - 1)]),
    (Numerics, "numeric[]", [Decimal("0.010000"), None, Decimal("-1E+3"), Decimal("12345678901234567890.123456")]),
]


@pytest.mark.parametrize(("column", "kind", "values"), COLUMNS, ids=lambda each: getattr(each, "__name__", ""))
async def test_what_comes_back_of_a_column_is_what_was_put_in_and_its_statement_is_prepared_once(
    settings: Settings, column: type[Column], kind: str, values: list[Any]
) -> None:
    spelling = "s" if column is Numerics else "b"
    query = f"""select a, pg_typeof(%(a){spelling})::text as kind
                from unnest(%(a){spelling}) with ordinality as u(a, n) order by n"""
    async with await connect_async(settings.hq_database_url or "", autocommit=True) as connection:
        for some in (values, [], [value for value in values if value is not None][:1], values[1:2]):
            cursor = await connection.execute(query, {"a": column(some)}, prepare=True)
            rows = await cursor.fetchall()
            assert [row["a"] for row in rows] == some
            assert {row["kind"] for row in rows} <= {pg_name(kind)}
        row = await (await connection.execute("select count(*) as n from pg_prepared_statements")).fetchone()
    assert row == {"n": 1}


def pg_name(kind: str) -> str:
    """As `pg_typeof` spells it."""
    return {"int4[]": "integer[]", "float8[]": "double precision[]"}.get(kind, kind)


@pytest.mark.parametrize(
    "column", [Bigints([2**63]), Integers([2**31]), Texts(["a\0b"])], ids=lambda each: type(each).__name__
)
async def test_a_value_that_its_type_does_not_hold_is_refused_as_the_database_would(
    settings: Settings, column: Column
) -> None:
    async with await connect_async(settings.hq_database_url or "", autocommit=True) as connection:
        with pytest.raises(psycopg.DataError):
            await connection.execute("select %(a)b", {"a": column})
