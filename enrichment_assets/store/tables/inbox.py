"""Callbacks as they came."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table, Text, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from enrichment_assets.domain.statuses import InboxStatus
from enrichment_assets.store.tables.columns import identity, metadata, now, one_of, readings, tenant, time
from enrichment_assets.store.tables.marks import OUR_WORD, TECHNICAL, Erased, person
from enrichment_assets.store.tables.tenants import OWN

callback_inbox = Table(  # raw bytes first; parsing happens later, from here
    "callback_inbox",
    metadata,
    identity(),
    tenant(),
    Column("batch_id", BigInteger, nullable=False),
    Column("call_id", BigInteger, nullable=False),
    Column("content_type", Text, info=TECHNICAL),
    Column("headers", JSONB, nullable=False, info=person(Erased.BLANK)),
    Column("body", LargeBinary, info=person(Erased.TAKEN_OUT)),
    Column("body_sha256", LargeBinary, nullable=False, info=TECHNICAL),
    Column("body_bytes", BigInteger, comment="of a body that was taken out"),
    time("body_removed_at"),
    Column("status", Text, nullable=False, server_default=InboxStatus.NEW.value, info=OUR_WORD),
    Column("error", Text, info=person(Erased.MENTIONS)),
    now("received_at"),
    time("processed_at"),
    readings(),
    Column("bulk_id", Uuid, comment="the request that it answers; its first member's row has the bytes"),
    one_of("status", InboxStatus),
    UniqueConstraint("call_id", "body_sha256"),
    Index(
        "ix_callback_inbox_webhook_id",
        "client_id",
        text("(headers ->> 'webhook-id')"),
        postgresql_where=text("(headers ->> 'webhook-id') is not null"),
    ),
    Index("ix_callback_inbox_dead", "client_id", postgresql_where=text("status = 'dead'")),
    Index("ix_callback_inbox_new", "batch_id", "id", postgresql_where=text("status = 'new'")),
    info=OWN,
)
