"""Batches say since when only people are waited for: their tables are made meanwhile."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"


def upgrade() -> None:
    op.add_column(
        "batches",
        sa.Column(
            "waits_since", sa.DateTime(timezone=True), comment="since when all that is open waits for people; null: not"
        ),
    )


def downgrade() -> None:
    op.drop_column("batches", "waits_since")
