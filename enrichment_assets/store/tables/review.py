"""What people said of drafts."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table, Text

from enrichment_assets.domain.drafts import Decision, Standing
from enrichment_assets.store.tables.columns import identity, metadata, now, one_of, tenant
from enrichment_assets.store.tables.marks import OUR_WORD, SETTING, STAFF, Erased, kept, person
from enrichment_assets.store.tables.tenants import OWN

_HASH = kept("a checksum: it proves what was approved, and holds none of it")

approvals = Table(  # append only, the latest of an item and workflow counts; it outlives what was approved
    "approvals",
    metadata,
    identity(),
    tenant(),
    Column("batch_id", BigInteger, nullable=False),
    Column("item_id", BigInteger, nullable=False),
    Column("workflow_slug", Text, nullable=False, info=SETTING),
    Column("decision", Text, nullable=False, info=OUR_WORD),
    Column("draft_sha256", LargeBinary, nullable=False, comment="of the exact bytes", info=_HASH),
    Column("facts_sha256", LargeBinary, nullable=False, comment="of what the workflow reads of the lead", info=_HASH),
    Column("template_sha256", LargeBinary, nullable=False, comment="of what it asks", info=_HASH),
    Column("actor", Text, nullable=False, info=STAFF),
    Column("note", Text, comment="of a rejection: why", info=person(Erased.NULL)),
    now("decided_at"),
    one_of("decision", Decision),
    Index(None, "batch_id", "item_id", "workflow_slug"),
    info=OWN,
)

draft_standings = Table(  # where drafts of which something was said stood when their batch was extracted last
    "draft_standings",
    metadata,
    Column("item_id", BigInteger, primary_key=True, autoincrement=False),
    Column("workflow_slug", Text, primary_key=True, info=SETTING),
    Column("batch_id", BigInteger, nullable=False),
    tenant(),
    Column("standing", Text, nullable=False, info=OUR_WORD),
    one_of("standing", Standing),
    Index(None, "batch_id"),
    info=OWN,
)
