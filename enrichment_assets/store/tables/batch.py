"""Batches, their items, and what people corrected in them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from enrichment_assets.domain.fields import IDENTITY_FIELDS
from enrichment_assets.store.tables.columns import client, identity, metadata, now, tenant, time
from enrichment_assets.store.tables.marks import SETTING, STAFF, TECHNICAL, Erased, Info, person
from enrichment_assets.store.tables.tenants import OWN

_OF_A_COMPANY = frozenset(
    {"company_name", "company_domain", "company_website", "company_linkedin_url", "company_phone", "industry"}
)
"""Cells of a row that say where somebody works: an item without a person keeps them."""


def _identity(name: str) -> Info:
    return person(Erased.MENTIONS if name in _OF_A_COMPANY else Erased.NULL)


batches = Table(  # one execution: an upload x a pipeline; batch_key is the Dagster partition key
    "batches",
    metadata,
    identity(),
    Column("batch_key", Text, nullable=False, unique=True, info=TECHNICAL),
    client(),
    Column("upload_id", BigInteger, ForeignKey("uploads.id"), comment="null: a try has none"),
    Column("pipeline_slug", Text, nullable=False, info=SETTING),
    Column("blueprint", JSONB, nullable=False, info=SETTING),
    now("created_at"),
    time("items_created_at"),
    time("started_at"),
    time("finished_at"),
    time("extracted_at"),
    Column(
        "resume_at",
        DateTime(timezone=True),
        comment="when the sequencer should look at this batch again; null: a callback or a person moves it",
    ),
    Column(
        "waits_since",
        DateTime(timezone=True),
        comment="since when all that is open waits for people; null: not",
    ),
    time("retired_at"),
    Column("row_limit", BigInteger, comment="only so many readable rows of the upload, its first ones; null: all"),
    time("given_up_at"),
    Column(
        "holds",
        JSONB,
        nullable=False,
        server_default=text("'{}'"),
        comment="workflow slug, or * for all -> {kind: paused or cancelled, reason, actor, at}: none of it is sent",
        info=person(Erased.MENTIONS),
    ),
    time("guard_spoke_at"),
    Column("replaces", BigInteger, comment="the batch that was given up for this one"),
    Column(
        "priority",
        SmallInteger,
        nullable=False,
        server_default=text("0"),
        comment="among the batches of its client: -1 low, 0 normal, 1 high",
    ),
    Column(
        "is_try",
        Boolean,
        nullable=False,
        server_default=text("false"),
        comment="a few rows of one workflow that somebody tries: no partition, no leads, no tables",
    ),
    Column(
        "gathers",
        Text,
        comment="what it gathers the rows of: a source, api or by-hand; null: it is one list",
        info=SETTING,
    ),
    Column("closes_at", DateTime(timezone=True), comment="until when it takes rows; null: it is one list"),
    CheckConstraint("is_try = (upload_id is null)", name="try"),
    CheckConstraint("(gathers is null) = (closes_at is null)", name="gathers"),
    CheckConstraint("batch_key ~ '^[a-z0-9][a-z0-9._-]{0,199}$'", name="batch_key"),
    Index(
        "uq_batches_open",
        "client_id",
        "gathers",
        "pipeline_slug",
        "closes_at",
        unique=True,
        postgresql_where=text("gathers is not null"),
    ),
    info=OWN,
)

batch_items = Table(
    "batch_items",
    metadata,
    identity(),
    tenant(),
    Column("batch_id", BigInteger, nullable=False),
    Column("row_number", BigInteger, nullable=False, comment="1-based data row; 0 for a child item"),
    Column("parent_item_id", BigInteger),
    Column(
        "origin_key",
        Text,
        nullable=False,
        comment="'row:<n>', or '<workflow>:<dedupe key>' for a child: unique in its batch",
        info=person(Erased.MENTIONS),
    ),
    Column(
        "company_key",
        Text,
        comment="rule:value of the pipeline's company_identity; null: the row names no company",
        info=person(Erased.MENTIONS),
    ),
    *(Column(name, Text, info=_identity(name)) for name in IDENTITY_FIELDS),
    Column(
        "original_data",
        JSONB,
        nullable=False,
        comment="every cell as uploaded, by unique column key",
        info=person(Erased.BLANK),
    ),
    Column(
        "details",
        JSONB,
        comment="what a cell says beside its field's value: phone_type, phone_extension ...",
        info=person(Erased.NULL),
    ),
    Column(
        "rejected",
        JSONB,
        comment="field -> {value, reason, others}: what of its cell is not in the column",
        info=person(Erased.NULL),
    ),
    now("created_at"),
    UniqueConstraint("batch_id", "origin_key"),
    Index(None, "batch_id", "id"),
    info=OWN,
)

item_edits = Table(  # a person's correction of one value: append only, the latest per field beats every source
    "item_edits",
    metadata,
    identity(),
    tenant(),
    Column("batch_id", BigInteger, nullable=False),
    Column("item_id", BigInteger, nullable=False),
    Column("field", Text, nullable=False, comment="a column of final_leads", info=SETTING),
    Column("value", Text, comment="null: the value is to be empty, whatever the sources say", info=person(Erased.NULL)),
    Column("edited_by", Text, nullable=False, info=STAFF),
    Column("note", Text, info=person(Erased.NULL)),
    now("edited_at"),
    Index(None, "batch_id", "item_id"),
    info=OWN,
)
