"""Search queries that were proposed, and what somebody said of them."""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"


def upgrade() -> None:
    op.create_table(
        "search_proposals",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False, comment="the batch whose answers it comes from"),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("industry", sa.Text(), nullable=False, comment="its slug"),
        sa.Column("template", sa.Text(), nullable=False, comment="{region} in the place of each region"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'proposed'"), nullable=False),
        sa.Column("decided_by", sa.Text()),
        sa.Column("decided_at", sa.DateTime(timezone=True)),
        sa.Column("proposed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("state in ('proposed', 'accepted', 'rejected')", name=op.f("ck_search_proposals_state")),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name=op.f("fk_search_proposals_client_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_proposals")),
        sa.UniqueConstraint(
            "client_id",
            "system",
            "industry",
            "template",
            name=op.f("uq_search_proposals_client_id_system_industry_template"),
        ),
    )
    op.create_index(op.f("ix_search_proposals_batch_id"), "search_proposals", ["batch_id"])


def downgrade() -> None:
    op.drop_table("search_proposals")
