"""Budgets."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Table, Text, UniqueConstraint, text

from enrichment_assets.store.tables.columns import MONEY, client, identity, metadata, now
from enrichment_assets.store.tables.marks import SETTING
from enrichment_assets.store.tables.tenants import OWN

budgets = Table(  # reserved before it is spent; the smallest of all that match binds
    "budgets",
    metadata,
    identity(),
    client(),
    Column("batch_id", BigInteger),
    Column("workflow_slug", Text, info=SETTING),
    Column("amount", MONEY, nullable=False),
    Column("reserved", MONEY, nullable=False, server_default=text("0")),
    Column("spent", MONEY, nullable=False, server_default=text("0")),
    now("updated_at"),
    UniqueConstraint("client_id", "batch_id", "workflow_slug", postgresql_nulls_not_distinct=True),
    CheckConstraint("amount >= 0", name="amount"),
    info=OWN,
)
