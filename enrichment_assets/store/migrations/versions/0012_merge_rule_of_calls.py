"""A call says by which rule the values of its request were chosen: its question is not worked out by another."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.add_column(
        "provider_calls",
        sa.Column(
            "merge_rule",
            sa.SmallInteger(),
            comment="rule that chose the values of its first request; null: an earlier one",
        ),
    )


def downgrade() -> None:
    op.drop_column("provider_calls", "merge_rule")
