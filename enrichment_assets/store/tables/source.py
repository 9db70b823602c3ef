"""Tables of the workspace whose rows become leads by themselves, and which of their rows were taken."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, ForeignKey, Index, Table, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB, UUID

from enrichment_assets.domain.sources import RowEnd
from enrichment_assets.store.tables.columns import client, identity, metadata, now, one_of, tenant, time
from enrichment_assets.store.tables.marks import OUR_WORD, SETTING, TECHNICAL, Erased, person
from enrichment_assets.store.tables.tenants import OWN

sources = Table(  # a table of the workspace that is looked at by itself
    "sources",
    metadata,
    identity(),
    client(),
    Column("name", Text, nullable=False, info=SETTING),
    Column("pipeline_slug", Text, nullable=False, info=SETTING),
    Column(
        "definition",
        JSONB,
        nullable=False,
        comment="table, key, where, map, done, failed, reason, every, at_most, gather (domain/sources.py)",
        info=SETTING,
    ),
    now("created_at"),
    time("paused_at"),
    Column(
        "next_look_at",
        DateTime(timezone=True),
        nullable=False,
        server_default=text("now()"),
        comment="when it is looked at again",
    ),
    Column("looked_at", DateTime(timezone=True), comment="when it was looked at last, to the end"),
    Column("problem", Text, comment="why the last look could not be finished", info=OUR_WORD),
    UniqueConstraint("name"),
    info=OWN,
)

source_rows = Table(  # a row that was taken; one that is set back later is taken again, as another
    "source_rows",
    metadata,
    identity(),
    tenant(),
    Column("source_id", BigInteger, ForeignKey("sources.id", ondelete="CASCADE"), nullable=False),
    Column(
        "row_key", Text, comment="its key as text; null: it named somebody who was erased", info=person(Erased.NULL)
    ),
    Column("batch_id", BigInteger, nullable=False),
    Column("item_id", BigInteger, comment="null: the row was rejected"),
    Column(
        "token",
        UUID(as_uuid=True),
        nullable=False,
        server_default=text("gen_random_uuid()"),
        comment="by it the workspace says that the row was written back",
        info=TECHNICAL,
    ),
    Column("claimed_at", DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()")),
    time("ended_at"),
    Column("ended", Text, comment="done or failed, gone, or changed by others meanwhile", info=OUR_WORD),
    Column("reason", Text, comment="why it failed or was rejected", info=person(Erased.MENTIONS)),
    one_of("ended", RowEnd),
    Index("uq_source_rows_taken", "source_id", "row_key", unique=True, postgresql_where=text("ended_at is null")),
    Index("ix_source_rows_open", "source_id", "id", postgresql_where=text("ended_at is null")),
    Index(None, "batch_id"),
    Index(None, "item_id"),
    info=OWN,
)
