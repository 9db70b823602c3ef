"""Updates of the ledger stay on their page: no index depends on a call's state, and pages have room for them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.drop_index("ix_provider_calls_open", "provider_calls")
    op.create_index("ix_provider_calls_item_id", "provider_calls", ["item_id"])
    op.execute("alter table provider_calls set (fillfactor = 40)")


def downgrade() -> None:
    op.execute("alter table provider_calls reset (fillfactor)")
    op.drop_index("ix_provider_calls_item_id", "provider_calls")
    op.create_index(
        "ix_provider_calls_open",
        "provider_calls",
        ["item_id"],
        postgresql_where=sa.text("state in ('intent', 'received')"),
    )
