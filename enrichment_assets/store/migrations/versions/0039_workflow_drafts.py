"""Drafts of workflows that were written down by SQL."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0039"
down_revision = "0038"


def upgrade() -> None:
    op.create_table(
        "workflow_drafts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("workflow_slug", sa.Text(), nullable=False),
        sa.Column("title", sa.Text()),
        sa.Column("overall_step_number", sa.Integer()),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("destination_db", sa.Text()),
        sa.Column("destination_table_name", sa.Text()),
        sa.Column("destination_field_mappings", postgresql.JSONB(), comment="{what is read: column}"),
        sa.Column("status", sa.Text(), server_default=sa.text("'draft'"), nullable=False),
        sa.Column("reason", sa.Text(), comment="why it was refused"),
        sa.Column("drafted_by", sa.Text(), nullable=False, comment="the role of Postgres that wrote it"),
        sa.Column("drafted_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("status in ('draft', 'refused')", name=op.f("ck_workflow_drafts_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workflow_drafts")),
        sa.UniqueConstraint("workflow_slug", name=op.f("uq_workflow_drafts_workflow_slug")),
    )


def downgrade() -> None:
    op.drop_table("workflow_drafts")
