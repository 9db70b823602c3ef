"""One callback can answer several calls: its address names the request, and each call has a row in the inbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.add_column("bulk_calls", sa.Column("callback_token", sa.Text()))
    op.add_column("bulk_calls", sa.Column("token_expires_at", sa.DateTime(timezone=True)))
    op.create_unique_constraint("uq_bulk_calls_callback_token", "bulk_calls", ["callback_token"])
    op.add_column(
        "callback_inbox",
        sa.Column("bulk_id", sa.Uuid(), comment="the request that it answers; its first member's row has the bytes"),
    )


def downgrade() -> None:
    op.drop_column("callback_inbox", "bulk_id")
    op.drop_constraint("uq_bulk_calls_callback_token", "bulk_calls")
    op.drop_column("bulk_calls", "token_expires_at")
    op.drop_column("bulk_calls", "callback_token")
