"""What tables share: the metadata, its names for keys, and columns that many of them have."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    MetaData,
    Numeric,
    SmallInteger,
    func,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

MONEY = Numeric(18, 6)
"""Exact decimals; six places hold a fraction of a credit."""


def one_of(column: str, values: type[StrEnum]) -> CheckConstraint:
    """A check that a column holds one of the words."""
    listed = ", ".join(f"'{v.value}'" for v in values)
    return CheckConstraint(f"{column} in ({listed})", name=column)


def identity() -> Column[int]:
    """The number of a row."""
    return Column("id", BigInteger, Identity(always=True), primary_key=True)


def client() -> Column[int]:
    """The client whom a row belongs to."""
    return Column("client_id", BigInteger, ForeignKey("clients.id"), nullable=False)


def tenant() -> Column[int]:
    """The client of a high-volume row: no foreign key, its batch has one (a trigger per row would halve bulk loads)."""
    return Column("client_id", BigInteger, nullable=False)


def now(name: str) -> Column[datetime]:
    """When a row was written."""
    return Column(name, DateTime(timezone=True), nullable=False, server_default=func.now())


def time(name: str) -> Column[datetime]:
    """When something happened; null: it has not."""
    return Column(name, DateTime(timezone=True))


def readings() -> Column[int]:
    """How often reading a body was begun."""
    comment = "times that reading this body was begun; some may have ended a run"
    return Column("readings", SmallInteger, nullable=False, server_default=text("0"), comment=comment)
