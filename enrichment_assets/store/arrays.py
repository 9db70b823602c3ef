"""Columns of many rows as parameters of one statement: arrays whose type is said, not found out.

A plain list becomes an array of whatever its members show: of int2, int4 or int8 by the largest number, of no type
where all are null. Each such difference is another prepared statement, which the server parses and plans anew: a run of
3,000 items prepared the ledger's largest statement seven times. Here the type is the statement's, always the same, and
a column is written in one go.

`register` makes a connection know them; `store.database` asks for it where it opens one. Parameters are spelled
`%(name)b`, those of `Numerics` `%(name)s`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

import psycopg
from psycopg.abc import AdaptContext
from psycopg.adapt import AdaptersMap, Dumper
from psycopg.pq import Format

_HEAD = struct.Struct("!IIIII").pack
"""Dimensions, whether there are nulls, type of the members, their number, index of the first."""

_LENGTH = struct.Struct("!I").pack
_LONG, _INT, _DOUBLE = struct.Struct("!Iq").pack, struct.Struct("!Ii").pack, struct.Struct("!Id").pack
_NULL = b"\xff\xff\xff\xff"
_TRUE, _FALSE = b"\0\0\0\1\1", b"\0\0\0\1\0"


@dataclass(slots=True)
class Column:
    """Values of one column, a row each."""

    values: Sequence[Any]


class Bigints(Column):
    """`bigint[]`."""


class Integers(Column):
    """`int4[]`."""


class Doubles(Column):
    """`float8[]`."""


class Booleans(Column):
    """`boolean[]`, of True and False only."""


class Texts(Column):
    """`text[]`."""


class Blobs(Column):
    """`bytea[]`."""


class Uuids(Column):
    """`uuid[]`."""


class Numerics(Column):
    """`numeric[]`, of decimals."""


class _Binary(Dumper):
    """An array in Postgres' binary form; members are written by `_members`."""

    format = Format.BINARY
    member: ClassVar[int]

    def __init__(self, cls: type, context: AdaptContext | None = None) -> None:
        super().__init__(cls, context)
        self._encoding = "utf-8" if self.connection is None else self.connection.info.encoding

    def dump(self, obj: Column) -> bytes:
        """The array. Raises `psycopg.DataError` for a value that its type does not hold."""
        values = obj.values
        if not values:
            return _HEAD(0, 0, self.member, 0, 0)[:12]
        try:
            members = self._members(values)
        except (struct.error, OverflowError) as error:
            raise psycopg.DataError(f"a value is out of range: {type(error).__name__}") from None
        return _HEAD(1, int(None in values), self.member, len(values), 1) + b"".join(members)

    def _members(self, values: Sequence[Any]) -> list[bytes]:
        raise NotImplementedError


class _Fixed(_Binary):
    """Of members that all have one size."""

    size: ClassVar[int]
    pack: ClassVar[Callable[..., bytes]]

    def _members(self, values: Sequence[Any]) -> list[bytes]:
        pack, size = type(self).pack, self.size
        return [_NULL if value is None else pack(size, value) for value in values]


class _Bigints(_Fixed):
    oid, member, size, pack = 1016, 20, 8, _LONG


class _Integers(_Fixed):
    oid, member, size, pack = 1007, 23, 4, _INT


class _Doubles(_Fixed):
    oid, member, size, pack = 1022, 701, 8, _DOUBLE


class _Booleans(_Binary):
    oid, member = 1000, 16

    def _members(self, values: Sequence[Any]) -> list[bytes]:
        return [_TRUE if value else _FALSE for value in values]


class _Texts(_Binary):
    oid, member = 1009, 25

    def _members(self, values: Sequence[Any]) -> list[bytes]:
        encoding = self._encoding
        members: list[bytes] = []
        for value in values:
            if value is None:
                members.append(_NULL)
                continue
            if "\0" in value:
                raise psycopg.DataError("a text of Postgres cannot hold NUL")
            encoded = value.encode(encoding)
            members += _LENGTH(len(encoded)), encoded
        return members


class _Blobs(_Binary):
    oid, member = 1001, 17

    def _members(self, values: Sequence[Any]) -> list[bytes]:
        members: list[bytes] = []
        for value in values:
            members += (_NULL,) if value is None else (_LENGTH(len(value)), value)
        return members


class _Uuids(_Binary):
    oid, member = 2951, 2950

    def _members(self, values: Sequence[UUID | None]) -> list[bytes]:
        return [_NULL if value is None else _LENGTH(16) + value.bytes for value in values]


class _Numerics(Dumper):
    """As text: what is to be written of a decimal in binary takes longer."""

    oid = 1231

    def dump(self, obj: Numerics) -> bytes:
        """The array."""
        values: Sequence[Decimal | None] = obj.values
        return f"{{{','.join('NULL' if value is None else str(value) for value in values)}}}".encode("ascii")


_DUMPERS: dict[type[Column], type[Dumper]] = {
    Bigints: _Bigints,
    Integers: _Integers,
    Doubles: _Doubles,
    Booleans: _Booleans,
    Texts: _Texts,
    Blobs: _Blobs,
    Uuids: _Uuids,
    Numerics: _Numerics,
}


def register(adapters: AdaptersMap) -> None:
    """Let a connection, by its `adapters`, take columns as parameters."""
    for column, dumper in _DUMPERS.items():
        adapters.register_dumper(column, dumper)
