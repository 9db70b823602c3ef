"""What the platform tells clients' servers: their addresses, what happened, and the messages that say so."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from enrichment_assets.domain.outgoing import MessageState
from enrichment_assets.store.tables.columns import client, identity, metadata, now, one_of, tenant, time
from enrichment_assets.store.tables.marks import OUR_WORD, SETTING, TECHNICAL, Erased, person
from enrichment_assets.store.tables.tenants import OWN

outgoing_webhooks = Table(  # a client's server that is told
    "outgoing_webhooks",
    metadata,
    identity(),
    client(),
    Column("name", Text, nullable=False, unique=True, info=SETTING),
    Column("url", Text, nullable=False, info=SETTING),
    Column("events", JSONB, nullable=False, comment="names of the events that it is told of", info=SETTING),
    Column("secret_variable", Text, nullable=False, comment="NAME of the variable with the secret", info=SETTING),
    Column("previous_variable", Text, comment="likewise, of the secret before", info=SETTING),
    Column("previous_until", DateTime(timezone=True), comment="until when messages are signed with that one too"),
    Column("leads_per_message", SmallInteger, nullable=False, server_default=text("1")),
    now("created_at"),
    Column("disabled_at", DateTime(timezone=True), comment="nothing is sent; events are not laid out"),
    Column("disabled_reason", Text, info=OUR_WORD),
    Column(
        "failing_since", DateTime(timezone=True), comment="of the first failure after the last message that arrived"
    ),
    Column("rests_until", DateTime(timezone=True), comment="it has asked to be left alone until then"),
    time("arrived_at"),
    Column("last_error", Text, info=OUR_WORD),
    info=OWN,
)

outgoing_events = Table(  # the outbox: written in the transaction of what it tells, for clients with a webhook
    "outgoing_events",
    metadata,
    identity(),
    tenant(),
    Column("batch_id", BigInteger),
    Column("item_id", BigInteger, comment="the lead that it is about; null: it is about none"),
    Column("type", Text, nullable=False, comment="as lead.ready", info=OUR_WORD),
    Column("key", Text, unique=True, comment="what happens once has one event; null: of a lead", info=TECHNICAL),
    Column("occurred_at", DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()")),
    Column("data", JSONB, comment="as it is told; null: it was taken out", info=person(Erased.NULL)),
    Column("bytes", Integer, nullable=False, server_default=text("0"), comment="about how long the data is"),
    Column("laid_out_at", DateTime(timezone=True), comment="when messages were made of it"),
    Index(None, "id", postgresql_where=text("laid_out_at is null")),
    Index(None, "client_id", "id"),
    Index(None, "batch_id", "item_id"),
    info=OWN,
)

outgoing_leads = Table(  # what was told last of a lead: it is told again when its content differs
    "outgoing_leads",
    metadata,
    Column("batch_id", BigInteger, primary_key=True, autoincrement=False),
    Column("item_id", BigInteger, primary_key=True, autoincrement=False),
    tenant(),
    Column("content", LargeBinary, nullable=False, comment="hash of what was told", info=TECHNICAL),
    info=OWN,
)

outgoing_messages = Table(  # one message to one webhook, sent until it arrives or is given up
    "outgoing_messages",
    metadata,
    identity(),
    Column("webhook_id", BigInteger, ForeignKey("outgoing_webhooks.id", ondelete="CASCADE"), nullable=False),
    tenant(),
    Column(
        "message_id",
        UUID(as_uuid=True),
        nullable=False,
        unique=True,
        server_default=text("gen_random_uuid()"),
        comment="the receiver's key against doubles: the same in every attempt",
    ),
    Column("type", Text, nullable=False, info=OUR_WORD),
    Column("events", ARRAY(BigInteger), nullable=False, comment="ids of its events, in order"),
    Column("state", Text, nullable=False, server_default=text("'waiting'"), info=OUR_WORD),
    Column("attempts", SmallInteger, nullable=False, server_default=text("0")),
    Column("due_at", DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()")),
    Column("claimed_until", DateTime(timezone=True), comment="somebody sends it; after that it is anybody's again"),
    now("created_at"),
    time("ended_at"),
    Column("last_status", SmallInteger, comment="HTTP status of the last answer; null: there was none"),
    Column("last_error", Text, info=OUR_WORD),
    one_of("state", MessageState),
    CheckConstraint("cardinality(events) > 0", name="events"),
    Index("ix_outgoing_messages_due", "webhook_id", "due_at", "id", postgresql_where=text("state = 'waiting'")),
    Index(None, "webhook_id", "id"),
    info=OWN,
)
