"""Who may not be bought, called or written to."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from enrichment_assets.store.tables.columns import identity, metadata, now, time
from enrichment_assets.store.tables.marks import OUR_WORD, STAFF, TECHNICAL, Erased, kept, person
from enrichment_assets.store.tables.tenants import OWN, platform

suppressions = Table(  # people and companies that may not be bought, called or written to
    "suppressions",
    metadata,
    identity(),
    Column("client_id", BigInteger, ForeignKey("clients.id"), comment="null: for every client"),
    Column("kind", Text, nullable=False, comment="email, domain, phone, linkedin or person", info=OUR_WORD),
    Column(
        "value",
        Text,
        comment="as it was kept before hashes were, until it is hashed; then null",
        info=person(Erased.NULL),
    ),
    Column(
        "hash",
        LargeBinary,
        nullable=False,
        comment="of kind and value, keyed by the pepper",
        info=kept("a keyed hash: by it alone is a person known who said no, or was erased"),
    ),
    Column("sealed", LargeBinary, comment="the value, encrypted by a key of the pepper's", info=person(Erased.NULL)),
    Column("reason", Text, nullable=False, info=person(Erased.MENTIONS)),
    Column("actor", Text, nullable=False, server_default=text("''"), info=STAFF),
    now("created_at"),
    time("expires_at"),
    UniqueConstraint("client_id", "hash", postgresql_nulls_not_distinct=True),
    Index(None, "hash"),
    info=OWN,
)

suppression_state = Table(  # one row: what a process has to know to compare suppressions, and whether it still does
    "suppression_state",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False, server_default=text("0"), comment="grows with every change"),
    Column(
        "mark", LargeBinary, comment="of the pepper that the hashes were made with; null: there is none", info=TECHNICAL
    ),
    CheckConstraint("id = 1", name="single"),
    info=platform("one row about the pepper and the version of all suppressions"),
)
