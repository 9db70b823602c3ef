"""Erasures of persons with their progress and certificate, and the files that were written for people."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    op.create_table(
        "person_erasures",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("client_id", sa.BigInteger(), comment="null: of every client"),
        sa.Column("subject", sa.Text(), nullable=False, comment="beginning of the first hash"),
        sa.Column(
            "hashes",
            sa.LargeBinary(),
            nullable=False,
            comment="of all identities, keyed by the pepper, one behind the other",
        ),
        sa.Column(
            "sealed",
            sa.LargeBinary(),
            comment="what is looked for, encrypted by a key of the pepper's; null: it is done",
        ),
        sa.Column(
            "item_ids",
            ARRAY(sa.BigInteger()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="items that are without a person",
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column(
            "progress",
            JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="place -> what was done there, in the order in which it was done",
        ),
        sa.Column("certificate", JSONB(), comment="what, where, how many, when"),
        sa.Column("requested_at", sa.DateTime(timezone=True), server_default=sa.func.clock_timestamp(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("looked_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name="fk_person_erasures_client_id"),
        sa.PrimaryKeyConstraint("id", name="pk_person_erasures"),
        sa.UniqueConstraint("subject", name="uq_person_erasures_subject"),
    )
    op.create_index(
        "ix_person_erasures_open", "person_erasures", ["id"], postgresql_where=sa.text("finished_at is null")
    )
    op.create_table(
        "written_files",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("batch_key", sa.Text()),
        sa.Column("host", sa.Text(), nullable=False, comment="the machine whose path it is"),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.CheckConstraint("kind in ('report', 'export')", name=op.f("ck_written_files_kind")),
        sa.PrimaryKeyConstraint("id", name="pk_written_files"),
    )
    op.add_column(
        "uploads",
        sa.Column("original_sha256", sa.Text(), comment="of the file as it came, before a person was taken out of it"),
    )
    op.add_column(
        "uploads",
        sa.Column(
            "erased_rows",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="rows of the kept file that hold nobody any more",
        ),
    )
    op.add_column(
        "uploads",
        sa.Column(
            "bytes_removed_at", sa.DateTime(timezone=True), comment="when the kept file was taken out, being old"
        ),
    )
    op.create_index(
        "ix_uploads_client_id_original_sha256",
        "uploads",
        ["client_id", "original_sha256"],
        postgresql_where=sa.text("original_sha256 is not null"),
    )


def downgrade() -> None:
    op.drop_index("ix_uploads_client_id_original_sha256", "uploads")
    for column in ("bytes_removed_at", "erased_rows", "original_sha256"):
        op.drop_column("uploads", column)
    op.drop_table("written_files")
    op.drop_table("person_erasures")
