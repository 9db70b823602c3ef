"""Calls per day and key, and what a call asked, so that its answer can be used again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "rate_counts",
        sa.Column("limit_key", sa.Text(), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False, comment="when the hour begins"),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("limit_key", "hour", name="pk_rate_counts"),
    )
    op.add_column(
        "provider_calls",
        sa.Column(
            "question_hash",
            sa.Text(),
            comment="of the rendered request, without addresses for callbacks and secrets",
        ),
    )
    op.add_column(
        "provider_calls",
        sa.Column("reused_from", sa.BigInteger(), comment="the call whose answer was used instead of asking again"),
    )
    op.create_index(
        "ix_provider_calls_question",
        "provider_calls",
        ["client_id", "question_hash"],
        postgresql_where=sa.text("question_hash is not null"),
    )


def downgrade() -> None:
    op.drop_index("ix_provider_calls_question", "provider_calls")
    op.drop_column("provider_calls", "reused_from")
    op.drop_column("provider_calls", "question_hash")
    op.drop_table("rate_counts")
