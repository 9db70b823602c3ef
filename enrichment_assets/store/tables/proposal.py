"""Search queries that were proposed."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Table, Text, UniqueConstraint, text

from enrichment_assets.domain.search_proposals import State
from enrichment_assets.store.tables.columns import client, identity, metadata, now, one_of, time
from enrichment_assets.store.tables.marks import OUR_WORD, SETTING, STAFF, Erased, person
from enrichment_assets.store.tables.tenants import OWN

search_proposals = Table(  # what a model proposed to search for; only what a person accepted is in a plan
    "search_proposals",
    metadata,
    identity(),
    client(),
    Column("batch_id", BigInteger, nullable=False, comment="the batch whose answers it comes from"),
    Column("system", Text, nullable=False, info=SETTING),
    Column("industry", Text, nullable=False, comment="its slug", info=SETTING),
    Column(
        "template", Text, nullable=False, comment="{region} in the place of each region", info=person(Erased.MENTIONS)
    ),
    Column("reason", Text, nullable=False, info=person(Erased.MENTIONS)),
    Column("state", Text, nullable=False, server_default=text(f"'{State.PROPOSED.value}'"), info=OUR_WORD),
    Column("decided_by", Text, info=STAFF),
    time("decided_at"),
    now("proposed_at"),
    one_of("state", State),
    UniqueConstraint("client_id", "system", "industry", "template"),
    Index(None, "batch_id"),
    info=OWN,
)
