"""What comes back of deliveries: who sends it, its bytes, what it says, and what it stops."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from enrichment_assets.domain.delivery_events import EventKind
from enrichment_assets.domain.statuses import EventInboxStatus
from enrichment_assets.store.tables.columns import client, identity, metadata, now, one_of, readings, tenant, time
from enrichment_assets.store.tables.marks import OUR_WORD, SETTING, STAFF, TECHNICAL, Erased, kept, person
from enrichment_assets.store.tables.tenants import OWN

_HASH = kept("a keyed hash: by it alone is a person known who is not to be written to")

event_sources = Table(  # a client's connection by which events come: a webhook's address, or something that is asked
    "event_sources",
    metadata,
    identity(),
    client(),
    Column("name", Text, nullable=False, unique=True, info=SETTING),
    Column("kind", Text, nullable=False, comment="who reads it, as clickup or postmark", info=SETTING),
    Column("token_sha256", LargeBinary, unique=True, comment="of the address; null: nothing is posted", info=TECHNICAL),
    Column("secret_variable", Text, comment="NAME of the variable by which it is signed", info=SETTING),
    Column("settings", JSONB, nullable=False, server_default=text("'{}'"), info=SETTING),
    Column("cursor", JSONB, comment="how far it was asked; null: it was not", info=TECHNICAL),
    Column("poll_seconds", Integer, comment="how often it is asked; null: it is not"),
    now("created_at"),
    time("paused_at"),
    time("asked_at"),
    time("failed_at"),
    Column("error", Text, comment="why it could not be asked or read last; null: it could", info=OUR_WORD),
    info=OWN,
)

event_inbox = Table(  # raw bytes first; they are read later, from here, as often as it takes
    "event_inbox",
    metadata,
    identity(),
    tenant(),
    Column("source_id", BigInteger, nullable=False),
    Column("content_type", Text, info=TECHNICAL),
    Column("headers", JSONB, nullable=False, info=person(Erased.BLANK)),
    Column("body", LargeBinary, info=person(Erased.TAKEN_OUT)),
    Column("body_sha256", LargeBinary, nullable=False, info=TECHNICAL),
    Column("body_bytes", BigInteger, comment="of a body that was taken out"),
    time("body_removed_at"),
    Column("fingerprint", LargeBinary, nullable=False, comment="sha256 of headers and body", info=TECHNICAL),
    Column("status", Text, nullable=False, server_default=EventInboxStatus.NEW.value, info=OUR_WORD),
    Column("error", Text, comment="why it is dead", info=person(Erased.MENTIONS)),
    now("received_at"),
    time("processed_at"),
    readings(),
    one_of("status", EventInboxStatus),
    UniqueConstraint("source_id", "fingerprint"),
    Index("ix_event_inbox_new", "source_id", "id", postgresql_where=text("status = 'new'")),
    Index("ix_event_inbox_dead", "client_id", postgresql_where=text("status = 'dead'")),
    info=OWN,
)

delivery_events = Table(  # what came back, each once: append only
    "delivery_events",
    metadata,
    identity(),
    tenant(),
    Column("source", Text, nullable=False, comment="name of the connection or mailbox", info=SETTING),
    Column("key", Text, nullable=False, comment="the source's own: the same event has the same", info=TECHNICAL),
    Column("kind", Text, nullable=False, info=OUR_WORD),
    Column("happened_at", DateTime(timezone=True), nullable=False),
    now("taken_at"),
    Column("delivery_id", BigInteger, comment="null: of none that is known"),
    Column("batch_id", BigInteger),
    Column("item_id", BigInteger, comment="the lead; null: it is not known"),
    Column("destination", Text, comment="slug of the delivery", info=SETTING),
    Column("external_id", Text, comment="the destination's id of the record", info=person(Erased.NULL)),
    Column("hash", LargeBinary, comment="of the address that it is about", info=_HASH),
    Column("actor", Text, comment="who did it there; null: nobody, or not said", info=STAFF),
    Column("data", JSONB, nullable=False, comment="field, value, reason and more", info=person(Erased.BLANK)),
    Column("followed", Text, comment="what followed; null: nothing", info=OUR_WORD),
    Column("inbox_id", BigInteger, comment="the bytes that it was read from"),
    one_of("kind", EventKind),
    UniqueConstraint("client_id", "source", "key"),
    Index(None, "client_id", "id"),
    Index(None, "client_id", "hash", "happened_at", postgresql_where=text("hash is not null")),
    Index(None, "delivery_id", postgresql_where=text("delivery_id is not null")),
    Index(None, "item_id", postgresql_where=text("item_id is not null")),
    info=OWN,
)

delivery_stops = Table(  # nothing more is sent to a person, or of one delivery, for good or for a while
    "delivery_stops",
    metadata,
    identity(),
    client(),
    Column("hash", LargeBinary, comment="of an identity of the person; null: of one delivery", info=_HASH),
    Column("delivery_id", BigInteger, comment="null: of all to that person"),
    Column(
        "reason",
        Text,
        nullable=False,
        comment="replied, out of office, or a person's words",
        info=person(Erased.MENTIONS),
    ),
    Column("actor", Text, nullable=False, info=STAFF),
    Column("event_id", BigInteger, comment="the event that stopped it; null: a person"),
    now("stopped_at"),
    Column("until", DateTime(timezone=True), comment="null: until somebody lifts it"),
    time("lifted_at"),
    CheckConstraint("(hash is null) <> (delivery_id is null)", name="about"),
    Index(None, "client_id", "hash", postgresql_where=text("lifted_at is null and hash is not null")),
    Index(None, "delivery_id", postgresql_where=text("lifted_at is null and delivery_id is not null")),
    info=OWN,
)
