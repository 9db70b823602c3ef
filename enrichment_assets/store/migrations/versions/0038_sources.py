"""Tables of the workspace bring rows by themselves, and rows that come one after another share an open batch."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, UUID

revision = "0038"
down_revision = "0037"

_GATHERED = "its rows came in parts and are in upload_rows; there is no kept file"
_GATHERS = "what it gathers the rows of: a source, api or by-hand; null: it is one list"
_DEFINITION = "table, key, where, map, done, failed, reason, every, at_most, gather (domain/sources.py)"


def upgrade() -> None:
    op.add_column(
        "uploads",
        sa.Column("gathered", sa.Boolean(), server_default=sa.text("false"), nullable=False, comment=_GATHERED),
    )
    op.alter_column("uploads", "source", comment="cli, inbox, api, hand or table", existing_comment="cli, inbox or api")
    op.add_column("batches", sa.Column("gathers", sa.Text(), comment=_GATHERS))
    op.add_column(
        "batches",
        sa.Column("closes_at", sa.DateTime(timezone=True), comment="until when it takes rows; null: it is one list"),
    )
    op.create_check_constraint(op.f("ck_batches_gathers"), "batches", "(gathers is null) = (closes_at is null)")
    op.create_index(
        "uq_batches_open",
        "batches",
        ["client_id", "gathers", "pipeline_slug", "closes_at"],
        unique=True,
        postgresql_where=sa.text("gathers is not null"),
    )
    _parts_and_rows()
    _sources()


def _parts_and_rows() -> None:
    op.create_table(
        "upload_parts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("upload_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, comment="1-based; parts follow each other"),
        sa.Column("first_row", sa.BigInteger(), nullable=False, comment="number of its first row in the upload"),
        sa.Column("rows", sa.Integer(), nullable=False, comment="items and rejections"),
        sa.Column("sha256", sa.Text(), nullable=False, comment="of its rows as they came, a line of JSON each"),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["upload_id"], ["uploads.id"], name=op.f("fk_upload_parts_upload_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload_parts")),
        sa.UniqueConstraint("upload_id", "number", name=op.f("uq_upload_parts_upload_id_number")),
    )
    op.create_table(
        "upload_rows",
        sa.Column("upload_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("row_number", sa.BigInteger(), autoincrement=False, nullable=False, comment="1-based data row"),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "item_id",
            sa.BigInteger(),
            nullable=False,
            comment="what it became in the batch that gathers the upload",
        ),
        sa.Column("cells", JSONB(), nullable=False, comment="by column key; absent where it came as null"),
        sa.PrimaryKeyConstraint("upload_id", "row_number", name=op.f("pk_upload_rows")),
    )
    op.create_index(op.f("ix_upload_rows_item_id"), "upload_rows", ["item_id"])


def _sources() -> None:
    op.create_table(
        "sources",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("pipeline_slug", sa.Text(), nullable=False),
        sa.Column("definition", JSONB(), nullable=False, comment=_DEFINITION),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("paused_at", sa.DateTime(timezone=True)),
        sa.Column(
            "next_look_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="when it is looked at again",
        ),
        sa.Column("looked_at", sa.DateTime(timezone=True), comment="when it was looked at last, to the end"),
        sa.Column("problem", sa.Text(), comment="why the last look could not be finished"),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name=op.f("fk_sources_client_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sources")),
        sa.UniqueConstraint("name", name=op.f("uq_sources_name")),
    )
    op.create_table(
        "source_rows",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("row_key", sa.Text(), comment="its key as text; null: it named somebody who was erased"),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("item_id", sa.BigInteger(), comment="null: the row was rejected"),
        sa.Column(
            "token",
            UUID(as_uuid=True),
            server_default=sa.text("gen_random_uuid()"),
            nullable=False,
            comment="by it the workspace says that the row was written back",
        ),
        sa.Column(
            "claimed_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("ended", sa.Text(), comment="done or failed, gone, or changed by others meanwhile"),
        sa.Column("reason", sa.Text(), comment="why it failed or was rejected"),
        sa.CheckConstraint("ended in ('done', 'failed', 'gone', 'changed')", name=op.f("ck_source_rows_ended")),
        sa.ForeignKeyConstraint(
            ["source_id"], ["sources.id"], name=op.f("fk_source_rows_source_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source_rows")),
    )
    still_open = sa.text("ended_at is null")
    op.create_index(
        "uq_source_rows_taken", "source_rows", ["source_id", "row_key"], unique=True, postgresql_where=still_open
    )
    op.create_index("ix_source_rows_open", "source_rows", ["source_id", "id"], postgresql_where=still_open)
    op.create_index(op.f("ix_source_rows_batch_id"), "source_rows", ["batch_id"])
    op.create_index(op.f("ix_source_rows_item_id"), "source_rows", ["item_id"])


def downgrade() -> None:
    for table in ("source_rows", "sources", "upload_rows", "upload_parts"):
        op.drop_table(table)
    op.drop_index("uq_batches_open", "batches")
    op.drop_constraint(op.f("ck_batches_gathers"), "batches")
    op.drop_column("batches", "closes_at")
    op.drop_column("batches", "gathers")
    op.alter_column("uploads", "source", comment="cli, inbox or api", existing_comment="cli, inbox, api, hand or table")
    op.drop_column("uploads", "gathered")
