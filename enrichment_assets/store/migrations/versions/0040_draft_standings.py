"""Where drafts stood when a batch was extracted last."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"


def upgrade() -> None:
    op.create_table(
        "draft_standings",
        sa.Column("item_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("workflow_slug", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("standing", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "standing in ('waiting', 'approved', 'rejected', 'outdated')", name=op.f("ck_draft_standings_standing")
        ),
        sa.PrimaryKeyConstraint("item_id", "workflow_slug", name=op.f("pk_draft_standings")),
    )
    op.create_index(op.f("ix_draft_standings_batch_id"), "draft_standings", ["batch_id"])


def downgrade() -> None:
    op.drop_table("draft_standings")
