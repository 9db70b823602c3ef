"""Pulls: whose figures are fetched from which service with which key, and the answers, as bytes."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from enrichment_assets.store.tables.columns import client, identity, metadata, now, time
from enrichment_assets.store.tables.marks import OUR_WORD, SETTING, TECHNICAL, Erased, person
from enrichment_assets.store.tables.tenants import OWN

pulls = Table(  # a client's figures are fetched from a service
    "pulls",
    metadata,
    identity(),
    client(),
    Column("pull", Text, nullable=False, comment="slug, as instantly", info=SETTING),
    Column("secret_variable", Text, nullable=False, comment="NAME of the variable with the key", info=SETTING),
    now("connected_at"),
    UniqueConstraint("client_id", "pull"),
    info=OWN,
)

pull_syncs = Table(  # one fetch of a client's figures; one that was broken off is gone on with
    "pull_syncs",
    metadata,
    identity(),
    client(),
    Column("pull", Text, nullable=False, info=SETTING),
    Column("source", Text, nullable=False, comment="api, or file", info=OUR_WORD),
    Column("streams", ARRAY(Text), nullable=False, comment="what was asked", info=SETTING),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
    now("started_at"),
    time("finished_at"),
    time("failed_at"),
    Column("error", Text, comment="why it was broken off; null: it was not", info=OUR_WORD),
    Column("pages", Integer, nullable=False, server_default=text("0")),
    Column("rows", BigInteger, nullable=False, server_default=text("0")),
    Index(None, "client_id", "pull", "id"),
    info=OWN,
)

pulled_pages = Table(  # the newest answer to each question, kept before it is read
    "pulled_pages",
    metadata,
    identity(),
    client(),
    Column("pull", Text, nullable=False, info=SETTING),
    Column("stream", Text, nullable=False, info=SETTING),
    Column("request", Text, nullable=False, comment="path and query, or file:<sha256>", info=person(Erased.BLANK)),
    Column("request_hash", LargeBinary, nullable=False, comment="sha256 of the request", info=TECHNICAL),
    Column("sync_id", BigInteger, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("body", LargeBinary, comment="null: it was taken out", info=person(Erased.TAKEN_OUT)),
    Column("body_bytes", BigInteger, nullable=False),
    Column("fetched_at", DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()")),
    Column("read_at", DateTime(timezone=True), comment="when its rows were in their table"),
    UniqueConstraint("client_id", "pull", "request_hash"),
    info=OWN,
)
