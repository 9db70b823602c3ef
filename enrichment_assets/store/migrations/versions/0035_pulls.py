"""Figures are fetched from outside services: whose, with which key, and the answers as bytes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0035"
down_revision = "0034"

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "pulls",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("pull", sa.Text(), nullable=False, comment="slug, as instantly"),
        sa.Column("secret_variable", sa.Text(), nullable=False, comment="NAME of the variable with the key"),
        sa.Column("connected_at", _TIME, server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_pulls"),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name="fk_pulls_client_id"),
        sa.UniqueConstraint("client_id", "pull", name="uq_pulls_client_id_pull"),
    )
    op.create_table(
        "pull_syncs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("pull", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False, comment="api, or file"),
        sa.Column("streams", ARRAY(sa.Text()), nullable=False, comment="what was asked"),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("started_at", _TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", _TIME),
        sa.Column("failed_at", _TIME),
        sa.Column("error", sa.Text(), comment="why it was broken off; null: it was not"),
        sa.Column("pages", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("rows", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_pull_syncs"),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name="fk_pull_syncs_client_id"),
    )
    op.create_index("ix_pull_syncs_client_id_pull_id", "pull_syncs", ["client_id", "pull", "id"])
    op.create_table(
        "pulled_pages",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("pull", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False, comment="path and query, or file:<sha256>"),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False, comment="sha256 of the request"),
        sa.Column("sync_id", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), comment="null: it was taken out"),
        sa.Column("body_bytes", sa.BigInteger(), nullable=False),
        sa.Column("fetched_at", _TIME, server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("read_at", _TIME, comment="when its rows were in their table"),
        sa.PrimaryKeyConstraint("id", name="pk_pulled_pages"),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name="fk_pulled_pages_client_id"),
        sa.UniqueConstraint("client_id", "pull", "request_hash", name="uq_pulled_pages_client_id_pull_request_hash"),
    )


def downgrade() -> None:
    for table in ("pulled_pages", "pull_syncs", "pulls"):
        op.drop_table(table)
