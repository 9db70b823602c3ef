"""How the families of a batch ended, and whether their tables have been written."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Index, Integer, Table, Text, text

from enrichment_assets.domain.families import FamilyStatus
from enrichment_assets.store.tables.columns import MONEY, metadata, one_of, tenant, time
from enrichment_assets.store.tables.marks import OUR_WORD, SETTING, TECHNICAL, Erased, person
from enrichment_assets.store.tables.tenants import OWN

item_families = Table(  # one row for each family that has ended: `enrich stats` and alerts count them
    "item_families",
    metadata,
    Column("item_id", BigInteger, primary_key=True, autoincrement=False, comment="its first root"),
    tenant(),
    Column("batch_id", BigInteger, nullable=False),
    Column("status", Text, nullable=False, info=OUR_WORD),
    Column("reason", Text, comment="why it failed or stopped", info=person(Erased.MENTIONS)),
    Column("workflow_slug", Text, comment="the step that failed; null: none did", info=SETTING),
    Column("failed_item_id", BigInteger, comment="whose step it was"),
    Column("children", Integer, nullable=False),
    Column("cost", MONEY, comment="of all its steps; null: in several currencies"),
    Column("seconds", Integer, comment="from its first attempt to its end"),
    Column("ended_at", DateTime(timezone=True), nullable=False, comment="when its last step did"),
    Column("state", Text, nullable=False, comment="a checksum of what the tables were made of", info=TECHNICAL),
    time("written_at"),
    Column("problem", Text, comment="why its tables could not be written", info=person(Erased.MENTIONS)),
    one_of("status", FamilyStatus),
    Index(None, "batch_id"),
    Index("ix_item_families_wrong", "client_id", postgresql_where=text("status = 'failed' or problem is not null")),
    info=OWN,
)
