"""How the families of a batch ended, and whether their tables have been written."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    op.create_table(
        "item_families",
        sa.Column("item_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="its first root"),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), comment="why it failed or stopped"),
        sa.Column("workflow_slug", sa.Text(), comment="the step that failed; null: none did"),
        sa.Column("failed_item_id", sa.BigInteger(), comment="whose step it was"),
        sa.Column("children", sa.Integer(), nullable=False),
        sa.Column("cost", sa.Numeric(18, 6), comment="of all its steps; null: in several currencies"),
        sa.Column("seconds", sa.Integer(), comment="from its first attempt to its end"),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False, comment="when its last step did"),
        sa.Column("state", sa.Text(), nullable=False, comment="a checksum of what the tables were made of"),
        sa.Column("written_at", sa.DateTime(timezone=True)),
        sa.Column("problem", sa.Text(), comment="why its tables could not be written"),
        sa.CheckConstraint("status in ('enriched', 'failed', 'stopped')", name=op.f("ck_item_families_status")),
        sa.PrimaryKeyConstraint("item_id", name="pk_item_families"),
    )
    op.create_index("ix_item_families_batch_id", "item_families", ["batch_id"])
    op.create_index(
        "ix_item_families_wrong",
        "item_families",
        ["client_id"],
        postgresql_where=sa.text("status = 'failed' or problem is not null"),
    )


def downgrade() -> None:
    op.drop_table("item_families")
