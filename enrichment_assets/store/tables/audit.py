"""Who changed what."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Index, Table, Text, func
from sqlalchemy.dialects.postgresql import JSONB

from enrichment_assets.store.tables.columns import identity, metadata
from enrichment_assets.store.tables.marks import OUR_WORD, STAFF, Erased, person
from enrichment_assets.store.tables.tenants import OWN

operator_actions = Table(  # who changed what: append only; no foreign keys, for it outlives what was changed
    "operator_actions",
    metadata,
    identity(),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    Column("actor", Text, nullable=False, comment="kind:name, as cli:ada and sensor:inbox", info=STAFF),
    Column("action", Text, nullable=False, comment="noun.verb, as budget.set", info=OUR_WORD),
    Column("client_id", BigInteger, comment="whom it concerns; null: no client"),
    Column("batch_id", BigInteger, comment="which batch it concerns; null: none"),
    Column("kind", Text, nullable=False, info=OUR_WORD),
    Column(
        "name", Text, nullable=False, comment="slug, key or number of what was changed", info=person(Erased.MENTIONS)
    ),
    Column(
        "before",
        JSONB,
        comment="what it was, as far as it changed: bounded, no secret, no person's value",
        info=person(Erased.MENTIONS),
    ),
    Column("after", JSONB, comment="what it is then, likewise", info=person(Erased.MENTIONS)),
    Index(None, "client_id", "id"),
    Index(None, "batch_id", "id"),
    info=OWN,
)
