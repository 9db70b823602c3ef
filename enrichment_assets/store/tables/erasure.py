"""Who was erased, how far that has come, and files that were written for people."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from enrichment_assets.store.tables.columns import identity, metadata, now, time
from enrichment_assets.store.tables.marks import OUR_WORD, STAFF, TECHNICAL, Erased, kept, no_person, person
from enrichment_assets.store.tables.tenants import OWN, platform

person_erasures = Table(  # one row for each erasure: what is left to do, and in the end its certificate
    "person_erasures",
    metadata,
    identity(),
    Column("client_id", BigInteger, ForeignKey("clients.id"), comment="null: of every client"),
    Column(
        "subject",
        Text,
        nullable=False,
        unique=True,
        comment="beginning of the first hash",
        info=kept("a keyed hash: what the certificate and the log of changes call the person"),
    ),
    Column(
        "hashes",
        LargeBinary,
        nullable=False,
        comment="of all identities, keyed by the pepper, one behind the other",
        info=kept("keyed hashes: by them is the person kept out when they come again"),
    ),
    Column(
        "sealed",
        LargeBinary,
        comment="what is looked for, encrypted by a key of the pepper's; null: it is done",
        info=no_person("readable with the pepper only, and null once nothing is left to do"),
    ),
    Column(
        "item_ids",
        ARRAY(BigInteger),
        nullable=False,
        server_default=text("'{}'"),
        comment="items that are without a person",
    ),
    Column("reason", Text, nullable=False, info=person(Erased.MENTIONS)),
    Column("actor", Text, nullable=False, info=STAFF),
    Column(
        "progress",
        JSONB,
        nullable=False,
        server_default=text("'{}'"),
        comment="place -> what was done there, in the order in which it was done",
        info=no_person("counts, times and keys of batches"),
    ),
    Column("certificate", JSONB, comment="what, where, how many, when", info=no_person("counts, times and hashes")),
    Column("requested_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    time("finished_at"),
    time("looked_at"),
    Index("ix_person_erasures_open", "id", postgresql_where=text("finished_at is null")),
    info=OWN,
)

written_files = Table(  # reports and exports that a command wrote, wherever somebody asked for them
    "written_files",
    metadata,
    identity(),
    Column("kind", Text, nullable=False, info=OUR_WORD),
    Column("batch_key", Text, info=TECHNICAL),
    Column("host", Text, nullable=False, comment="the machine whose path it is", info=TECHNICAL),
    Column("path", Text, nullable=False, info=person(Erased.MENTIONS)),
    now("written_at"),
    CheckConstraint("kind in ('report', 'export')", name="kind"),
    info=platform("paths on machines of the platform's"),
)
