"""What workflows found, and every attempt."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, SmallInteger, Table, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB

from enrichment_assets.domain.statuses import Outcome
from enrichment_assets.store.tables.columns import MONEY, identity, metadata, now, one_of, tenant
from enrichment_assets.store.tables.marks import OUR_WORD, SETTING, Erased, person
from enrichment_assets.store.tables.tenants import OWN

enrichment_results = Table(
    "enrichment_results",
    metadata,
    identity(),
    tenant(),
    Column("batch_id", BigInteger, nullable=False),
    Column("item_id", BigInteger, nullable=False),
    Column("workflow_slug", Text, nullable=False, info=SETTING),
    Column("provider", Text, nullable=False, info=SETTING),
    Column("call_id", BigInteger),
    Column("outcome", Text, nullable=False, info=OUR_WORD),
    Column("payload", JSONB, comment="the whole answer", info=person(Erased.NULL)),
    Column("fields", JSONB, nullable=False, comment="what `provides` mapped out of it", info=person(Erased.BLANK)),
    Column(
        "rejected",
        JSONB,
        comment="field -> {value, reason, others}: what of the answer does not compete",
        info=person(Erased.NULL),
    ),
    Column(
        "citations",
        JSONB,
        comment="field -> [{at, input, quote, start}]: where the grounded values of a model's answer stand",
        info=person(Erased.NULL),
    ),
    now("fetched_at"),
    one_of("outcome", Outcome),
    UniqueConstraint("item_id", "workflow_slug"),
    Index(None, "batch_id", "workflow_slug"),
    info=OWN,
)

enrichment_results_log = Table(  # every attempt, append only
    "enrichment_results_log",
    metadata,
    identity(),
    tenant(),
    Column("batch_id", BigInteger, nullable=False),
    Column("item_id", BigInteger, nullable=False),
    Column("workflow_slug", Text, nullable=False, info=SETTING),
    Column("provider", Text, nullable=False, info=SETTING),
    Column("call_id", BigInteger),
    Column("attempt", Integer, nullable=False),
    Column("status", Text, nullable=False, info=OUR_WORD),
    Column("outcome", Text, info=OUR_WORD),
    Column("error_class", Text, info=OUR_WORD),
    Column("message", Text, info=person(Erased.MENTIONS)),
    Column("http_status", SmallInteger),
    Column("cost", MONEY),
    Column("duration_ms", Integer),
    now("created_at"),
    Index(None, "batch_id", "workflow_slug"),
    info=OWN,
)
