"""Files as they came, and rows that could not be read."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from enrichment_assets.store.tables.columns import client, identity, metadata, now, tenant, time
from enrichment_assets.store.tables.marks import OUR_WORD, TECHNICAL, Erased, person
from enrichment_assets.store.tables.tenants import OWN

uploads = Table(  # one file as it came; the bytes are kept at uploads_dir/<client>/<sha256>
    "uploads",
    metadata,
    identity(),
    client(),
    Column("filename", Text, nullable=False, info=person(Erased.MENTIONS)),
    Column("sha256", Text, nullable=False, info=TECHNICAL),
    Column("size_bytes", BigInteger, nullable=False),
    Column("encoding", Text, nullable=False, info=OUR_WORD),
    Column("delimiter", Text, nullable=False, info=OUR_WORD),
    Column(
        "columns",
        JSONB,
        nullable=False,
        comment="[{name: header cell as uploaded, key: unique key, field: identity column or null}]",
        info=person(Erased.MENTIONS),
    ),
    Column(
        "options",
        JSONB,
        nullable=False,
        server_default="{}",
        comment="what a person said of the file: encoding ...",
        info=OUR_WORD,
    ),
    Column(
        "reading", JSONB, nullable=False, server_default="{}", comment="lines_above, bytes_below, sheet", info=OUR_WORD
    ),
    Column("row_count", BigInteger, nullable=False, comment="data rows = item rows + rejected rows"),
    Column("rejected_count", BigInteger, nullable=False),
    Column("source", Text, nullable=False, comment="cli, inbox, api, hand or table", info=OUR_WORD),
    now("created_at"),
    time("archived_at"),
    Column(
        "original_sha256", Text, comment="of the file as it came, before a person was taken out of it", info=TECHNICAL
    ),
    Column(
        "erased_rows",
        BigInteger,
        nullable=False,
        server_default=text("0"),
        comment="rows of the kept file that hold nobody any more",
    ),
    Column("bytes_removed_at", DateTime(timezone=True), comment="when the kept file was taken out, being old"),
    Column(
        "gathered",
        Boolean,
        nullable=False,
        server_default=text("false"),
        comment="its rows came in parts and are in upload_rows; there is no kept file",
    ),
    UniqueConstraint("client_id", "sha256", "options"),
    Index(None, "client_id", "original_sha256", postgresql_where=text("original_sha256 is not null")),
    info=OWN,
)

upload_rejections = Table(  # a row that could not be read, with the reason: never dropped in silence
    "upload_rejections",
    metadata,
    identity(),
    client(),
    Column("upload_id", BigInteger, ForeignKey("uploads.id"), nullable=False),
    Column("row_number", BigInteger, nullable=False, comment="1-based data row"),
    Column("line_number", BigInteger, nullable=False, comment="1-based physical line where the row starts"),
    Column("reason", Text, nullable=False, info=person(Erased.MENTIONS)),
    Column("raw", Text, nullable=False, comment="the row's text, at most 10,000 characters", info=person(Erased.BLANK)),
    UniqueConstraint("upload_id", "row_number"),
    info=OWN,
)

upload_parts = Table(  # what came at once of an upload that is gathered: a claim of table rows, or one request
    "upload_parts",
    metadata,
    identity(),
    tenant(),
    Column("upload_id", BigInteger, ForeignKey("uploads.id"), nullable=False),
    Column("number", Integer, nullable=False, comment="1-based; parts follow each other"),
    Column("first_row", BigInteger, nullable=False, comment="number of its first row in the upload"),
    Column("rows", Integer, nullable=False, comment="items and rejections"),
    Column("sha256", Text, nullable=False, comment="of its rows as they came, a line of JSON each", info=TECHNICAL),
    Column("size_bytes", BigInteger, nullable=False),
    now("created_at"),
    UniqueConstraint("upload_id", "number"),
    info=OWN,
)

upload_rows = Table(  # the readable rows of an upload that is gathered, as they came
    "upload_rows",
    metadata,
    Column("upload_id", BigInteger, primary_key=True, autoincrement=False),
    Column("row_number", BigInteger, primary_key=True, autoincrement=False, comment="1-based data row"),
    tenant(),
    Column("item_id", BigInteger, nullable=False, comment="what it became in the batch that gathers the upload"),
    Column(
        "cells", JSONB, nullable=False, comment="by column key; absent where it came as null", info=person(Erased.BLANK)
    ),
    Index(None, "item_id"),
    info=OWN,
)
