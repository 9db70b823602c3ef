"""Readings are counted before they begin, and a webhook's id is found again whichever call it came for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_READINGS = "times that reading this body was begun; some may have ended a run"


def upgrade() -> None:
    for table in ("provider_calls", "callback_inbox"):
        op.add_column(
            table,
            sa.Column("readings", sa.SmallInteger, nullable=False, server_default=sa.text("0"), comment=_READINGS),
        )
    op.create_index(
        "ix_callback_inbox_webhook_id",
        "callback_inbox",
        ["client_id", sa.text("(headers ->> 'webhook-id')")],
        postgresql_where=sa.text("(headers ->> 'webhook-id') is not null"),
    )


def downgrade() -> None:
    op.drop_index("ix_callback_inbox_webhook_id", "callback_inbox")
    for table in ("callback_inbox", "provider_calls"):
        op.drop_column(table, "readings")
