"""One request can carry several calls: its answer is kept once, and each call in it says where it stands."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0016"


def upgrade() -> None:
    op.create_table(
        "bulk_calls",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("workflow_slug", sa.Text(), nullable=False),
        sa.Column("runner_id", sa.BigInteger(), nullable=False, comment="who sends it, and may write its answer"),
        sa.Column(
            "call_ids",
            postgresql.ARRAY(sa.BigInteger()),
            nullable=False,
            comment="its members, rows of provider_calls, in the order of the request",
        ),
        sa.Column(
            "names", postgresql.ARRAY(sa.Text()), comment="the members' ids; null: they are found by their place"
        ),
        sa.Column("http_status", sa.SmallInteger()),
        sa.Column("response_headers", postgresql.JSONB()),
        sa.Column("response_body", sa.LargeBinary(), comment="the whole answer, once for all members"),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_bulk_calls"),
    )
    op.add_column(
        "provider_calls",
        sa.Column("bulk_id", sa.Uuid(), comment="the request that carried its last attempt together with others"),
    )


def downgrade() -> None:
    op.drop_column("provider_calls", "bulk_id")
    op.drop_table("bulk_calls")
